"""What is told: one thing to mend, with all that any form of report says of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from fleetform.errors import Position, printable

SEVERITIES = ("high", "medium", "low")
"""How bad a finding is, the worst first."""


class Level(StrEnum):
    """How bad it is: in GitHub's words, which are SARIF's too."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Topic:
    """What is said once of all findings of one rule.

    Attributes:
        title: What must be so.
        why: What happens otherwise.
        link: Where to read on.
        good: An example of how it should be; empty for none.
    """

    title: str
    why: str
    link: str = ""
    good: str = ""


@dataclass(frozen=True)
class Note:
    """Another place that has to do with something.

    Attributes:
        what: How it has to do with it: `in module`.
        place: The place.
        source: The line there; None if it is not shown.
    """

    what: str
    place: Position
    source: str | None = None


@dataclass(frozen=True)
class Remark:
    """Something to mend: a problem of the input or a finding of the policy.

    Attributes:
        file: From the project's root.
        line: 1-based.
        column: 1-based, in characters; None for the whole line.
        rule: Id of what is not kept to, such as `services-cpu` or `FF001`.
        message: What is wrong.
        remedy: How to mend it, empty if the message says so itself.
        documentation: Where to read on, from the project's root; empty for nowhere.
        level: How bad it is.
        source: The line as it is in the file; None if it cannot be shown.
        severity: Of a finding, one of `SEVERITIES`; empty for a problem.
        address: Of a finding, what it is about: the resource's address in its stack.
        stack: Of a finding, the stack; empty if it is about none.
        notes: Other places that have to do with it.
        topic: Of a finding, what is said of its rule.
    """

    file: PurePath
    line: int
    column: int | None
    rule: str
    message: str
    remedy: str = ""
    documentation: str = ""
    level: Level = Level.ERROR
    source: str | None = None
    severity: str = ""
    address: str = ""
    stack: str = ""
    notes: tuple[Note, ...] = ()
    topic: Topic | None = None

    @property
    def place(self) -> str:
        """``file:line:column``, as editors and terminals make clickable."""
        return f"{self.file.as_posix()}:{self.line}" + (f":{self.column}" if self.column else "")

    @property
    def subject(self) -> str:
        """What is wrong, and with what."""
        return printable(": ".join(filter(None, (self.address, self.message))))

    @property
    def sentence(self) -> str:
        """What is wrong, with what, and how to mend it: on one line."""
        return "; ".join(filter(None, (self.subject, printable(self.remedy))))


def counted(remarks: Sequence[Remark]) -> str:
    """Such as `2 problems`, or `3 findings (1 high, 2 medium)`."""
    by_severity = Counter(remark.severity for remark in remarks)
    found = len(remarks) - by_severity[""]
    if not found:
        return _count(len(remarks), "problem")
    kinds = ", ".join(f"{by_severity[name]} {name}" for name in SEVERITIES if by_severity[name])
    return f"{_count(found, 'finding')} ({kinds})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def by_severity(remarks: Sequence[Remark]) -> list[Remark]:
    """Remarks with the worst findings first and those of a rule together; else, and problems, in their order."""
    ranks = {name: rank for rank, name in enumerate(("", *SEVERITIES))}
    return sorted(remarks, key=lambda remark: (ranks[remark.severity], remark.rule if remark.severity else ""))
