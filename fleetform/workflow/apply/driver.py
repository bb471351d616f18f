"""Takes waves of stacks from plan to apply, side by side. It prints nothing.

A listener shows progress and asks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from fleetform.base.errors import CheckFailedError, FleetformError, ProgramError
from fleetform.base.processes import Output
from fleetform.catalog.models import Environment
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform.commands import Mode
from fleetform.terraform.plan.models import StackPlan
from fleetform.terraform.plan.phases import Arrangement, Phase, is_within
from fleetform.terraform.plan.risks import worst
from fleetform.terraform.plan.summary import FINISHED, Summary
from fleetform.workflow.apply import listener_rules, runs, terraform
from fleetform.workflow.apply.background import Background
from fleetform.workflow.apply.listener import Listener, Proposal
from fleetform.workflow.apply.runs import Recorder, Revision, State
from fleetform.workflow.apply.terraform import OutputsMissingError, Plan
from fleetform.workflow.images import pruning
from fleetform.workflow.workspace import Workspace, suitable_jobs

_Answer = TypeVar("_Answer")
_Work: TypeAlias = Callable[[Stack, Output], tuple[_Answer, str]]
"""Does something to a stack. Returns the answer, and the outcome in words."""


@dataclass(frozen=True)
class RunOptions:
    """How stacks are planned and applied.

    Attributes:
        yes: Do not ask.
        jobs: How many stacks to run at a time; 0 to choose by the machine.
        only: Names of the stacks to include; empty for all.
        resume: `only` has all stacks that the last run did not finish.
        verbose: Show all that Terraform prints.
        color: Terraform prints in color, for a terminal that shows its output.
        wait: Minutes to wait for a state lock.
        delete_images: Services whose images may be deleted with their repositories.
    """

    yes: bool = False
    jobs: int = 0
    only: frozenset[str] = frozenset()
    resume: bool = False
    verbose: bool = False
    color: bool = False
    wait: int = 1
    delete_images: frozenset[str] = frozenset()

    def includes(self, stack: Stack) -> bool:
        """Return whether a stack is included."""
        return not self.only or stack.name in self.only


DEFAULTS = RunOptions()
"""All stacks, and ask."""


class Driver:
    """Takes waves of stacks from plan to apply.

    If a stack fails, the others of its wave continue, and no later wave begins.

    Args:
        workspace: The environment.
        options: The flags.
        listener: Shows progress and asks.
        recorder: Records how far each stack has come; None if nothing is applied.
        checks: Raises if a precondition of any plan or apply fails. It asks AWS while the first plans are
            made.
    """

    def __init__(
        self,
        workspace: Workspace,
        options: RunOptions,
        listener: Listener,
        recorder: Recorder | None = None,
        *,
        checks: Callable[[Workspace], None],
    ) -> None:
        self.workspace = workspace
        self.options = options
        self.listener = listener
        self._recorder = recorder
        self._checked = Background(lambda: checks(workspace))
        self._revision: Revision | None = None
        self._saved: Mapping[Stack, Plan] | None = None
        self._added: dict[Stack, Summary] = {}

    def plan(self, stacks: Sequence[Stack], mode: Mode = Mode.APPLY) -> list[Plan]:
        """Plan stacks. The plans are kept until they are applied or discarded.

        Raises:
            CheckFailedError: A check fails; no plan is kept then.
            ProgramError: A stack cannot be planned; no plan is kept then, either.
        """
        planned, failures = self._plan(stacks, mode, terraform.plan_to_apply)
        with self._discarding_on_error(stacks):
            _require_none("plan", self.workspace.environment, failures)
        return planned

    def plan_foundation(self) -> Plan | None:
        """Plan the foundation, and arrange its changes in phases.

        If they are split, the plan has the additions only.

        Returns:
            The plan; None if plans are saved, and this is not.

        Raises:
            CheckFailedError: A check fails, or there are too many additions beside removals.
            ProgramError: It cannot be planned.
        """
        planned = self.plan([FOUNDATION])
        if self._saved is not None or not planned:
            return next(iter(planned), None)
        with self._discarding_on_error([FOUNDATION]):
            return self.arrange(planned[0])

    def arrange(self, planned: Plan, *, values: bool = False) -> Plan:
        """Arrange the changes of the foundation's plan; plan its additions if they are split.

        Args:
            planned: The whole plan.
            values: Include values that differ, outputs, and changes made outside of Terraform.
        """
        arrangement = terraform.arrange(self.workspace, planned, values=values)
        if not arrangement.is_split:
            return replace(planned, arrangement=arrangement)

        def work(stack: Stack, output: Output) -> tuple[Plan, str]:
            additions = terraform.plan_additions(
                self.workspace, arrangement, stack, output, color=self.options.color
            )
            return additions, f"{additions.summary} before the services"

        plans, failures = self._each([planned.stack], "plan", work)
        _require_none("plan", self.workspace.environment, failures)
        return plans[0]

    def survey(self, stacks: Sequence[Stack], *, to_apply: bool = False) -> tuple[list[Plan], list[str]]:
        """Plan those stacks that can be planned before anything is applied.

        Args:
            stacks: The stacks.
            to_apply: The plans may be applied later.

        Returns:
            Their plans, and the names of the others: these read outputs that the foundation gets when it is
            applied.

        Raises:
            CheckFailedError: A check fails.
            ProgramError: A stack cannot be planned for another reason.
        """
        planned, failures = self._plan(
            stacks, Mode.APPLY, terraform.plan_to_apply if to_apply else terraform.plan
        )
        waiting = {name for name, error in failures.items() if isinstance(error, OutputsMissingError)}
        if any(not plan.stack.reads_foundation and not plan.changes for plan in planned):
            waiting = set()
        others = {name: error for name, error in failures.items() if name not in waiting}
        with self._discarding_on_error(stacks):
            _require_none("plan", self.workspace.environment, others)
        return planned, [stack.name for stack in stacks if stack.name in waiting]

    def _plan(
        self, stacks: Sequence[Stack], mode: Mode, make: Callable[..., Plan]
    ) -> tuple[list[Plan], Mapping[str, FleetformError]]:
        self._revision = runs.current_revision(self.workspace)
        if self._saved is not None:
            self._checked.result()
            return [self._saved[stack] for stack in stacks if stack in self._saved], {}

        def work(stack: Stack, output: Output) -> tuple[Plan, str]:
            self._record(stack, State.PLANNING)
            terraform.init(self.workspace, stack, output)
            planned = make(self.workspace, stack, output, mode=mode, color=self.options.color)
            self._record(stack, State.PLANNED, str(planned.summary), planned.summary.seconds)
            return planned, str(planned.summary)

        with self._discarding_on_error(stacks):
            planned, failures = self._each(stacks, "plan", work)
            self._checked.result()
        return planned, failures

    @contextmanager
    def _discarding_on_error(self, stacks: Sequence[Stack]) -> Iterator[None]:
        """Remove the plans of stacks if anything goes wrong."""
        try:
            yield
        except BaseException:
            for stack in stacks:
                self.workspace.plan(stack).unlink(missing_ok=True)
            raise

    def use_saved(self, plans: Mapping[Stack, Plan]) -> None:
        """Use saved plans instead of new ones. A stack without a saved plan is left as it is."""
        self._saved = plans

    @property
    def uses_saved(self) -> bool:
        """Whether saved plans are used."""
        return self._saved is not None

    def has_plan(self, stack: Stack) -> bool:
        """Whether a stack's plan is saved, if saved plans are used."""
        return self._saved is None or stack in self._saved

    @property
    def revision(self) -> Revision:
        """The revision of the files that the plans were made from."""
        return self._revision or runs.current_revision(self.workspace)

    def apply(self, planned: Sequence[Plan], mode: Mode = Mode.APPLY) -> None:
        """Ask for approval, and apply exactly these plans.

        Raises:
            CheckFailedError: The files or the commit have changed since the plans were made.
            InputError: The user declines.
            ProgramError: A stack fails; the others have ended.
        """
        changing = [plan for plan in planned if plan.changes]
        for plan in planned:
            if not plan.changes:
                plan.discard()
                self._record(plan.stack, State.UNCHANGED, "no changes", plan.summary.seconds)
        if not changing:
            return
        try:
            self._approve(changing, mode)
        except BaseException:
            for plan in changing:
                plan.discard()
            raise
        is_split = any(plan.is_split for plan in changing)
        self._apply(changing, "destroy" if mode == Mode.DESTROY else Phase.ADD if is_split else "apply")

    def remove(self, approved: StackPlan) -> None:
        """Plan the foundation again, and apply what is left of what was approved.

        If there is anything else, ask again.

        Raises:
            CheckFailedError: There is anything else than what was saved and reviewed.
            InputError: The user declines.
            ProgramError: It fails.
        """
        uses_saved, self._saved = self.uses_saved, None
        planned = self.plan([FOUNDATION])[0]
        if not planned.changes:
            planned.discard()
            self._record(FOUNDATION, State.APPLIED, self._total(FOUNDATION, Summary()).outcome)
            return
        with self._discarding_on_error([FOUNDATION]):
            changes = terraform.read_changes(self.workspace, planned)
            if not is_within(changes.changes, approved):
                if uses_saved:
                    raise CheckFailedError(
                        f"{FOUNDATION.name}: more is left to do than what was saved; its removals were not"
                        " applied: plan again"
                    )
                later = tuple(change.address for change in changes.changes)
                arrangement = Arrangement(replace(changes, later=later), planned.summary, goes_last=True)
                planned = replace(planned, arrangement=arrangement)
                self._approve([planned], Mode.APPLY)
            else:
                self._require_revision()
                self._delete_images(self._images_to_delete([changes]))
        self._apply([planned], Phase.REMOVE)

    def _approve(self, changing: Sequence[Plan], mode: Mode) -> None:
        """Get approval for plans, and delete images whose repositories they delete."""
        changes = [
            plan.arrangement.changes if plan.arrangement else terraform.read_changes(self.workspace, plan)
            for plan in changing
        ]
        images = self._images_to_delete(changes)
        if mode == Mode.APPLY:
            pruning.require_named(self.workspace, images, self.options.delete_images)
        risk = worst(change for plan in changes for change in plan.changes)
        self.listener.approve(Proposal(changing, changes, images, risk, mode, self.uses_saved))
        self._require_revision()
        if any(plan.is_split for plan in changing):
            images = self._images_to_delete(
                [terraform.read_changes(self.workspace, plan) for plan in changing]
            )
        self._delete_images(images)

    def _require_revision(self) -> None:
        """Require the files that the plans were made from."""
        if self._revision != runs.current_revision(self.workspace):
            raise CheckFailedError(
                f"the files of {self.workspace.environment.name}, or the commit, have changed since the"
                " plan was made;"
                " nothing was applied: plan again"
            )

    def _delete_images(self, images: Mapping[str, int]) -> None:
        if images:
            pruning.delete_images(self.workspace, images)
            for repository, count in images.items():
                self.listener.notice(f"{repository}: {count} {'image' if count == 1 else 'images'} deleted")

    def _apply(self, changing: Sequence[Plan], act: str) -> None:
        plans = {plan.stack: plan for plan in changing}

        def work(stack: Stack, output: Output) -> tuple[None, str]:
            self._record(stack, State.APPLYING, str(plans[stack].summary))
            counts: Counter[str] = Counter()

            def watch(line: str) -> None:
                if finished := FINISHED.search(line):
                    counts[finished[1]] += 1
                    self._record(stack, State.APPLYING, _so_far(counts))
                output(line)

            try:
                summary = terraform.apply(self.workspace, plans[stack], watch, color=self.options.color)
            except KeyboardInterrupt:
                self._record(stack, State.INTERRUPTED, _so_far(counts))
                raise
            total = self._total(stack, summary)
            if plans[stack].is_split:
                self._added[stack] = total
            state = State.ADDED if plans[stack].is_split else State.APPLIED
            self._record(stack, state, total.outcome, total.seconds)
            return None, summary.outcome

        try:
            listener_rules.make_room(self.workspace, changing)
            _, failures = self._each([*plans], act, work)
        finally:
            for plan in changing:
                plan.discard()
        _require_none(act, self.workspace.environment, failures)

    def _each(
        self, stacks: Sequence[Stack], act: str, work: _Work[_Answer]
    ) -> tuple[list[_Answer], Mapping[str, FleetformError]]:
        """Do something to each stack, several at a time."""

        def attempt(stack: Stack) -> _Answer:
            self.listener.begin(stack.name, act)
            try:
                answer, outcome = work(stack, lambda line: self.listener.progress(stack.name, line))
            except FleetformError as error:
                self._record(stack, State.FAILED, error=str(error).partition("\n")[0])
                waits = isinstance(error, OutputsMissingError)
                self.listener.end(
                    stack.name, f"waits for {FOUNDATION.name}" if waits else "failed", succeeded=False
                )
                raise
            except KeyboardInterrupt:
                self._record_interrupt(stack)
                self.listener.end(stack.name, "interrupted", succeeded=False)
                raise
            self.listener.end(stack.name, outcome)
            return answer

        processes = self.workspace.processes
        with (
            self.listener.wave([stack.name for stack in stacks]),
            processes.reporting(self.listener.interrupted),
        ):
            futures = processes.at_once(self._jobs(stacks), attempt, stacks)
        errors = {stack.name: future.exception() for stack, future in zip(stacks, futures, strict=True)}
        for name, error in errors.items():
            if error and not isinstance(error, FleetformError):
                raise error
            if isinstance(error, ProgramError) and not isinstance(error, OutputsMissingError):
                self.listener.failed(name, error)
        answers = [future.result() for future in futures if future.exception() is None]
        return answers, {name: error for name, error in errors.items() if isinstance(error, FleetformError)}

    def _jobs(self, stacks: Sequence[Stack]) -> int:
        return self.options.jobs or suitable_jobs(self.workspace.environment, stacks)

    def _record(
        self, stack: Stack, state: State, counts: str = "", seconds: float = 0.0, error: str = ""
    ) -> None:
        if self._recorder:
            self._recorder.note(stack.name, state, counts, seconds, error)

    def _record_interrupt(self, stack: Stack) -> None:
        """Record an interrupt, unless the apply has recorded it with what it did until then."""
        if self._recorder and self._recorder.stacks[stack.name].state != State.INTERRUPTED:
            self._recorder.note(stack.name, State.INTERRUPTED)

    def _total(self, stack: Stack, summary: Summary) -> Summary:
        """Return what was done to a stack in this run, its additions included."""
        return self._added[stack] + summary if stack in self._added else summary

    def _images_to_delete(self, changes: Iterable[StackPlan]) -> dict[str, int]:
        """Return how many images are in each repository that a plan destroys."""
        images: dict[str, int] = {}
        for plan in changes:
            if plan.stack == FOUNDATION.name:
                images |= pruning.images_to_delete(self.workspace, plan.changes)
        return images


def _so_far(counts: Mapping[str, int]) -> str:
    """Return such as ``12 created, 1 destroyed``."""
    words = {"Creation": "created", "Modifications": "changed", "Destruction": "destroyed"}
    return ", ".join(f"{counts[word]} {done}" for word, done in words.items() if counts.get(word))


def _require_none(act: str, environment: Environment, failures: Mapping[str, FleetformError]) -> None:
    """Raise a single failure as it is, and several as one error."""
    if not failures:
        return
    if len(failures) == 1:
        raise next(iter(failures.values()))
    lines = "\n".join(f"{name}: {error}" for name, error in failures.items())
    raise ProgramError(f"{environment.name}: {act} failed in {len(failures)} stacks\n{lines}")
