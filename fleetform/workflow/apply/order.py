"""Applies and destroys stacks in order: in waves, with one-off tasks between them."""

from collections.abc import Callable, Sequence

from fleetform.aws.one_off import OneOffTask
from fleetform.base.errors import InputError
from fleetform.base.program_name import command
from fleetform.stacks import FOUNDATION, Stack, waves
from fleetform.terraform.commands import Mode
from fleetform.terraform.plan.phases import Arrangement
from fleetform.workflow.apply import one_off_tasks, runs, states
from fleetform.workflow.apply.driver import Driver, RunOptions
from fleetform.workflow.apply.runs import State
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.workspace import Workspace


def is_applied(workspace: Workspace) -> bool:
    """Return whether any stack of an environment is applied."""
    return any(states.has_state(workspace, stack) for stack in (*workspace.stacks, *workspace.emptied))


def emptied_and_applied(workspace: Workspace) -> list[Stack]:
    """Return the stacks that all services have left and that are still applied. They go first.

    They only destroy.
    """
    return [stack for stack in workspace.emptied if states.has_state(workspace, stack)]


def plannable(workspace: Workspace, options: RunOptions) -> tuple[list[Stack], list[str]]:
    """Return the selected stacks that can be planned, and the names of those that cannot yet."""
    selected = [
        stack for stack in (*emptied_and_applied(workspace), *workspace.stacks) if options.includes(stack)
    ]
    if not any(stack.reads_foundation for stack in selected) or states.has_state(workspace, FOUNDATION):
        return selected, []
    ready = [stack for stack in selected if not stack.reads_foundation or stack in workspace.emptied]
    return ready, [stack.name for stack in selected if stack not in ready]


def unfinished(workspace: Workspace) -> frozenset[str]:
    """Return the names of the stacks that the last apply did not finish.

    Raises:
        InputError: There was no apply, it finished all stacks, or what it applied is not what is here now.
    """
    name = workspace.environment.name
    last = next(reversed(runs.read_runs(workspace.work)), None)
    if last is None or last.task != "apply":
        raise InputError(f"--resume: no recorded apply of {name} in this checkout; apply without --resume")
    if last.state == State.DONE or not last.unsettled:
        raise InputError(f"--resume: the last apply of {name} finished all stacks; apply without --resume")
    if last.revision != runs.current_revision(workspace):
        raise InputError(
            f"--resume: the files of {name}, or the commit, have changed since the last apply; apply"
            " without --resume,"
            " which plans all stacks"
        )
    return frozenset(last.unsettled)


def apply_waves(driver: Driver, prepare_dependents: Callable[[], None]) -> None:
    """Apply the stacks of an environment, in waves of those that do not wait for each other.

    Dependents come after what they depend on. If that only loses resources, they go first: AWS does not
    delete what is in use, and a caller should stop calling before its access is closed. If it gains and
    loses, its additions go before them and its removals after them. Stacks that all services have left go
    first. One-off tasks run before the stacks of services are planned.

    Args:
        driver: Plans and applies.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
    """
    _Apply(driver, prepare_dependents).run()


def destroy_waves(driver: Driver) -> None:
    """Destroy every stack that has a state, dependents first."""
    workspace = driver.workspace
    for wave in reversed(waves((*workspace.emptied, *workspace.stacks))):
        applied = [stack for stack in wave if states.has_state(workspace, stack)]
        if applied:
            driver.apply(driver.plan(applied, Mode.DESTROY), Mode.DESTROY)


class _Apply:
    """An apply of an environment; see `apply_waves`."""

    def __init__(self, driver: Driver, prepare_dependents: Callable[[], None]) -> None:
        self._driver = driver
        self._workspace = driver.workspace
        self._prepare = prepare_dependents
        self._dependents = [stack for stack in self._workspace.stacks if stack.reads_foundation]

    def run(self) -> None:
        self._wave(emptied_and_applied(self._workspace))
        if not self._driver.options.includes(FOUNDATION):
            self._prepare()
            self._apply_dependents()
            return
        foundation = self._driver.plan_foundation()
        if foundation and foundation.arrangement and foundation.is_split:
            self._split(foundation, foundation.arrangement)
        elif foundation and self._may_go_last(foundation):
            self._foundation_last(foundation)
        else:
            self._driver.apply([foundation] if foundation else [])
            self._prepare()
            self._apply_dependents()

    def _split(self, additions: Plan, arrangement: Arrangement) -> None:
        """Apply additions, then the services, then removals."""
        count = len(arrangement.changes.later)
        what = f"{count} {'removal' if count == 1 else 'removals'}"
        if additions.changes:
            self._driver.apply([additions])
        else:
            additions.discard()
        self._prepare()
        self._apply_dependents()
        if missing := self._omitted_dependents():
            self._driver.listener.notice(
                f"{FOUNDATION.name}: {what} left, until {', '.join(missing)} no longer use them;"
                f" `{command('apply', env=self._workspace.environment.name)}` applies the rest"
            )
            return
        self._driver.remove(arrangement.changes)

    def _foundation_last(self, foundation: Plan) -> None:
        """Apply the services, and then the foundation, which only loses resources."""
        self._driver.listener.notice(
            f"{FOUNDATION.name} only loses resources; stacks that may still use them go first"
        )
        if not self._driver.uses_saved:
            foundation.discard()
        self._prepare()
        self._apply_dependents()
        if self._driver.uses_saved:
            if missing := self._omitted_dependents():
                self._driver.listener.notice(
                    f"{FOUNDATION.name}: not applied, until {', '.join(missing)} no longer use what it loses"
                )
                return
            self._driver.apply([foundation])
            return
        self._driver.apply(self._driver.plan([FOUNDATION]))
        self._apply_dependents()

    def _may_go_last(self, foundation: Plan) -> bool:
        """Return whether the dependents may go first."""
        return foundation.goes_last and all(
            states.has_state(self._workspace, stack) for stack in self._dependents
        )

    def _omitted_dependents(self) -> list[str]:
        """Return the stacks of services that this run does not apply, and no earlier run that it resumes."""
        options = self._driver.options
        return [
            stack.name
            for stack in self._dependents
            if not ((options.includes(stack) or options.resume) and self._driver.has_plan(stack))
        ]

    def _apply_dependents(self) -> None:
        for wave in waves(stack for stack in self._dependents if self._driver.options.includes(stack)):
            self._wave(wave)
            for stack in wave:
                if stack.tasks:
                    _run_tasks(self._driver, stack)

    def _wave(self, stacks: Sequence[Stack]) -> None:
        selected = [stack for stack in stacks if self._driver.options.includes(stack)]
        if selected:
            self._driver.apply(self._driver.plan(selected))


def _run_tasks(driver: Driver, stack: Stack) -> None:
    """Run a stack's one-off tasks. A task that fails ends the apply."""
    due = one_off_tasks.due(driver.workspace, stack)
    for name in sorted({*stack.tasks} - {task.name for task in due}):
        driver.listener.notice(f"{name}: already succeeded")
    if due:
        driver.listener.approve_tasks(stack, [task.name for task in due])
    for task in due:
        with driver.listener.wave([task.name]):
            _run_task(driver, task)


def _run_task(driver: Driver, task: OneOffTask) -> None:
    driver.listener.begin(task.name, "run")
    try:
        one_off_tasks.run(driver.workspace, task, lambda state: driver.listener.progress(task.name, state))
    except BaseException:
        driver.listener.end(task.name, "failed", succeeded=False)
        raise
    driver.listener.end(task.name, "succeeded")
