"""Prints plans: a table and its risks, every change, JSON, Markdown for a pull request."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fleetform.base.errors import CheckFailedError, InputError, printable
from fleetform.base.suggestions import suggestion
from fleetform.cli.printing import write_json
from fleetform.cli.screen import Screen
from fleetform.stacks import FOUNDATION
from fleetform.terraform.plan.drift import Drift
from fleetform.terraform.plan.markdown import comment
from fleetform.terraform.plan.messages import describe_change, details, risky_changes, table
from fleetform.terraform.plan.models import Action, Change, StackPlan
from fleetform.terraform.plan.phases import phase_of
from fleetform.terraform.plan.risks import Level, risk, worst

VERSION = 1
"""Of the JSON document: it increases when a key is removed or changes its meaning, not when one is added."""

_FAILING = {
    "add": Action.CREATE,
    "change": Action.UPDATE,
    "replace": Action.REPLACE,
    "destroy": Action.DELETE,
}
_RISK = "risk"
_STYLES: Mapping[str, str] = {Level.HIGH: "bold red", Level.MEDIUM: "yellow"}
# The columns of the table of drift.
_DRIFTED = ("changed outside", "not applied yet")
_NAMED = 5  # of the changes that fail a plan, in the message
_MEDIUM_SHOWN = 8  # medium risks shown one by one; high ones always are


@dataclass(frozen=True)
class OutputOptions:
    """How plans are printed.

    Attributes:
        as_json: Print a JSON document.
        details: Print every change with its values, not only the risky ones.
        out: A file to write them to as Markdown; empty for none.
        fail_on: The changes that fail the plan: columns of the table, separated by commas; empty for none.
        save: Save the plans, to apply them later as they are.
    """

    as_json: bool = False
    details: bool = False
    out: str = ""
    fail_on: str = ""
    save: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown words."""
        words = [*_FAILING, _RISK]
        for word in self.words:
            if word not in words:
                raise InputError(f"--fail-on: unknown `{printable(word)}`; {suggestion(word, words)}")

    @property
    def words(self) -> list[str]:
        """The changes that fail the plan."""
        return [word.strip() for word in self.fail_on.split(",") if word.strip()]

    @property
    def wants_values(self) -> bool:
        """Whether values are printed: Terraform takes seconds more for them."""
        return self.as_json or self.details or bool(self.out)

    def fails(self, change: Change) -> bool:
        """Return whether a change fails the plan."""
        return any(risk(change) if word == _RISK else change.action == _FAILING[word] for word in self.words)


AS_TABLE = OutputOptions()
"""The default: a table and its risks."""


def waits(stack: str) -> str:
    """Return the line about a stack that cannot be planned yet."""
    return f"{stack}: reads outputs of {FOUNDATION.name}; plan it after {FOUNDATION.name} is applied\n"


def is_stale(stack: str) -> str:
    """Return the line about a stack that may change more than its plan shows."""
    return (
        f"{stack}: reads outputs of {FOUNDATION.name} that will change; its plan is made again after"
        f" {FOUNDATION.name} is applied, and may have more\n"
    )


def print_plans(env: str, plans: Sequence[StackPlan], waiting: Sequence[str], options: OutputOptions) -> None:
    """Print plans, and write them to a file if one is named.

    Args:
        env: The environment's name.
        plans: The plan of each stack.
        waiting: The stacks that cannot be planned yet.
        options: How they are printed.

    Raises:
        CheckFailedError: A change matches `--fail-on`.
        InputError: The file cannot be written.
    """
    if options.out:
        _write(Path(options.out), comment(env, plans, waiting))
    if options.as_json:
        write_json(document(env, plans, waiting))
    else:
        show_plans(plans, with_details=options.details)
    failing = [(plan.stack, change) for plan in plans for change in plan.changes if options.fails(change)]
    if failing:
        named = "; ".join(
            f"{stack}: {printable(change.address)} {describe_change(change)}"
            for stack, change in failing[:_NAMED]
        )
        more = f"; and {len(failing) - _NAMED} more" if len(failing) > _NAMED else ""
        raise CheckFailedError(f"--fail-on {','.join(options.words)}: {named}{more}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--out {file}: {error.strerror}; name a file that can be written") from None


def show_plans(plans: Sequence[StackPlan], *, with_details: bool = False) -> None:
    """Print plans; see `show`."""
    show(Screen(), plans, with_details=with_details)


def show(screen: "Screen", plans: Sequence[StackPlan], *, with_details: bool) -> None:
    """Print the table, and below it what is risky, or everything."""
    columns, rows = table(plans)
    if rows:
        screen.line("")
        phases = ("phase",) if any(row.phase for row in rows) else ()
        cells = [
            (row.stack, *([row.phase] if row.phase else []), *row.cells, row.risk or "-") for row in rows
        ]
        screen.table(("stack", *phases, *columns, "risk"), cells, right=columns, styles=_STYLES)
    _show_risks(screen, plans)
    if with_details:
        _show_details(screen, plans)


def _show_risks(screen: "Screen", plans: Sequence[StackPlan]) -> None:
    """Print every high risk, and so many medium ones that a destroy of everything fits on a screen."""
    risks = risky_changes(plans)
    high = sum(each.risk.level == Level.HIGH for each in risks)
    for stack, change, found in risks[: high + _MEDIUM_SHOWN]:
        screen.line("")
        place = f" {stack}: {printable(change.address)}: {describe_change(change)}"
        screen.parts((found.level, _STYLES[found.level]), (place, ""))
        screen.line(f"  {found.why}")
    if (hidden := len(risks) - high - _MEDIUM_SHOWN) > 0:
        screen.line(f"\n{hidden} more medium {'risk' if hidden == 1 else 'risks'}")


def show_drift(screen: "Screen", drifts: Sequence[Drift]) -> None:
    """Print how much differs from the code, and each change that would fix it."""
    rows = [(each.stack, str(len(each.outside)), str(len(each.unapplied))) for each in drifts]
    screen.line("")
    screen.table(("stack", *_DRIFTED), rows, right=_DRIFTED)
    for each in drifts:
        for heading, changes in zip(_DRIFTED, (each.outside, each.unapplied), strict=True):
            if changes:
                screen.line(f"\n{each.stack}: {heading}", "bold")
                screen.line("\n".join(details(StackPlan(each.stack, changes))))


def drift_document(env: str, drifts: Sequence[Drift]) -> dict[str, Any]:
    """Return drift as JSON data."""
    return {
        "version": VERSION,
        "environment": env,
        "stacks": [
            {
                "stack": each.stack,
                "outside": [_plain(change) for change in each.outside],
                "unapplied": [_plain(change) for change in each.unapplied],
            }
            for each in drifts
        ],
    }


def _show_details(screen: "Screen", plans: Sequence[StackPlan]) -> None:
    for plan in plans:
        if lines := details(plan):
            screen.line(f"\n{plan.stack}", "bold")
            screen.line("\n".join(lines))


def document(env: str, plans: Sequence[StackPlan], waiting: Sequence[str]) -> dict[str, Any]:
    """Return the plans as JSON data."""
    return {
        "version": VERSION,
        "environment": env,
        "stacks": [
            {
                "stack": plan.stack,
                "counts": plan.counts,
                "risk": worst(plan.changes),
                "changes": [{**_plain(change), "phase": phase_of(plan, change)} for change in plan.changes],
                "stale": plan.stale,
                "outputs": [asdict(output) for output in plan.outputs],
                "drift": [_plain(change) for change in plan.drift],
            }
            for plan in plans
        ],
        "waiting": list(waiting),
    }


def _plain(change: Change) -> dict[str, Any]:
    assessed = risk(change)
    return {**asdict(change), "risk": assessed._asdict() if assessed else None}
