"""Plans as Markdown for a pull request: a table, the risks, and every change folded below."""

from collections.abc import Iterable, Sequence

from fleetform.base.program_name import command
from fleetform.reports.markdown import LIMIT, code, fold, prose, take_fitting
from fleetform.terraform.plan.messages import RiskyChange, describe_change, details, risky_changes, table
from fleetform.terraform.plan.models import StackPlan

MARK = "<!-- fleetform plan -->"
"""Begins the comment, so that a pipeline finds and updates its earlier one."""

_TABLE_LIMIT = LIMIT // 4
_RISKS_LIMIT = LIMIT // 4
# Characters for the fold around a stack's details, and for the count of omitted stacks, at most.
_FOLDING_LIMIT = 600
_ENDING_LIMIT = 200


def comment(env: str, plans: Sequence[StackPlan], waiting: Sequence[str] = ()) -> str:
    """Return a comment of at most `LIMIT` characters; what does not fit is counted.

    Args:
        env: The environment's name.
        plans: The plan of each stack.
        waiting: The stacks that cannot be planned yet.
    """
    text = f"{MARK}\n### Plan of {code(env)}\n\n{_table(plans)}{_risks(risky_changes(plans))}"
    if stale := [code(plan.stack) for plan in plans if plan.stale and plan.stack not in waiting]:
        text += f"\nPlanned again after foundation is applied, as its outputs change: {', '.join(stale)}.\n"
    if waiting:
        text += f"\nPlanned after foundation is applied: {', '.join(map(code, waiting))}.\n"
    changed = [(plan, lines) for plan in plans if (lines := details(plan))]
    omitted = 0
    for place, (plan, lines) in enumerate(changed):
        room = (LIMIT - _ENDING_LIMIT - len(text)) // (len(changed) - place)
        details_text = _details(plan, lines, room)
        text += details_text
        omitted += not details_text
    return text + _omitted(omitted, "stacks")


def _table(plans: Sequence[StackPlan]) -> str:
    columns, rows = table(plans)
    phased = any(row.phase for row in rows)
    head = f"| stack | {'phase | ' * phased}{' | '.join(columns)} | risk |\n"
    head += f"| --- |{' --- |' * phased}{' ---: |' * len(columns)} --- |\n"
    return head + _rows(
        (
            f"| {code(row.stack)} | {f'{row.phase} | ' if row.phase else ''}"
            f"{' | '.join(row.cells)} |"
            f" {f'**{row.risk}**' if row.risk else '-'} |\n"
            for row in rows
        ),
        len(rows),
        _TABLE_LIMIT,
    )


def _risks(found: Sequence[RiskyChange]) -> str:
    if not found:
        return ""
    head = "\n| risk | stack | what | why it matters |\n| --- | --- | --- | --- |\n"
    return head + _rows(map(_row, found), len(found), _RISKS_LIMIT)


def _row(found: RiskyChange) -> str:
    what = f"{code(found.change.address)}<br>{prose(describe_change(found.change))}"
    return f"| **{found.risk.level}** | {code(found.stack)} | {what} | {prose(found.risk.why)} |\n"


def _rows(rows: Iterable[str], count: int, room: int) -> str:
    shown = take_fitting(rows, room)
    return "".join(shown) + _omitted(count - len(shown), "rows")


def _details(plan: StackPlan, lines: Sequence[str], room: int) -> str:
    """Return the changes of a stack that fit; empty if none does."""
    summary = (
        f"{code(plan.stack)}: {len(plan.changes)} {'resource' if len(plan.changes) == 1 else 'resources'}"
    )
    shown = take_fitting((f"{line}\n" for line in lines), room - _FOLDING_LIMIT - len(summary))
    omitted = _omitted(len(lines) - len(shown), f"lines of {code(plan.stack)}")
    text = fold(summary, "".join(shown)) + omitted if shown else ""
    return text if len(text) <= room else ""


def _omitted(count: int, what: str) -> str:
    return (
        f"\n*Omitted: {count} {what}. `{command('plan', details=True)}` shows everything.*\n" if count else ""
    )
