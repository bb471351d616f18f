"""The stacks of an environment: planned, applied, compared with what runs, destroyed."""

import sys
from dataclasses import asdict, replace

from fleetform.base.errors import CheckFailedError
from fleetform.base.program_name import command
from fleetform.catalog.files import environment_file
from fleetform.cli import plans
from fleetform.cli.apply import apply_kept, apply_stacks, left, unsettled
from fleetform.cli.plans import AS_TABLE, Telling
from fleetform.cli.preflight import open_checked, require_right, require_settled
from fleetform.cli.printing import write, write_json
from fleetform.cli.screen import Screen, show_services
from fleetform.cli.waves import AS_IT_IS, Drive, Driving
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform.commands import Mode
from fleetform.terraform.plan.drift import drift as find_drift
from fleetform.validation.loading import load
from fleetform.workflow.affected.stacks import affected
from fleetform.workflow.apply import runs, saved_plans, states, terraform, verification
from fleetform.workflow.images.registry import require_images
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_workspace


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
    workspace = open_checked(project, env, how)
    drive = Drive(workspace, replace(how, quiet=telling.as_json), checks=require_settled)
    ready, waiting = _ready(workspace, how)
    planned, unready = drive.survey(ready, to_apply=telling.save)
    waiting += unready
    try:
        told = [terraform.told(workspace, each, values=telling.wants_values) for each in planned]
        if telling.save:
            waiting += saved_plans.save(workspace, drive.moment, planned)
    finally:
        for each in planned:
            each.discard()
    if not telling.as_json:
        write("".join(map(plans.waits, waiting)))
    plans.tell(env, told, waiting, telling)


def _ready(workspace: Workspace, how: Driving) -> tuple[list[Stack], list[str]]:
    """The wanted stacks that can be planned, and the names of those that read outputs which are not there yet."""
    wanted = [stack for stack in (*left(workspace), *workspace.stacks) if how.wants(stack)]
    if all(stack == FOUNDATION for stack in wanted) or states.has_state(workspace, FOUNDATION):
        return wanted, []
    ready = [stack for stack in wanted if stack == FOUNDATION or stack in workspace.emptied]
    return ready, [stack.name for stack in wanted if stack not in ready]


def _affected(project: Project, env: str, reference: str) -> frozenset[str]:
    """The stacks that differ from a commit and can be planned."""
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
    workspace = open_checked(project, env, how)
    if kept:
        apply_kept(project, workspace, how)
        return
    if resume:
        how = replace(how, only=unsettled(workspace))
    apply_stacks(workspace, lambda: require_images(project, workspace.environment), how)


def destroy(project: Project, env: str, how: Driving = AS_IT_IS) -> None:
    """Destroys every stack that has a state, dependents first, and the images with their repositories."""
    if load(project.root, env).protection:
        raise CheckFailedError(
            f"{env} is protected, and nothing is destroyed; take `protection` out of {environment_file(env)} first"
        )
    workspace = open_checked(project, env, how)
    foundation, *dependents = workspace.stacks
    groups = [stack for stack in dependents if not stack.tasks]
    tasks = [stack for stack in dependents if stack.tasks]
    with runs.recorded(workspace, "destroy") as recorder:
        drive = Drive(workspace, how, recorder, checks=require_right)
        for wave in ([*workspace.emptied, *groups], tasks, [foundation]):
            there = [stack for stack in wave if states.has_state(workspace, stack)]
            if there:
                drive.carry_out(drive.plan(there, Mode.DESTROY), Mode.DESTROY)


def drift(project: Project, env: str, how: Driving = AS_IT_IS, *, as_json: bool = False) -> None:
    """Plans every stack; fails if any is not as the catalog says: changed outside, or not applied yet."""
    workspace = open_checked(project, env, how)
    ready, waiting = _ready(workspace, how)
    planned, unready = Drive(workspace, replace(how, quiet=True), checks=require_settled).survey(ready)
    try:
        drifts = [find_drift(terraform.told(workspace, each, values=True)) for each in planned]
    finally:
        for each in planned:
            each.discard()
    if as_json:
        write_json(plans.drift_document(env, drifts))
    else:
        plans.show_drift(Screen(), drifts)
    drifted = [each.stack.name for each in planned if each.changes] + waiting + unready
    if drifted:
        raise CheckFailedError(
            f"not as the catalog says: {', '.join(drifted)}; `{command('plan', env=env)}` shows the plans,"
            f" `{command('apply', env=env)}` mends it"
        )
    if not as_json:
        write("no drift\n")


def verify(project: Project, env: str, *, as_json: bool) -> None:
    """Compares the running environment with the catalog, through AWS's API."""
    report = verification.verify(open_workspace(project, env))
    if as_json:
        write_json(asdict(report))
    else:
        show_services(Screen(), report.services)
        write("".join(f"{difference}\n" for difference in report.differences))
    if report.differences:
        raise CheckFailedError(f"{len(report.differences)} of {report.checks} facts differ from the catalog")
    if not as_json:
        write(f"{report.checks} facts are as the catalog says\n")
