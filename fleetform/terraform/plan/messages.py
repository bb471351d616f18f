"""The words for a plan.

The cells of its table, a sentence for each change, a line for each value that differs.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from fleetform.base.errors import printable
from fleetform.terraform.plan.models import SENSITIVE, UNKNOWN, Action, Change, Difference, StackPlan
from fleetform.terraform.plan.phases import Phase, part_of
from fleetform.terraform.plan.risks import Level, Risk, risk, worst

COLUMNS = ("add", "change", "replace", "destroy")
_RARE_COLUMNS = ("import", "move", "forget", "restart")
_SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.READ: "<=",
    Action.FORGET: ".",
    Action.NONE: " ",
}
_DESCRIPTIONS = {
    Action.CREATE: "created",
    Action.UPDATE: "changed in place",
    Action.DELETE: "destroyed",
    Action.READ: "read during the apply",
    Action.FORGET: "removed from the state, and kept",
}
# Characters shown of a longer value, and how many of them may come before the first difference.
_WIDTH = 100
_COMMON = 30


class Row(NamedTuple):
    """A row of the plan's table.

    Attributes:
        stack: The stack's name.
        counts: A number for each column.
        risk: The worst risk.
        phase: The phase of the changes; None if the foundation loses nothing.
        stale: Whether there may be more changes; see `StackPlan`.
    """

    stack: str
    counts: tuple[int, ...]
    risk: Level | None
    phase: Phase | None = None
    stale: bool = False

    @property
    def cells(self) -> tuple[str, ...]:
        """The counts as text; those of a plan that will be made again may only be a part."""
        return tuple(f"{count}{'+' * self.stale}" for count in self.counts)


class RiskyChange(NamedTuple):
    """A change that has a risk, with its stack's name."""

    stack: str
    change: Change
    risk: Risk


def table(plans: Sequence[StackPlan]) -> tuple[tuple[str, ...], list[Row]]:
    """Return the number columns and the rows.

    Imports, moves, forgets and ECS services whose tasks restart have a column only where there are any. If
    the foundation loses resources, each row has its phase, and the foundation has a row for what it gains and
    one for what it loses.
    """
    columns = COLUMNS + tuple(name for name in _RARE_COLUMNS if any(plan.counts[name] for plan in plans))
    if not any(plan.later for plan in plans):
        return columns, [_row(plan, columns) for plan in plans]
    rows = [
        _row(part, columns, phase)
        for phase in Phase
        for plan in plans
        if (part := part_of(plan, phase)) and (part.changes or not plan.changes)
    ]
    return columns, rows


def _row(plan: StackPlan, columns: Sequence[str], phase: Phase | None = None) -> Row:
    return Row(
        plan.stack, tuple(plan.counts[name] for name in columns), worst(plan.changes), phase, plan.stale
    )


def risky_changes(plans: Sequence[StackPlan]) -> list[RiskyChange]:
    """Return the changes that have a risk, worst first."""
    risky = [
        RiskyChange(plan.stack, change, found)
        for plan in plans
        for change in plan.changes
        if (found := risk(change)) is not None
    ]
    return sorted(risky, key=lambda each: list(Level).index(each.risk.level))


def describe_change(change: Change) -> str:
    """Return what is done to a resource, such as `replaced, because name forces it`.

    One line, safe to print.
    """
    return printable(", ".join(_parts(change)))


def _parts(change: Change) -> Iterator[str]:
    if change.action == Action.REPLACE:
        yield f"replaced ({'new one first' if change.created_first else 'old one destroyed first'})"
    elif change.action != Action.NONE:
        yield _DESCRIPTIONS[change.action]
    if change.restarts:
        yield "all tasks restart"
    if reasons := [reason for reason in (_forced_by(change), change.reason) if reason]:
        yield f"because {', and '.join(reasons)}"
    if change.moved_from:
        yield f"moved from {change.moved_from}"
    if change.imported:
        yield f"imported by {change.imported}"


def _forced_by(change: Change) -> str:
    verb = "forces" if len(change.forced_by) == 1 else "force"
    return f"{' and '.join(change.forced_by)} {verb} it" if change.forced_by else ""


def details(plan: StackPlan) -> list[str]:
    """Return every change of a stack with its values, line by line; safe to print."""
    lines = [line for change in plan.changes for line in _change_lines(change)]
    if plan.outputs:
        lines += ["outputs", *(f"    {difference(output)}" for output in plan.outputs)]
    if plan.drift:
        lines.append("changed outside of Terraform")
        lines += [f"    {line}" for change in plan.drift for line in _change_lines(change)]
    return lines


def _change_lines(change: Change) -> Iterator[str]:
    yield printable(f"{_sign(change):>3} {change.address}: ") + describe_change(change)
    yield from (f"        {difference(each)}" for each in change.differences)


def _sign(change: Change) -> str:
    """Return Terraform's sign for an action."""
    return (
        ("+/-" if change.created_first else "-/+")
        if change.action == Action.REPLACE
        else _SIGNS[change.action]
    )


def difference(values: Difference) -> str:
    """Return a line such as `cpu: 256 -> 512`; of long values, the part around the first difference."""
    before, after = _format_value(values.before), _format_value(values.after)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, same - _COMMON) if max(len(before), len(after)) > _WIDTH else 0
    return printable(f"{values.name}: {_excerpt(before, start)} -> {_excerpt(after, start)}")


def _format_value(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a value as JSON; a document in a string, such as a policy, without its quotes."""
    if value in (SENSITIVE, UNKNOWN) or (isinstance(value, str) and value.startswith(("{", "["))):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _excerpt(text: str, start: int) -> str:
    end = start + _WIDTH
    return "…" * (start > 0) + text[start:end] + "…" * (end < len(text))
