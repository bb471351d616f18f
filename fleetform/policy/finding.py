"""A finding: one rule broken at one address; and a question that is open."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from fleetform.errors import Position
from fleetform.policy.rule import Severity


class Stage(StrEnum):
    """What told it."""

    HCL = "hcl"
    PLAN = "plan"


@dataclass(frozen=True, order=True)
class Finding:
    """One policy rule broken at one address.

    Attributes:
        place: In the environment's own files: the value that is wrong, or what asks for the resource.
        rule: The rule's id.
        address: The resource's address, in its stack.
        message: What is wrong.
        remedy: How to mend it.
        severity: How bad it is.
        stack: The stack's name; empty if it is about none.
        stage: What told it: the HCL, or a plan where that leaves it open.
        cause: The line of a module that is wrong, if it is not what the environment's files give it.
        origin: Where the catalog says what became this value.
    """

    place: Position
    rule: str
    address: str
    message: str
    remedy: str
    severity: Severity
    stack: str = ""
    stage: Stage = Stage.HCL
    cause: Position | None = None
    origin: Position | None = None

    def __str__(self) -> str:
        """One line: place, rule, address, message, remedy."""
        return f"{self.place}: {self.rule} {self.address}: {self.message}; {self.remedy}"


class Open(NamedTuple):
    """A question that the view does not answer.

    Attributes:
        rule: The rule's id.
        stack: The stack's name.
        address: The resource's address in it.
        at: The value that is not known.
    """

    rule: str
    stack: str
    address: str
    at: tuple[str | int, ...]
