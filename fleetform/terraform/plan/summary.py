"""The counts of a plan or an apply, read from Terraform's closing line."""

import operator
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from fleetform.terraform.plain_text import colorless

_COUNTS = re.compile(r"(\d+) (?:to )?(import|add|change|destroy)(?:ed|d)?\b")
_LINE = re.compile(r"^\s*(Plan: |Apply complete! Resources: )")

FINISHED = re.compile(r": (Creation|Modifications|Destruction) complete\b")
"""A line of an apply about a resource that is done."""


@dataclass(frozen=True)
class Summary:
    """Numbers of resources.

    Attributes:
        add: To create, or created.
        change: To change in place, or changed.
        destroy: To destroy, or destroyed.
        seconds: How long Terraform took.
        imports: To import, or imported.
    """

    add: int = 0
    change: int = 0
    destroy: int = 0
    seconds: float = 0.0
    imports: int = 0

    def __add__(self, other: "Summary") -> "Summary":
        """Return what two applies have done together."""
        return Summary(*map(operator.add, astuple(self), astuple(other)))

    @property
    def only_destroys(self) -> bool:
        """Whether resources are destroyed and none is created."""
        return self.destroy > 0 and self.add == 0

    @property
    def outcome(self) -> str:
        """Return ``3 added, 1 changed, 0 destroyed`` for an apply; imports come first, if there are any."""
        imported = f"{self.imports} imported, " if self.imports else ""
        return f"{imported}{self.add} added, {self.change} changed, {self.destroy} destroyed"

    def __str__(self) -> str:
        """Return ``3 to add, 1 to change, 0 to destroy`` without the zeros, or ``no changes``."""
        counts = {"import": self.imports, "add": self.add, "change": self.change, "destroy": self.destroy}
        parts = [f"{count} to {what}" for what, count in counts.items() if count]
        return ", ".join(parts) or "no changes"


def summarize(lines: Iterable[str], seconds: float = 0.0) -> Summary:
    """Read the counts of the last plan or apply in Terraform's output.

    Without counts, there are no changes.
    """
    counts: dict[str, int] = {}
    for line in map(colorless, lines):
        if _LINE.match(line):
            counts = {what: int(count) for count, what in _COUNTS.findall(line)}
    return Summary(
        counts.get("add", 0),
        counts.get("change", 0),
        counts.get("destroy", 0),
        seconds,
        counts.get("import", 0),
    )
