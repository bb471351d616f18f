"""Shows a run of Terraform on several stacks, and asks before plans are applied."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

from rich.console import Console

from fleetform.base.errors import ProgramError
from fleetform.base.processes import report_interrupt
from fleetform.catalog.models import Environment
from fleetform.cli import plans
from fleetform.cli.printing import agree, confirm, count_images, write, write_line
from fleetform.cli.screen import Board, Screen
from fleetform.stacks import Stack, stacks
from fleetform.terraform.commands import Mode
from fleetform.terraform.plain_text import unboxed
from fleetform.terraform.plan.risks import Level
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.apply.listener import Proposal
from fleetform.workflow.apply.runs import StackRun, State
from fleetform.workflow.apply.terraform import Plan

_ERROR_LINES = 40
_OUTCOMES = {State.APPLIED: "applied", State.ADDED: "additions applied", State.WAITING: "not reached"}
_TIMED = frozenset({State.APPLIED, State.ADDED, State.UNCHANGED})
_STYLES: Mapping[str, str] = {
    "applied": "green",
    "destroyed": "green",
    "additions applied": "yellow",
    State.FAILED: "bold red",
    State.INTERRUPTED: "yellow",
}


class Progress:
    """Shows a run on a terminal or in a log.

    Args:
        environment: The environment.
        options: The flags.
        quiet: Standard output is for a document: progress goes to standard error, if that is a terminal.
    """

    def __init__(self, environment: Environment, options: RunOptions, *, quiet: bool = False) -> None:
        self._environment = environment
        self._options = options
        self._console = (
            Console(stderr=True, highlight=False, quiet=not sys.stderr.isatty())
            if quiet
            else Console(highlight=False)
        )
        self._width = max(len(stack.name) for stack in stacks(environment))
        self._view: Board | Stream = Stream(())

    @contextmanager
    def wave(self, names: Sequence[str]) -> Iterator[None]:
        """Show a board, or with `--verbose` all output."""
        self._view = Stream(names) if self._options.verbose else Board(names, self._console, self._width)
        with self._view:
            yield

    def begin(self, name: str, act: str) -> None:
        """Show that an act begins."""
        self._view.begin(name, act)

    def progress(self, name: str, line: str) -> None:
        """Show a line of a program's output."""
        self._view.progress(name, line)

    def end(self, name: str, outcome: str, *, succeeded: bool = True) -> None:
        """Show that the act has ended."""
        self._view.end(name, outcome, succeeded=succeeded)

    def interrupted(self, count: int) -> None:
        """Show what an interrupt does."""
        self._view.interrupted(count)

    def failed(self, name: str, error: ProgramError) -> None:
        """Show Terraform's errors, without the rest of its output."""
        if self._options.verbose or not error.output:
            return
        lines = [line.strip() for line in unboxed(error.output).splitlines()]
        start = next((number for number, line in enumerate(lines) if line.startswith("Error: ")), 0)
        text = "\n".join(f"  {line}".rstrip() for line in lines[start:][:_ERROR_LINES])
        Screen(self._console).line(f"\n{name}:\n{text}\n")

    def notice(self, text: str) -> None:
        """Show a notice."""
        Screen(self._console).line(text)

    def approve(self, proposal: Proposal) -> None:
        """Show plans that are risky, several or saved, and ask."""
        is_phased = any(plan.is_split for plan in proposal.plans)
        if proposal.risk or len(proposal.changes) > 1 or proposal.is_saved or is_phased:
            plans.show(Screen(), proposal.changes, with_details=False)
        if self._options.yes or self._environment.emulator:
            return
        count = sum(proposal.images_to_delete.values())
        also = f", and {count_images(count)} to delete" if count else ""
        subject = f"{_subject(self._environment, proposal.plans)}{also}"
        if self._environment.protection or proposal.mode == Mode.DESTROY or proposal.risk == Level.HIGH:
            confirm(subject, self._environment.name)
        else:
            agree(subject)

    def approve_tasks(self, stack: Stack, names: Sequence[str]) -> None:
        """Ask before one-off tasks run."""
        if not (self._options.yes or self._environment.emulator):
            where = f"{self._environment.name} {stack.name} in account {self._environment.account}"
            confirm(f"{where}: to run {', '.join(names)}", self._environment.name)


class Stream:
    """Prints all output of programs. If several run side by side, each line begins with its stack.

    Args:
        names: The stacks.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._several = len(names) > 1
        self._started: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave everything as it is."""

    def begin(self, name: str, act: str) -> None:
        """Show that an act begins."""
        self._started[name] = time.monotonic()
        write_line(f"\n── {name}: {act}")

    def progress(self, name: str, line: str) -> None:
        """Show a line of output."""
        write_line(f"{name}: {line}" if self._several else line)

    def end(self, name: str, outcome: str, *, succeeded: bool = True) -> None:
        """Show that the act has ended."""
        mark = "" if succeeded else "failed: " if outcome != "failed" else ""
        write_line(f"{name}: {mark}{outcome} ({time.monotonic() - self._started[name]:.0f} s)")

    def interrupted(self, count: int) -> None:
        """Show what an interrupt does."""
        report_interrupt("Terraform", count)


def show_outcome(screen: Screen, task: str, stacks: Mapping[str, StackRun]) -> None:
    """Print a table of all stacks after an apply or a destroy."""
    rows = [_row(task, name, stack) for name, stack in stacks.items()]
    screen.line("")
    screen.table(("stack", "outcome", "resources", "time"), rows, right=("time",), styles=_STYLES)


def _row(task: str, name: str, stack: StackRun) -> tuple[str, str, str, str]:
    outcome: str = _OUTCOMES.get(stack.state, stack.state)
    if task == "destroy" and stack.state == State.APPLIED:
        outcome = "destroyed"
    time_taken = f"{stack.seconds:.0f} s" if stack.state in _TIMED else ""
    return name, outcome, stack.error or stack.counts or "-", time_taken


def _subject(environment: Environment, changing: Sequence[Plan]) -> str:
    """Return the subject of a question: the environment, the account, and the counts of each stack's plan."""
    if len(changing) == 1:
        return (
            f"{environment.name} {changing[0].stack.name} in account {environment.account}:"
            f" {changing[0].shown}"
        )
    each = "; ".join(f"{plan.stack.name} {plan.shown}" for plan in changing)
    return f"{environment.name} in account {environment.account}: {each}"


def next_command(text: str) -> None:
    """Print which command to run next."""
    write(f"\nnext: {text}\n")
