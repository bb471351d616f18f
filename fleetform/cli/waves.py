"""Waves of stacks: planned side by side, shown together, asked about once, and applied side by side."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeAlias, TypeVar

from rich.console import Console

from fleetform.base.errors import CheckFailedError, FleetformError, ProgramError
from fleetform.base.processes import Output
from fleetform.catalog.models import Environment
from fleetform.cli import plans
from fleetform.cli.printing import agree, color, confirm, count_images, write, write_line
from fleetform.cli.screen import Board, Screen
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform.commands import Mode
from fleetform.terraform.plan.risks import Level, worst
from fleetform.workflow.apply import runs, terraform
from fleetform.workflow.apply.background import Background
from fleetform.workflow.apply.runs import Moment, Recorder, State
from fleetform.workflow.apply.terraform import OutputsMissingError, Plan
from fleetform.workflow.images import pruning
from fleetform.workflow.workspace import Workspace, suitable_jobs

_Answer = TypeVar("_Answer")
_Work: TypeAlias = Callable[[Stack, Output], tuple[_Answer, str]]
"""Does something to a stack: gives the answer, and what came of it in words."""


@dataclass(frozen=True)
class Driving:
    """How stacks are planned and applied.

    Attributes:
        yes: Do not ask.
        jobs: How many stacks at a time; 0 for as many as suit the machine.
        only: The stacks that are wanted; none for all.
        quiet: Nothing of Terraform's own output is shown; it is in the logs.
        wait: Minutes that a state which another run has locked is waited for.
    """

    yes: bool = False
    jobs: int = 0
    only: frozenset[str] = frozenset()
    quiet: bool = False
    wait: int = 1

    def wants(self, stack: Stack) -> bool:
        """Whether a stack is wanted."""
        return not self.only or stack.name in self.only


AS_IT_IS = Driving()
"""All stacks, and ask."""


class Drive:
    """Takes waves of stacks from plan to apply.

    Where one fails, the others of its wave go on to their end, and no later wave begins.

    Args:
        workspace: The environment.
        how: What the flags say.
        recorder: Notes how far each stack has come; None where nothing is applied.
        checks: What has to hold before any plan is told or applied. It asks AWS while the first plans are made.
    """

    def __init__(
        self,
        workspace: Workspace,
        how: Driving,
        recorder: Recorder | None = None,
        *,
        checks: Callable[[Workspace], None],
    ) -> None:
        self.workspace = workspace
        self.how = how
        self._recorder = recorder
        self._checked = Background(lambda: checks(workspace))
        self._moment: Moment | None = None
        self._saved: Mapping[Stack, Plan] | None = None

    def plan(self, stacks: Sequence[Stack], mode: Mode = Mode.APPLY) -> list[Plan]:
        """Plans stacks; the plans are kept until they are applied or discarded.

        Raises:
            CheckFailedError: A check says no; none is kept then.
            ProgramError: One cannot be planned; none is kept then, either.
        """
        made, failures = self._plan(stacks, mode, terraform.plan_to_apply)
        with self._keeping_none_of(stacks):
            _require_none("plan", self.workspace.environment, failures)
        return made

    def survey(self, stacks: Sequence[Stack], *, to_apply: bool = False) -> tuple[list[Plan], list[str]]:
        """Plans those stacks that can be planned before anything is applied.

        Args:
            stacks: Which.
            to_apply: The plans may be applied later.

        Returns:
            Their plans, and the names of the others: these read outputs that the foundation gets when it is applied.

        Raises:
            CheckFailedError: A check says no.
            ProgramError: One cannot be planned for another reason.
        """
        made, failures = self._plan(stacks, Mode.APPLY, terraform.plan_to_apply if to_apply else terraform.plan)
        waiting = {name for name, error in failures.items() if isinstance(error, OutputsMissingError)}
        if any(plan.stack == FOUNDATION and not plan.changes for plan in made):
            waiting = set()
        others = {name: error for name, error in failures.items() if name not in waiting}
        with self._keeping_none_of(stacks):
            _require_none("plan", self.workspace.environment, others)
        return made, [stack.name for stack in stacks if stack.name in waiting]

    def _plan(
        self, stacks: Sequence[Stack], mode: Mode, make: Callable[..., Plan]
    ) -> tuple[list[Plan], Mapping[str, FleetformError]]:
        self._moment = runs.moment(self.workspace)
        if self._saved is not None:
            self._checked.result()
            return [self._saved[stack] for stack in stacks if stack in self._saved], {}
        colors = self._colors(stacks)

        def work(stack: Stack, output: Output) -> tuple[Plan, str]:
            self._note(stack, State.PLANNING)
            terraform.init(self.workspace, stack)
            planned = make(self.workspace, stack, output, mode=mode, color=colors)
            self._note(stack, State.PLANNED, str(planned.summary), planned.summary.seconds)
            return planned, str(planned.summary)

        with self._keeping_none_of(stacks):
            planned = self._each(stacks, "plan", work)
            self._checked.result()
        return planned

    @contextmanager
    def _keeping_none_of(self, stacks: Sequence[Stack]) -> Iterator[None]:
        """Removes the plans of stacks if anything goes wrong."""
        try:
            yield
        except BaseException:
            for stack in stacks:
                self.workspace.plan(stack).unlink(missing_ok=True)
            raise

    def take(self, saved: Mapping[Stack, Plan]) -> None:
        """Has plans that are kept stand for those that would be made; what has none is left as it is."""
        self._saved = saved

    @property
    def is_new(self) -> bool:
        """Whether plans are made, and not those that are kept."""
        return self._saved is None

    @property
    def moment(self) -> Moment:
        """What the plans were made of."""
        return self._moment or runs.moment(self.workspace)

    def carry_out(self, planned: Sequence[Plan], mode: Mode = Mode.APPLY) -> None:
        """Shows plans, asks, and applies just these.

        Raises:
            CheckFailedError: What they were made of has changed meanwhile.
            InputError: Nobody agrees.
            ProgramError: One fails; the others have come to their end.
        """
        changing = [each for each in planned if each.changes]
        for each in planned:
            if not each.changes:
                each.discard()
                self._note(each.stack, State.UNCHANGED, "no changes", each.summary.seconds)
                write(f"{each.stack.name}: no changes ({each.summary.seconds:.0f} s)\n")
        if not changing:
            return
        try:
            self._agree(changing, mode)
        except BaseException:
            for each in changing:
                each.discard()
            raise
        self._apply(changing)

    def _agree(self, changing: Sequence[Plan], mode: Mode) -> None:
        """Has somebody agree to plans, and deletes the images that have to go before their repositories."""
        doomed = self._doomed_images(changing)
        told = [terraform.told(self.workspace, each) for each in changing]
        level = worst(change for each in told for change in each.changes)
        if level or len(told) > 1 or self._saved:
            plans.show(Screen(), told, with_details=False)
        environment = self.workspace.environment
        if not (self.how.yes or environment.emulator):
            also = f", and {count_images(sum(doomed.values()))} to delete" if doomed else ""
            what = f"{_subject(environment, changing)}{also}"
            if environment.protection or mode == Mode.DESTROY or level == Level.HIGH:
                confirm(what, environment.name)
            else:
                agree(what)
        if self._moment != runs.moment(self.workspace):
            raise CheckFailedError(
                f"the files of {environment.name}, or the commit, have changed since the plan was made; nothing was"
                " applied: plan again"
            )
        if doomed:
            self._delete_images(doomed)

    def _apply(self, changing: Sequence[Plan]) -> None:
        by_stack = {each.stack: each for each in changing}

        def work(stack: Stack, output: Output) -> tuple[None, str]:
            self._note(stack, State.APPLYING, str(by_stack[stack].summary))
            done = terraform.apply(self.workspace, by_stack[stack], output, color=self._colors([*by_stack]))
            self._note(stack, State.APPLIED, done.outcome, done.seconds)
            return None, done.outcome

        try:
            _, failures = self._each([*by_stack], "apply", work)
        finally:
            for each in changing:
                each.discard()
        _require_none("apply", self.workspace.environment, failures)

    def _each(
        self, stacks: Sequence[Stack], what: str, work: _Work[_Answer]
    ) -> tuple[list[_Answer], Mapping[str, FleetformError]]:
        """Does something to each stack: one after the other with all that Terraform prints, or side by side."""

        def attempt(stack: Stack) -> _Answer:
            show.begins(stack.name, what)
            try:
                answer, note = work(stack, lambda line: show.moves(stack.name, line))
            except FleetformError as error:
                self._note(stack, State.FAILED, error=str(error).partition("\n")[0])
                waits = isinstance(error, OutputsMissingError)
                show.ends(stack.name, f"waits for {FOUNDATION.name}" if waits else "failed", well=False)
                raise
            except KeyboardInterrupt:
                self._note(stack, State.INTERRUPTED)
                show.ends(stack.name, "interrupted", well=False)
                raise
            show.ends(stack.name, note)
            return answer

        beside = self._are_beside(stacks)
        with self._show(stacks, beside=beside) as show:
            futures = self.workspace.processes.at_once(self._jobs(stacks) if beside else 1, attempt, stacks)
        errors = {stack.name: future.exception() for stack, future in zip(stacks, futures, strict=True)}
        for error in errors.values():
            if error and not isinstance(error, FleetformError):
                raise error
        answers = [future.result() for future in futures if future.exception() is None]
        return answers, {name: error for name, error in errors.items() if isinstance(error, FleetformError)}

    def _show(self, stacks: Sequence[Stack], *, beside: bool) -> "Stream | Board":
        if not beside:
            return Stream(self.workspace.environment.name)

        # What is printed may be a document.
        quiet = Console(stderr=True, highlight=False, quiet=not sys.stderr.isatty()) if self.how.quiet else None
        return Board([stack.name for stack in stacks], quiet)

    def _are_beside(self, stacks: Sequence[Stack]) -> bool:
        return self.how.quiet or (len(stacks) > 1 and self._jobs(stacks) > 1)

    def _colors(self, stacks: Sequence[Stack]) -> bool:
        return not self._are_beside(stacks) and color(sys.stdout)

    def _jobs(self, stacks: Sequence[Stack]) -> int:
        return self.how.jobs or suitable_jobs(self.workspace.environment, stacks)

    def _note(self, stack: Stack, state: State, counts: str = "", seconds: float = 0.0, error: str = "") -> None:
        if self._recorder:
            self._recorder.note(stack.name, state, counts, seconds, error)

    def _doomed_images(self, changing: Sequence[Plan]) -> dict[str, int]:
        """How many images are in each repository that a plan destroys: ECR deletes none that holds any."""
        found: dict[str, int] = {}
        for planned in changing:
            if planned.stack == FOUNDATION:
                found |= pruning.images_to_delete(self.workspace, planned)
        return found

    def _delete_images(self, repositories: Mapping[str, int]) -> None:
        pruning.delete_images(self.workspace, repositories)
        write("".join(f"{repository}: {count_images(count)} deleted\n" for repository, count in repositories.items()))


class Stream:
    """All that Terraform prints, one stack after the other.

    Args:
        env: The environment's name.
    """

    def __init__(self, env: str) -> None:
        self._env = env
        self._begun: dict[str, tuple[str, float]] = {}

    def __enter__(self) -> Self:
        """Shows nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Has nothing to clear away."""

    def begins(self, name: str, what: str) -> None:
        """Something begins, such as ``plan``."""
        self._begun[name] = what, time.monotonic()
        write_line(f"\n── {self._env} {name}: {what}")

    def moves(self, _name: str, line: str) -> None:
        """It has said something."""
        write_line(line)

    def ends(self, name: str, note: str, *, well: bool = True) -> None:
        """It has ended; what a plan comes to is told with the others."""
        what, started = self._begun[name]
        if well and what == "apply":
            write_line(f"{name}: {note} ({time.monotonic() - started:.0f} s)")


def _subject(environment: Environment, changing: Sequence[Plan]) -> str:
    """What is asked about: the environment, the account, and what each stack's plan comes to."""
    if len(changing) == 1:
        return f"{environment.name} {changing[0].stack.name} in account {environment.account}: {changing[0].summary}"
    each = "; ".join(f"{planned.stack.name} {planned.summary}" for planned in changing)
    return f"{environment.name} in account {environment.account}: {each}"


def _require_none(what: str, environment: Environment, failures: Mapping[str, FleetformError]) -> None:
    """Raises failures as one, and the only one as it is."""
    if not failures:
        return
    if len(failures) == 1:
        raise next(iter(failures.values()))
    told = "\n".join(f"{name}: {error}" for name, error in failures.items())
    raise ProgramError(f"{environment.name}: {what} failed in {len(failures)} stacks\n{told}")
