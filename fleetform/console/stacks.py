"""The stacks of an environment: planned, applied, compared with what runs, destroyed."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from fleetform.catalog.files import environment_file
from fleetform.catalog.loading import load
from fleetform.console import plans
from fleetform.console.plans import AS_TABLE, Telling
from fleetform.console.printing import color, confirm, count_images, write, write_json, write_line
from fleetform.console.rendering import require_sound
from fleetform.errors import CheckFailedError
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform.plans import StackPlan
from fleetform.terraform.plans import read as read_plan
from fleetform.workflow import images, terraform
from fleetform.workflow.project import Project
from fleetform.workflow.terraform import Plan, Workplace


def plan(project: Project, env: str, changed_since: str = "", telling: Telling = AS_TABLE) -> None:
    """Plans every stack, or those that differ from a commit, and tells what the plans would do; changes nothing.

    Terraform's own output is shown as it comes, unless a program reads: it is in the logs then.
    """
    wanted = _affected(project, env, changed_since) if changed_since else None
    if wanted == frozenset():
        if not telling.as_json:
            write(f"nothing of {env} is affected since {changed_since}, nothing to plan\n")
        plans.tell(env, [], [], telling)
        return
    workplace = open_checked(project, env)
    terraform.require_settled(workplace)
    read, waiting = [], []
    for stack in (*_left(workplace), *workplace.stacks):
        if wanted is not None and stack.name not in wanted:
            continue
        if stack != FOUNDATION and not terraform.has_state(workplace, FOUNDATION):
            waiting.append(stack.name)
        else:
            read.append(_read(workplace, stack, quiet=telling.as_json))
    if not telling.as_json:
        for name in waiting:
            write(f"{name}: to be planned once {FOUNDATION.name} is applied, as it reads its outputs\n")
    plans.tell(env, read, waiting, telling)


def _read(workplace: Workplace, stack: Stack, *, quiet: bool) -> StackPlan:
    """What a stack's plan would do; the plan itself is not kept."""
    planned = _plan(workplace, stack, quiet=quiet)
    try:
        return read_plan(stack.name, terraform.show(workplace, planned)) if planned.changes else StackPlan(stack.name)
    finally:
        planned.discard()


def _affected(project: Project, env: str, reference: str) -> frozenset[str]:
    """The stacks that differ from a commit and can be planned."""
    from fleetform.workflow.affected import affected  # noqa: PLC0415 - only who names a commit needs it

    report = affected(project, env, reference)
    if report.notice:
        sys.stderr.write(f"warning: {report.notice}\n")
    return frozenset(stack.name for stack in report.stacks)


def apply(project: Project, env: str, *, yes: bool) -> None:
    """Plans each stack, shows the plan, asks, and applies just that plan.

    Dependents come after what they depend on. If that only loses something, they go first: AWS does not delete what is
    in use, and a caller should stop calling before its way is closed.
    Tasks that run before services are run before the services' stacks are planned.
    """
    workplace = open_checked(project, env)
    apply_stacks(workplace, lambda: images.require_images(project, workplace.environment), yes=yes)


def apply_stacks(workplace: Workplace, prepare_dependents: Callable[[], None], *, yes: bool) -> None:
    """Applies every stack of an environment; see `apply`.

    Args:
        workplace: The environment.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
        yes: Do not ask.
    """
    terraform.require_settled(workplace)
    for stack in _left(workplace):
        _carry_out(workplace, _plan(workplace, stack), yes=yes)
    foundation, *dependents = workplace.stacks
    planned = _plan(workplace, foundation)
    dependents_first = planned.summary.only_destroys and all(
        terraform.has_state(workplace, stack) for stack in dependents
    )
    if dependents_first:
        write(f"\n{foundation.name} only loses resources: what may still use them goes first\n")
        planned.discard()
        prepare_dependents()
        for stack in dependents:
            _carry_out_dependent(workplace, stack, yes=yes)
        planned = _plan(workplace, foundation)
    _carry_out(workplace, planned, yes=yes)
    if not dependents_first:
        prepare_dependents()
    for stack in dependents:
        _carry_out_dependent(workplace, stack, yes=yes)
    for stack in workplace.emptied:
        folder = f"envs/{workplace.environment.name}/{stack.name}"
        write(f"{stack.name}: nothing is left of it; delete its folder: git rm -r {folder}\n")


def _carry_out_dependent(workplace: Workplace, stack: Stack, *, yes: bool) -> None:
    """Applies a stack, and runs its one-off tasks: one that does not end well ends the apply."""
    _carry_out(workplace, _plan(workplace, stack), yes=yes)
    if stack.tasks:
        _run_tasks(workplace, stack, yes=yes)


def _run_tasks(workplace: Workplace, stack: Stack, *, yes: bool) -> None:
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
    return [stack for stack in workplace.emptied if terraform.has_state(workplace, stack)]


def destroy(project: Project, env: str, *, yes: bool) -> None:
    """Destroys every stack that has a state, dependents first, and the images with their repositories."""
    if load(project.root, env).protection:
        raise CheckFailedError(
            f"{env} is protected, and nothing is destroyed; take `protection` out of {environment_file(env)} first"
        )
    workplace = open_checked(project, env)
    for stack in (*workplace.emptied, *reversed(workplace.stacks)):
        if terraform.has_state(workplace, stack):
            _carry_out(workplace, _plan(workplace, stack, destroy=True), yes=yes)


def drift(project: Project, env: str) -> None:
    """Plans every stack and fails if any has something to change."""
    workplace = open_checked(project, env)
    terraform.require_settled(workplace)
    every = [_plan(workplace, stack) for stack in (*_left(workplace), *workplace.stacks)]
    for planned in every:
        planned.discard()
        _write_summary(planned.stack, str(planned.summary), planned.summary.seconds)
    drifted = [planned.stack.name for planned in every if planned.changes]
    if drifted:
        raise CheckFailedError(
            f"not as the catalog says: {', '.join(drifted)}; the plan is above, `invoke apply --env {env}` mends it"
        )
    write("no drift\n")


def open_checked(project: Project, env: str) -> Workplace:
    """Opens an environment whose rendered files are current and within the policy."""
    require_sound(project, env)
    workplace = terraform.open_environment(project, env)
    if workplace.environment.emulator:
        terraform.bootstrap(workplace)
    return workplace


def _plan(workplace: Workplace, stack: Stack, *, destroy: bool = False, quiet: bool = False) -> Plan:
    if not quiet:
        write(f"\n── {workplace.environment.name} {stack.name}: plan\n")
    terraform.init(workplace, stack)
    output = None if quiet else write_line
    return terraform.plan(workplace, stack, output, destroy=destroy, color=color(sys.stdout))


def _carry_out(workplace: Workplace, planned: Plan, *, yes: bool) -> None:
    name, stack = workplace.environment.name, planned.stack.name
    if not planned.changes:
        planned.discard()
        _write_summary(planned.stack, "no changes", planned.summary.seconds)
        return
    try:
        doomed = _doomed_images(workplace, planned)
        if not (yes or workplace.environment.emulator):
            also = f", and {count_images(sum(doomed.values()))} to delete" if doomed else ""
            confirm(f"{name} {stack} in account {workplace.environment.account}: {planned.summary}{also}", name)
        if doomed:
            _delete_images(workplace, doomed)
    except BaseException:
        planned.discard()
        raise
    write(f"\n── {name} {stack}: apply\n")
    summary = terraform.apply(workplace, planned, write_line, color=color(sys.stdout))
    _write_summary(planned.stack, summary.outcome, summary.seconds)


def _doomed_images(workplace: Workplace, planned: Plan) -> dict[str, int]:
    """How many images are in each repository that a plan destroys: ECR deletes none that holds any."""
    if planned.stack != FOUNDATION:
        return {}
    from fleetform.workflow import pruning  # noqa: PLC0415 - most tasks delete no image

    return pruning.doomed(workplace, planned)


def _delete_images(workplace: Workplace, repositories: Mapping[str, int]) -> None:
    from fleetform.workflow import pruning  # noqa: PLC0415 - most tasks delete no image

    pruning.clear(workplace, repositories)
    write("".join(f"{repository}: {count_images(count)} deleted\n" for repository, count in repositories.items()))


def _write_summary(stack: Stack, what: str, seconds: float) -> None:
    write(f"{stack.name}: {what} ({seconds:.0f} s)\n")


def verify(project: Project, env: str, *, as_json: bool) -> None:
    """Compares the running environment with the catalog, through AWS's API."""
    from fleetform.screen import Screen, show_services  # noqa: PLC0415 - rich is a tenth of a second
    from fleetform.workflow import verification  # noqa: PLC0415 - a third of a second

    report = verification.verify(terraform.open_environment(project, env))
    if as_json:
        write_json(asdict(report))
    else:
        show_services(Screen(), report.services)
        write("".join(f"{difference}\n" for difference in report.differences))
    if report.differences:
        raise CheckFailedError(f"{len(report.differences)} of {report.checks} facts differ from the catalog")
    if not as_json:
        write(f"{report.checks} facts are as the catalog says\n")
