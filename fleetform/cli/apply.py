"""An apply of an environment: its waves, one-off tasks between them, and what an earlier run has left."""

import time
from collections.abc import Callable, Sequence

from fleetform.base.errors import InputError
from fleetform.base.program_name import command
from fleetform.cli.preflight import require_settled
from fleetform.cli.printing import confirm, write, write_line
from fleetform.cli.waves import Drive, Driving
from fleetform.stacks import FOUNDATION, Stack
from fleetform.workflow.apply import one_off_tasks, runs, saved_plans, states
from fleetform.workflow.apply.runs import State
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.images.registry import require_images
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace


def apply_kept(project: Project, workspace: Workspace, how: Driving) -> None:
    """Applies the plans that are kept; they are used up then, whatever comes of them."""
    plans_kept = saved_plans.load(workspace)
    with runs.recorded(workspace, "apply") as recorder:
        drive = Drive(workspace, how, recorder, checks=require_settled)
        drive.take(plans_kept)
        try:
            _Apply(drive, lambda: require_images(project, workspace.environment)).run()
        finally:
            saved_plans.discard(workspace)
    if left := [stack.name for stack in workspace.stacks if stack not in plans_kept and how.wants(stack)]:
        name = workspace.environment.name
        write(f"{', '.join(left)}: no plan was kept; `{command('plan', env=name)}` shows what is left\n")


def unsettled(workspace: Workspace) -> frozenset[str]:
    """The stacks that the last run has left something to do to.

    Raises:
        InputError: There was no run, it left nothing, or what it applied is not what is here now.
    """
    name = workspace.environment.name
    last = next(reversed(runs.runs(workspace.work)), None)
    if last is None or last.task != "apply":
        raise InputError(f"--resume: no apply of {name} is known here; leave it out")
    if last.state == State.DONE or not last.unsettled:
        raise InputError(f"--resume: the last apply of {name} has left nothing; leave it out")
    if last.moment != runs.moment(workspace):
        raise InputError(
            f"--resume: the files of {name}, or the commit, are not those of the last apply; leave it out, so that all"
            " stacks are planned"
        )
    return frozenset(last.unsettled)


def apply_stacks(workspace: Workspace, prepare_dependents: Callable[[], None], how: Driving) -> None:
    """Applies the stacks of an environment, in waves of those that do not wait for each other.

    Dependents come after what they depend on. If that only loses something, they go first: AWS does not delete what is
    in use, and a caller should stop calling before its way is closed. So do stacks that all services have left.
    Tasks that run before services are run before the services' stacks are planned.

    Args:
        workspace: The environment.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
        how: What the flags say.
    """
    with runs.recorded(workspace, "apply") as recorder:
        _Apply(Drive(workspace, how, recorder, checks=require_settled), prepare_dependents).run()
    for stack in workspace.emptied:
        folder = f"envs/{workspace.environment.name}/{stack.name}"
        write(f"{stack.name}: nothing is left of it; delete its folder: git rm -r {folder}\n")


class _Apply:
    """An apply of an environment.

    Args:
        drive: Plans and applies.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
    """

    def __init__(self, drive: Drive, prepare_dependents: Callable[[], None]) -> None:
        self._drive = drive
        self._workspace = drive.workspace
        self._prepare = prepare_dependents

    def run(self) -> None:
        self._wave(left(self._workspace))
        if not self._drive.how.wants(FOUNDATION):
            self._prepare()
            self._dependents()
            return
        planned = self._drive.plan([FOUNDATION])
        if planned and self._may_go_last(planned[0]):
            write(f"\n{FOUNDATION.name} only loses resources: what may still use them goes first\n")
            if self._drive.is_new:
                planned[0].discard()
            self._prepare()
            self._dependents()
            self._drive.carry_out(self._drive.plan([FOUNDATION]))
            if not self._drive.is_new:
                return
        else:
            self._drive.carry_out(planned)
            self._prepare()
        self._dependents()

    def _may_go_last(self, foundation: Plan) -> bool:
        """Whether the dependents may go first."""
        dependents = self._workspace.stacks[1:]
        return foundation.summary.only_destroys and all(
            states.has_state(self._workspace, stack) for stack in dependents
        )

    def _dependents(self) -> None:
        wanted = [stack for stack in self._workspace.stacks[1:] if self._drive.how.wants(stack)]
        for stack in wanted:
            if stack.tasks:
                self._wave([stack])
                _run_tasks(self._workspace, stack, yes=self._drive.how.yes)
        self._wave([stack for stack in wanted if not stack.tasks])

    def _wave(self, stacks: Sequence[Stack]) -> None:
        wanted = [stack for stack in stacks if self._drive.how.wants(stack)]
        if wanted:
            self._drive.carry_out(self._drive.plan(wanted))


def _run_tasks(workspace: Workspace, stack: Stack, *, yes: bool) -> None:
    """Runs a stack's one-off tasks: one that does not end well ends the apply."""
    environment = workspace.environment
    due = one_off_tasks.due(workspace, stack)
    for name in sorted({*stack.tasks} - {task.name for task in due}):
        write(f"{name}: has run\n")
    if due and not (yes or environment.emulator):
        names = ", ".join(task.name for task in due)
        confirm(f"{environment.name} {stack.name} in account {environment.account}: to run {names}", environment.name)
    for task in due:
        waiting = ", ".join(environment.services[task.name].run_before)
        write(f"\n── {environment.name} {task.name}: run before {waiting}\n")
        started = time.monotonic()
        one_off_tasks.run(workspace, task, write_line)
        write(f"{task.name}: ended well ({time.monotonic() - started:.0f} s)\n")


def left(workspace: Workspace) -> list[Stack]:
    """The stacks that all services have left, as far as they were ever applied: they go first, as they only destroy."""
    return [stack for stack in workspace.emptied if states.has_state(workspace, stack)]
