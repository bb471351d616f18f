"""The commands that plan, apply, verify and destroy the stacks of an environment."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.base.program_name import command
from fleetform.catalog.files import environment_file
from fleetform.cli import plans
from fleetform.cli.plans import AS_TABLE, OutputOptions
from fleetform.cli.preflight import open_checked, require_plannable, require_right_account
from fleetform.cli.printing import write, write_json
from fleetform.cli.progress import Progress, next_command, show_outcome
from fleetform.cli.screen import Screen, show_services
from fleetform.stacks import Stack
from fleetform.terraform.plan.drift import drift as find_drift
from fleetform.terraform.plan.models import StackPlan
from fleetform.validation.loading import load
from fleetform.workflow.affected.stacks import affected
from fleetform.workflow.apply import order, runs, saved_plans, terraform, verification
from fleetform.workflow.apply.driver import DEFAULTS, Driver, RunOptions
from fleetform.workflow.apply.runs import Recorder, State
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.images.registry import require_images
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_workspace

# Nothing has been done to a stack in one of these.
_UNTOUCHED = frozenset({State.WAITING, State.PLANNING, State.PLANNED})


def plan(
    project: Project,
    env: str,
    changed_since: str = "",
    output: OutputOptions = AS_TABLE,
    options: RunOptions = DEFAULTS,
) -> None:
    """Plan every stack, or those that differ from a commit, and print what the plans would do.

    Changes nothing.
    """
    if changed_since:
        affected_names = _affected(project, env, changed_since)
        names = options.only & affected_names if options.only else affected_names
        if not names:
            if not output.as_json:
                subject = ", ".join(sorted(options.only)) or env
                write(f"nothing of {subject} is affected since {changed_since}, nothing to plan\n")
            plans.print_plans(env, [], [], output)
            return
        options = replace(options, only=names)
    workspace = open_checked(project, env, options)
    listener = Progress(workspace.environment, options, quiet=output.as_json)
    driver = Driver(workspace, options, listener, checks=require_plannable)
    ready, waiting = order.plannable(workspace, options)
    planned, unready = driver.survey(ready, to_apply=output.save)
    waiting += unready
    try:
        planned, changes = _arranged(driver, planned, output)
        if output.save:
            waiting += saved_plans.save(workspace, driver.revision, planned)
    finally:
        for each in planned:
            each.discard()
    if not output.as_json:
        write("".join(map(plans.waits, waiting)))
        stale = [each.stack for each in changes if each.stale and each.stack not in waiting]
        write("".join(map(plans.is_stale, stale)))
    plans.print_plans(env, changes, waiting, output)
    if not output.as_json:
        _suggest_apply(env, save=output.save, changes=any(each.changes for each in planned) or bool(waiting))


def _arranged(
    driver: Driver, planned: list[Plan], output: OutputOptions
) -> tuple[list[Plan], list[StackPlan]]:
    """Return plans, the foundation's with its phases, and what they would do.

    Plans that are saved are those that an apply takes: if its changes are split, the foundation's has the
    additions.
    """
    if output.save:
        planned = [
            each if each.stack.reads_foundation else driver.arrange(each, values=output.wants_values)
            for each in planned
        ]
    arrangements = [
        each.arrangement or terraform.arrange(driver.workspace, each, values=output.wants_values)
        for each in planned
    ]
    arranged = [
        replace(each, arrangement=arrangement)
        for each, arrangement in zip(planned, arrangements, strict=True)
    ]
    outdated = saved_plans.outdated(driver.workspace, arranged)
    return planned, [
        replace(arrangement.changes, stale=each.stack in outdated)
        for each, arrangement in zip(planned, arrangements, strict=True)
    ]


def _suggest_apply(env: str, *, save: bool, changes: bool) -> None:
    if not changes:
        write("\nnothing to apply\n")
    else:
        next_command(f"`{command('apply', env=env, saved=True) if save else command('apply', env=env)}`")


def _affected(project: Project, env: str, reference: str) -> frozenset[str]:
    """Return the names of the stacks that differ from a commit and can be planned."""
    report = affected(project, env, reference)
    if report.notice:
        sys.stderr.write(f"warning: {report.notice}\n")
    return frozenset(stack.name for stack in report.stacks)


def apply(
    project: Project, env: str, options: RunOptions = DEFAULTS, *, resume: bool = False, saved: bool = False
) -> None:
    """Plan stacks, show the plans, ask, and apply exactly these; see `order.apply_waves`.

    Args:
        project: The checkout.
        env: The environment's name.
        options: The flags.
        resume: Apply only stacks that the last run did not finish.
        saved: The plans that `plan --save` saved, instead of new ones. They are used up, whatever the
            outcome.
    """
    workspace = open_checked(project, env, options)
    plans_saved = saved_plans.load(workspace) if saved else None
    if resume and plans_saved is None:
        options = replace(options, only=order.unfinished(workspace), resume=True)
    try:
        apply_stacks(workspace, lambda: require_images(project, workspace.environment), options, plans_saved)
    finally:
        if plans_saved is not None:
            saved_plans.discard(workspace)
    if plans_saved is not None:
        unsaved = [
            stack.name for stack in workspace.stacks if stack not in plans_saved and options.includes(stack)
        ]
        if unsaved:
            write(
                f"\n{', '.join(unsaved)}: no plan was saved; `{command('plan', env=env)}` shows what is"
                " left\n"
            )
            return
    next_command(f"`{command('verify', env=env)}`")


def apply_stacks(
    workspace: Workspace,
    prepare_dependents: Callable[[], None],
    options: RunOptions,
    plans_saved: Mapping[Stack, Plan] | None = None,
) -> None:
    """Apply the stacks of an environment and print the outcome.

    Args:
        workspace: The environment.
        prepare_dependents: Called once, before any other stack than the foundation is planned.
        options: The flags.
        plans_saved: Saved plans, instead of new ones.
    """
    with _recorded(workspace, "apply", options) as recorder:
        listener = Progress(workspace.environment, options)
        driver = Driver(workspace, options, listener, recorder, checks=require_plannable)
        if plans_saved is not None:
            driver.use_saved(plans_saved)
        order.apply_waves(driver, prepare_dependents)
    for stack in workspace.emptied:
        folder = f"envs/{workspace.environment.name}/{stack.name}"
        write(f"{stack.name}: all resources are destroyed; delete its folder: git rm -r {folder}\n")


def destroy(project: Project, env: str, options: RunOptions = DEFAULTS) -> None:
    """Destroy every stack that has a state, dependents first, and the images with their repositories."""
    if load(project.root, env).protection:
        raise CheckFailedError(
            f"{env} is protected; nothing was destroyed; remove `protection` from {environment_file(env)}"
            " first"
        )
    workspace = open_checked(project, env, options)
    if not order.is_applied(workspace):
        write(f"{_nothing_applied(env)}\n")
        return
    with _recorded(workspace, "destroy", options) as recorder:
        listener = Progress(workspace.environment, options)
        order.destroy_waves(Driver(workspace, options, listener, recorder, checks=require_right_account))
    next_command(f"`{command('apply', env=env)}` creates {env} again")


@contextmanager
def _recorded(workspace: Workspace, task: str, options: RunOptions) -> Iterator[Recorder]:
    """Record a run, and print its outcome if anything was done."""
    env = workspace.environment.name
    with runs.record_run(workspace, task) as recorder:
        try:
            yield recorder
        except KeyboardInterrupt:
            _show_outcome(recorder, task, workspace, options)
            sys.stdout.write("\n")
            raise KeyboardInterrupt(f"interrupted; `{command(task, env=env)}` continues from here") from None
        except BaseException as error:
            if not isinstance(error, InputError):
                _show_outcome(recorder, task, workspace, options)
            raise
        done = {name: stack for name, stack in recorder.stacks.items() if stack.state != State.WAITING}
        show_outcome(Screen(), task, done)


def _show_outcome(recorder: Recorder, task: str, workspace: Workspace, options: RunOptions) -> None:
    """Print the outcome of a run that did not reach its end."""
    if {stack.state for stack in recorder.stacks.values()} <= _UNTOUCHED:
        return
    names = {stack.name for stack in (*workspace.emptied, *workspace.stacks) if options.includes(stack)}
    show_outcome(Screen(), task, {name: stack for name, stack in recorder.stacks.items() if name in names})


def _nothing_applied(env: str) -> str:
    return f"nothing of {env} is applied; `{command('apply', env=env)}` applies it"


def drift(project: Project, env: str, options: RunOptions = DEFAULTS, *, as_json: bool = False) -> None:
    """Plan every stack. Fail if any differs from the catalog: changed outside, or not applied yet."""
    workspace = open_checked(project, env, options)
    if not as_json and not order.is_applied(workspace):
        raise CheckFailedError(_nothing_applied(env))
    ready, waiting = order.plannable(workspace, options)
    listener = Progress(workspace.environment, options, quiet=True)
    planned, unready = Driver(workspace, options, listener, checks=require_plannable).survey(ready)
    try:
        drifts = [find_drift(terraform.read_changes(workspace, each, values=True)) for each in planned]
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
            f"differs from the catalog: {', '.join(drifted)}; `{command('plan', env=env)}` shows the plans,"
            f" `{command('apply', env=env)}` fixes it"
        )
    if not as_json:
        write("no drift\n")


def verify(project: Project, env: str, *, as_json: bool) -> None:
    """Compare the running environment with the catalog, through the AWS API."""
    workspace = open_workspace(project, env)
    report = verification.verify(workspace)
    if as_json:
        write_json(asdict(report))
    elif report.differences and not order.is_applied(workspace):
        raise CheckFailedError(_nothing_applied(env))
    else:
        show_services(Screen(), report.services)
        write("".join(f"{difference}\n" for difference in report.differences))
    if report.differences:
        raise CheckFailedError(f"{len(report.differences)} of {report.checks} facts differ from the catalog")
    if not as_json:
        write(f"{report.checks} facts match the catalog\n")
