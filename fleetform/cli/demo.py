"""The whole pipeline on this machine.

From the catalog to applied, verified and drift-free, then destroyed.
"""

from collections.abc import Callable
from urllib.request import urlopen

from fleetform.aws.verification import Report
from fleetform.base.errors import CheckFailedError, ProgramError, raise_all
from fleetform.base.program_name import command
from fleetform.catalog.images_lock import load_lock
from fleetform.cli import local
from fleetform.cli.screen import Screen, show_services
from fleetform.images.building import BuildListener
from fleetform.images.engine import find_engine
from fleetform.images.engine_errors import NO_BASE_IMAGE
from fleetform.terraform.commands import Mode
from fleetform.workflow import emulated
from fleetform.workflow.apply import states, terraform, verification
from fleetform.workflow.check.assessment import assess
from fleetform.workflow.images import build, pruning
from fleetform.workflow.images.build import ImageRequest
from fleetform.workflow.local import local_services, smoke_test
from fleetform.workflow.local.local_services import Site
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from fleetform.workflow.workspace import Workspace, open_workspace

ENVIRONMENT = "local"


def demo(project: Project, screen: Screen, *, keep: bool = False) -> None:
    """Run the demonstration.

    Args:
        project: The checkout.
        screen: Where it prints.
        keep: Leave everything running, in the emulator that other tasks use too, instead of destroying it.

    Raises:
        CheckFailedError: Findings, differences or drift.
    """
    if keep:
        report = _run(project, screen)
        _show_result(
            screen,
            report,
            f"Still running. Try `{command('verify')}`, `{command('destroy')}` and"
            f" `{command('emulator.stop')}`.",
        )
        return
    # Images change the lock and the rendered files, so this works on a copy.
    with emulated.copied(project) as copy:
        report = _run(copy, screen, _make_images)
        workspace = open_workspace(copy, ENVIRONMENT)
        _run_here(copy, workspace, screen)
        _destroy(workspace, screen)
    _show_result(screen, report)


def _run(
    project: Project, screen: Screen, prepare: Callable[[Project, Screen], None] | None = None
) -> Report:
    """Render, check, apply, verify and plan again.

    `prepare` is called between the foundation and the services.
    """
    with screen.step("Render") as step:
        changed = files.render_environment(project, ENVIRONMENT)
        step.note = f"{len(changed)} files changed" if changed else "nothing to change"
    _check(project, screen)
    with screen.step("Start the emulator"):
        workspace = open_workspace(project, ENVIRONMENT)
    with screen.step("Create the state bucket") as step:
        states.bootstrap(workspace)
        step.note = workspace.environment.state_bucket
    for stack in workspace.stacks:
        local.apply_stack(workspace, screen, stack)
        if prepare and not stack.reads_foundation:
            prepare(project, screen)
    report = _verify(workspace, screen)
    _plan_again(workspace, screen)
    return report


def _check(project: Project, screen: Screen) -> None:
    with screen.step("Check the HCL") as step:
        if findings := assess(project, ENVIRONMENT).findings:
            raise CheckFailedError("\n".join(map(str, findings)))
        step.note = "no findings"


def _make_images(project: Project, screen: Screen) -> None:
    """Build and push images if an engine and the base images are available. The emulator needs no images."""
    with screen.step("Build and push the images") as step:
        try:
            engine = find_engine(None)
        except ProgramError as error:
            step.skipped = str(error)
            return
        watch = BuildListener(lambda service, line: step.show(f"{service}: {line}"))
        report = build.make_images(project, ENVIRONMENT, ImageRequest(engine=engine.name), watch)
        if report.failures and all(NO_BASE_IMAGE in str(failure) for failure in report.failures):
            step.skipped = f"{NO_BASE_IMAGE} by {engine.name}"
            return
        raise_all(report.failures)
        step.note = f"{len(report.done)} by {engine.name}, locked by digest"


def _run_here(project: Project, workspace: Workspace, screen: Screen) -> None:
    """Run the services and smoke-test every pair, if an engine and their images are available."""
    try:
        site = local_services.open_site(project, ENVIRONMENT, None)
    except ProgramError as error:
        screen.skip("Run the services", str(error))
        return
    if reason := _obstacle(project, site):
        screen.skip("Run the services", reason)
        return
    try:
        local.bring_up(site, workspace, screen)
        local.require_as_declared(local.run_smoke_test(lambda: smoke_test.smoke_test(site), screen))
        _request(site, screen)
    finally:
        with screen.step("Remove the containers") as step:
            local_services.stop(project, site, step.show)


def _obstacle(project: Project, site: Site) -> str | None:
    """Return why the services should not run here."""
    if site.containers():
        return f"{site.compose.name} is running already"
    built = any(service.build for service in site.environment.services.values())
    return "they have no images" if built and not load_lock(project.root, ENVIRONMENT) else None


def _request(site: Site, screen: Screen) -> None:
    """Send a request to each public service."""
    for url in [status.url for status in local.statuses(site) if status.url]:
        with screen.step(f"GET {url}/") as step, urlopen(f"{url}/") as answer:  # noqa: S310 - ours, on loopback
            step.note = f"{answer.status} {answer.reason}"


def _verify(workspace: Workspace, screen: Screen) -> Report:
    with screen.step("Verify through the AWS API") as step:
        report = verification.verify(workspace)
        if report.differences:
            raise CheckFailedError("\n".join(report.differences))
        step.note = f"{report.checks} facts match the catalog"
    return report


def _plan_again(workspace: Workspace, screen: Screen) -> None:
    for stack in workspace.stacks:
        with screen.step(f"Plan {stack.name} again") as step:
            plan = terraform.plan(workspace, stack, step.show)
            if plan.changes:
                log = workspace.log(stack, "plan").read_text(encoding="utf-8")
                raise CheckFailedError(f"{stack.name} has drifted: {plan.summary}\n{log}")
            step.note = "no drift"


def _destroy(workspace: Workspace, screen: Screen) -> None:
    for stack in reversed(workspace.stacks):
        with screen.step(f"Destroy {stack.name}") as step:
            plan = terraform.plan(workspace, stack, step.show, mode=Mode.DESTROY)
            if not stack.reads_foundation:
                changes = terraform.read_changes(workspace, plan).changes
                pruning.delete_images(workspace, pruning.images_to_delete(workspace, changes))
            step.note = f"{terraform.apply(workspace, plan, step.show).destroy} destroyed"


def _show_result(screen: Screen, report: Report, *hints: str) -> None:
    total = sum(step.seconds for step in screen.steps)
    screen.line("")
    show_services(screen, report.services)
    screen.line("")
    for hint in hints:
        screen.line(hint)
    screen.line(f"no drift ({total:.0f} s)", "bold green")
