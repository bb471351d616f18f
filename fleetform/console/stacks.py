"""The stacks of an environment: planned, applied, compared with what runs, destroyed."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from fleetform.catalog.files import environment_file
from fleetform.catalog.loading import load
from fleetform.catalog.wording import suggestion
from fleetform.console import plans
from fleetform.console.plans import AS_TABLE, Telling
from fleetform.console.printing import confirm, write, write_json, write_line
from fleetform.console.rendering import require_sound
from fleetform.console.waves import AS_IT_IS, Drive, Driving
from fleetform.errors import CheckFailedError, InputError, printable
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform.commands import Mode
from fleetform.terraform.drift import drift as find_drift
from fleetform.workflow import images, runs, saved, states, terraform, workplaces
from fleetform.workflow.project import Project
from fleetform.workflow.runs import State
from fleetform.workflow.terraform import Plan
from fleetform.workflow.workplaces import Workplace


def plan(
    project: Project, env: str, changed_since: str = "", telling: Telling = AS_TABLE, how: Driving = AS_IT_IS
) -> None:
    """Plans every stack, or those that differ from a commit, and tells what the plans would do; changes nothing.

    Terraform's own output is shown as it comes where one stack is planned at a time; else it is in the logs.
    """
    if changed_since:
        affected = _affected(project, env, changed_since)
        wanted = how.only & affected if how.only else affected
        if not wanted:
            if not telling.as_json:
                named = ", ".join(sorted(how.only)) or env
                write(f"nothing of {named} is affected since {changed_since}, nothing to plan\n")
            plans.tell(env, [], [], telling)
            return
        how = replace(how, only=wanted)
    workplace = open_checked(project, env, how)
    drive = Drive(workplace, replace(how, quiet=telling.as_json), checks=_settled)
    ready, waiting = _ready(workplace, how)
    planned = drive.plan(ready)
    try:
        told = [terraform.told(workplace, each, values=telling.wants_values) for each in planned]
        if telling.save:
            waiting += saved.save(workplace, drive.moment, planned)
    finally:
        for each in planned:
            each.discard()
    if not telling.as_json:
        for name in waiting:
            write(f"{name}: to be planned once {FOUNDATION.name} is applied, as it reads its outputs\n")
    plans.tell(env, told, waiting, telling)


def _ready(workplace: Workplace, how: Driving) -> tuple[list[Stack], list[str]]:
    """The wanted stacks that can be planned, and the names of those that read outputs which are not there yet."""
    wanted = [stack for stack in (*_left(workplace), *workplace.stacks) if how.wants(stack)]
    if all(stack == FOUNDATION for stack in wanted) or states.has_state(workplace, FOUNDATION):
        return wanted, []
    ready = [stack for stack in wanted if stack == FOUNDATION or stack in workplace.emptied]
    return ready, [stack.name for stack in wanted if stack not in ready]


def _affected(project: Project, env: str, reference: str) -> frozenset[str]:
    """The stacks that differ from a commit and can be planned."""
    from fleetform.workflow.affected import affected  # noqa: PLC0415 - only who names a commit needs it

    report = affected(project, env, reference)
    if report.notice:
        sys.stderr.write(f"warning: {report.notice}\n")
    return frozenset(stack.name for stack in report.stacks)


def apply(project: Project, env: str, how: Driving = AS_IT_IS, *, resume: bool = False, kept: bool = False) -> None:
    """Plans stacks, shows the plans, asks, and applies just these; see `apply_stacks`.

    Args:
        project: The checkout.
        env: The environment's name.
        how: What the flags say.
        resume: Only what the last run has left.
        kept: The plans that `plan` has kept, instead of new ones.
    """
    workplace = open_checked(project, env, how)
    if kept:
        _apply_kept(project, workplace, how)
        return
    if resume:
        how = replace(how, only=_unsettled(workplace))
    apply_stacks(workplace, lambda: images.require_images(project, workplace.environment), how)


def _apply_kept(project: Project, workplace: Workplace, how: Driving) -> None:
    """Applies the plans that are kept; they are used up then, whatever comes of them."""
    plans_kept = saved.load(workplace)
    with runs.recorded(workplace, "apply") as recorder:
        drive = Drive(workplace, how, recorder, checks=_settled)
        drive.take(plans_kept)
        try:
            _Apply(drive, lambda: images.require_images(project, workplace.environment)).run()
        finally:
            saved.discard(workplace)
    if left := [stack.name for stack in workplace.stacks if stack not in plans_kept and how.wants(stack)]:
        name = workplace.environment.name
        write(f"{', '.join(left)}: no plan was kept; `invoke plan --env {name}` shows what is left\n")


def _unsettled(workplace: Workplace) -> frozenset[str]:
    """The stacks that the last run has left something to do to.

    Raises:
        InputError: There was no run, it left nothing, or what it applied is not what is here now.
    """
    name = workplace.environment.name
    last = next(reversed(runs.runs(workplace.work)), None)
    if last is None or last.task != "apply":
        raise InputError(f"--resume: no apply of {name} is known here; leave it out")
    if last.state == State.DONE or not last.unsettled:
        raise InputError(f"--resume: the last apply of {name} has left nothing; leave it out")
    if last.moment != runs.moment(workplace):
        raise InputError(
            f"--resume: the files of {name}, or the commit, are not those of the last apply; leave it out, so that all"
            " stacks are planned"
        )
    return frozenset(last.unsettled)


def apply_stacks(workplace: Workplace, prepare_dependents: Callable[[], None], how: Driving) -> None:
    """Applies the stacks of an environment, in waves of those that do not wait for each other.

    Dependents come after what they depend on. If that only loses something, they go first: AWS does not delete what is
    in use, and a caller should stop calling before its way is closed. So do stacks that all services have left.
    Tasks that run before services are run before the services' stacks are planned.

    Args:
        workplace: The environment.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
        how: What the flags say.
    """
    with runs.recorded(workplace, "apply") as recorder:
        _Apply(Drive(workplace, how, recorder, checks=_settled), prepare_dependents).run()
    for stack in workplace.emptied:
        folder = f"envs/{workplace.environment.name}/{stack.name}"
        write(f"{stack.name}: nothing is left of it; delete its folder: git rm -r {folder}\n")


class _Apply:
    """An apply of an environment.

    Args:
        drive: Plans and applies.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
    """

    def __init__(self, drive: Drive, prepare_dependents: Callable[[], None]) -> None:
        self._drive = drive
        self._workplace = drive.workplace
        self._prepare = prepare_dependents

    def run(self) -> None:
        self._wave(_left(self._workplace))
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
        dependents = self._workplace.stacks[1:]
        return foundation.summary.only_destroys and all(
            states.has_state(self._workplace, stack) for stack in dependents
        )

    def _dependents(self) -> None:
        wanted = [stack for stack in self._workplace.stacks[1:] if self._drive.how.wants(stack)]
        for stack in wanted:
            if stack.tasks:
                self._wave([stack])
                _run_tasks(self._workplace, stack, yes=self._drive.how.yes)
        self._wave([stack for stack in wanted if not stack.tasks])

    def _wave(self, stacks: Sequence[Stack]) -> None:
        wanted = [stack for stack in stacks if self._drive.how.wants(stack)]
        if wanted:
            self._drive.carry_out(self._drive.plan(wanted))


def _run_tasks(workplace: Workplace, stack: Stack, *, yes: bool) -> None:
    """Runs a stack's one-off tasks: one that does not end well ends the apply."""
    from fleetform.workflow import tasks  # noqa: PLC0415 - it brings boto3

    environment = workplace.environment
    due = tasks.due(workplace, stack)
    for name in sorted({*stack.tasks} - {task.name for task in due}):
        write(f"{name}: has run\n")
    if due and not (yes or environment.emulator):
        names = ", ".join(task.name for task in due)
        confirm(f"{environment.name} {stack.name} in account {environment.account}: to run {names}", environment.name)
    for task in due:
        waiting = ", ".join(environment.services[task.name].run_before)
        write(f"\n── {environment.name} {task.name}: run before {waiting}\n")
        started = time.monotonic()
        tasks.run(workplace, task, write_line)
        write(f"{task.name}: ended well ({time.monotonic() - started:.0f} s)\n")


def _left(workplace: Workplace) -> list[Stack]:
    """The stacks that all services have left, as far as they were ever applied: they go first, as they only destroy."""
    return [stack for stack in workplace.emptied if states.has_state(workplace, stack)]


def destroy(project: Project, env: str, how: Driving = AS_IT_IS) -> None:
    """Destroys every stack that has a state, dependents first, and the images with their repositories."""
    if load(project.root, env).protection:
        raise CheckFailedError(
            f"{env} is protected, and nothing is destroyed; take `protection` out of {environment_file(env)} first"
        )
    workplace = open_checked(project, env, how)
    foundation, *dependents = workplace.stacks
    groups = [stack for stack in dependents if not stack.tasks]
    tasks = [stack for stack in dependents if stack.tasks]
    with runs.recorded(workplace, "destroy") as recorder:
        drive = Drive(workplace, how, recorder, checks=_right)
        for wave in ([*workplace.emptied, *groups], tasks, [foundation]):
            there = [stack for stack in wave if states.has_state(workplace, stack)]
            if there:
                drive.carry_out(drive.plan(there, Mode.DESTROY), Mode.DESTROY)


def drift(project: Project, env: str, how: Driving = AS_IT_IS, *, as_json: bool = False) -> None:
    """Plans every stack; fails if any is not as the catalog says: changed outside, or not applied yet."""
    workplace = open_checked(project, env, how)
    ready, waiting = _ready(workplace, how)
    planned = Drive(workplace, replace(how, quiet=True), checks=_settled).plan(ready)
    try:
        drifts = [find_drift(terraform.told(workplace, each, values=True)) for each in planned]
    finally:
        for each in planned:
            each.discard()
    if as_json:
        write_json(plans.drift_document(env, drifts))
    else:
        from fleetform.screen import Screen  # noqa: PLC0415 - rich is a tenth of a second

        plans.show_drift(Screen(), drifts)
    drifted = [each.stack.name for each in planned if each.changes] + waiting
    if drifted:
        raise CheckFailedError(
            f"not as the catalog says: {', '.join(drifted)}; `invoke plan --env {env}` shows the plans,"
            f" `invoke apply --env {env}` mends it"
        )
    if not as_json:
        write("no drift\n")


def open_checked(project: Project, env: str, how: Driving = AS_IT_IS) -> Workplace:
    """Opens an environment whose rendered files are current and within the policy.

    Raises:
        InputError: A stack that is wanted is none of the environment's.
    """
    require_sound(project, env)
    workplace = replace(workplaces.open_environment(project, env), lock_timeout=60 * how.wait)
    known = [stack.name for stack in (*workplace.stacks, *workplace.emptied)]
    for name in sorted(how.only - {*known}):
        raise InputError(f"--stack: {env} has no stack `{printable(name)}`; {suggestion(name, known)}")
    states.require_bucket(workplace)
    return workplace


def _right(workplace: Workplace) -> None:
    """Makes sure that it is the right account; the emulator's is, as it is made for the environment."""
    if not workplace.environment.emulator:
        from fleetform.workflow.accounts import require_account  # noqa: PLC0415 - it brings boto3

        require_account(workplace)


def _settled(workplace: Workplace) -> None:
    """The same, and that no apply would destroy a service only to make it anew in another stack."""
    _right(workplace)
    states.require_settled(workplace)


def verify(project: Project, env: str, *, as_json: bool) -> None:
    """Compares the running environment with the catalog, through AWS's API."""
    from fleetform.screen import Screen, show_services  # noqa: PLC0415 - rich is a tenth of a second
    from fleetform.workflow import verification, workplaces  # noqa: PLC0415 - a third of a second

    report = verification.verify(workplaces.open_environment(project, env))
    if as_json:
        write_json(asdict(report))
    else:
        show_services(Screen(), report.services)
        write("".join(f"{difference}\n" for difference in report.differences))
    if report.differences:
        raise CheckFailedError(f"{len(report.differences)} of {report.checks} facts differ from the catalog")
    if not as_json:
        write(f"{report.checks} facts are as the catalog says\n")
