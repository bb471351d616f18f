"""Findings, and open answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from fleetform.base.errors import Position
from fleetform.policy.rule import Severity


class Stage(StrEnum):
    """The source of a finding."""

    HCL = "hcl"
    PLAN = "plan"


@dataclass(frozen=True, order=True)
class Finding:
    """One policy rule broken at one address.

    Attributes:
        place: In the environment's own files: the wrong value, or the block that creates the resource.
        rule: The rule's ID.
        address: The resource's address, in its stack.
        message: What is wrong.
        remedy: How to fix it.
        severity: The severity of the rule.
        stack: The stack's name; empty if it concerns no stack.
        stage: The source: HCL, or a plan where HCL leaves the answer open.
        cause: The wrong line of a module, unless the environment's own files set the value.
        origin: The position in the catalog that the value comes from.
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
        """Return one line: place, rule, address, message, remedy."""
        return f"{self.place}: {self.rule} {self.address}: {self.message}; {self.remedy}"


class OpenAnswer(NamedTuple):
    """An open answer: a question that the resource view cannot decide.

    Attributes:
        rule: The rule's ID.
        stack: The stack's name.
        address: The resource's address in it.
        at: The path of the unknown value.
    """

    rule: str
    stack: str
    address: str
    at: tuple[str | int, ...]


class BaselineEntry(NamedTuple):
    """The parts of a finding that stay the same while files are edited."""

    rule: str
    stack: str
    address: str
