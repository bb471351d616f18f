"""Diagnostics: one problem each, with everything that any report format needs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from fleetform.base.errors import Position, printable

SEVERITIES = ("high", "medium", "low")
"""The severities of findings, the worst first."""


class Level(StrEnum):
    """The level of a diagnostic, in the terms of GitHub and SARIF."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class RuleText:
    """The text that all findings of a rule share.

    Attributes:
        title: The required state.
        why: The reason.
        link: Where to read more.
        good: An example that passes; empty for none.
    """

    title: str
    why: str
    link: str = ""
    good: str = ""


@dataclass(frozen=True)
class Note:
    """A related position.

    Attributes:
        what: Its relation: `in module`.
        place: The position.
        source: The line there; None if it is not shown.
    """

    what: str
    place: Position
    source: str | None = None


@dataclass(frozen=True)
class Diagnostic:
    """A problem of the input or a finding of the policy.

    Attributes:
        file: Relative to the project root.
        line: 1-based.
        column: 1-based, in characters; None for the whole line.
        rule: The ID of the broken rule, such as `services-cpu` or `FF001`.
        message: What is wrong.
        remedy: How to fix it; empty if the message includes it.
        documentation: Where to read more, relative to the project root; empty for nowhere.
        level: The level.
        source: The line in the file; None if it cannot be shown.
        severity: For a finding, one of `SEVERITIES`; empty for a problem.
        address: For a finding, the resource's address in its stack.
        stack: For a finding, the stack; empty if it concerns no stack.
        notes: Related positions.
        topic: For a finding, the text about its rule.
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
    topic: RuleText | None = None

    @property
    def place(self) -> str:
        """``file:line:column``, which editors and terminals make clickable."""
        return f"{self.file.as_posix()}:{self.line}" + (f":{self.column}" if self.column else "")

    @property
    def subject(self) -> str:
        """The address and the message."""
        return printable(": ".join(filter(None, (self.address, self.message))))

    @property
    def sentence(self) -> str:
        """Address, message and remedy on one line."""
        return "; ".join(filter(None, (self.subject, printable(self.remedy))))


def summarize(diagnostics: Sequence[Diagnostic]) -> str:
    """Return a summary such as `2 problems`, or `3 findings (1 high, 2 medium)`."""
    counts = Counter(diagnostic.severity for diagnostic in diagnostics)
    finding_count = len(diagnostics) - counts[""]
    if not finding_count:
        return _count(len(diagnostics), "problem")
    kinds = ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name])
    return f"{_count(finding_count, 'finding')} ({kinds})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def sort_by_severity(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics with the worst findings first, grouped by rule; problems keep their order."""
    ranks = {name: rank for rank, name in enumerate(("", *SEVERITIES))}
    return sorted(
        diagnostics,
        key=lambda diagnostic: (ranks[diagnostic.severity], diagnostic.rule if diagnostic.severity else ""),
    )
