"""The whole pipe on this machine: from the catalog to applied, verified and drift-free, then destroyed."""

from collections.abc import Callable

from fleetform.errors import CheckFailedError, ProgramError
from fleetform.images.building import Watch
from fleetform.images.engine import find_engine
from fleetform.images.failures import NO_BASE_IMAGE
from fleetform.screen import Screen, show_services
from fleetform.stacks import STACKS, Stack
from fleetform.verification import Report
from fleetform.workflow import files, images, pruning, terraform, verification
from fleetform.workflow.images import ImageRequest
from fleetform.workflow.project import Project
from fleetform.workflow.terraform import Workplace

ENVIRONMENT = "local"


def demo(project: Project, screen: Screen, *, keep: bool = False) -> None:
    """Runs the demonstration.

    Args:
        project: The checkout.
        screen: Where it is shown.
        keep: Leave everything running, in the emulator that the other tasks use too, instead of destroying it.

    Raises:
        CheckFailedError: Findings, differences or drift.
    """
    if keep:
        report = _run(project, screen)
        _tell(screen, report, "It is left running: `invoke verify`, `invoke destroy`, `invoke emulator.stop`.")
        return
    # Images get into the lock and into what is rendered: neither is the checkout's.
    with project.copy() as copy:
        report = _run(copy, screen, _make_images)
        _destroy(terraform.open_environment(copy, ENVIRONMENT), screen)
    _tell(screen, report)


def _run(project: Project, screen: Screen, prepare: Callable[[Project, Screen], None] | None = None) -> Report:
    """From the catalog to no drift; `prepare` is done between the foundation and the services."""
    with screen.step("Render") as step:
        changed = files.render_environment(project, ENVIRONMENT)
        step.note = f"{len(changed)} files changed" if changed else "nothing to change"
    _check(project, screen)
    with screen.step("Start the emulator"):
        workplace = terraform.open_environment(project, ENVIRONMENT)
    with screen.step("Make the state bucket") as step:
        terraform.bootstrap(workplace)
        step.note = workplace.environment.state_bucket
    foundation, *dependents = STACKS
    _apply(workplace, screen, foundation)
    if prepare:
        prepare(project, screen)
    for stack in dependents:
        _apply(workplace, screen, stack)
    report = _verify(workplace, screen)
    _plan_again(workplace, screen)
    return report


def _check(project: Project, screen: Screen) -> None:
    with screen.step("Check the HCL") as step:
        findings = files.findings(project, ENVIRONMENT)
        if findings:
            raise CheckFailedError("\n".join(map(str, findings)))
        step.note = "no findings"


def _make_images(project: Project, screen: Screen) -> None:
    """Builds and pushes for real where an engine and the base images are to be had; the emulator needs no images."""
    with screen.step("Build and push the images") as step:
        try:
            engine = find_engine(None)
        except ProgramError as error:
            step.note = f"left out: {error}"
            return
        watch = Watch(lambda service, line: step.show(f"{service}: {line}"))
        report = images.make_images(project, ENVIRONMENT, ImageRequest(engine=engine.name), watch)
        if report.failures and all(NO_BASE_IMAGE in str(failure) for failure in report.failures):
            step.note = f"left out: {NO_BASE_IMAGE} by {engine.name}"
            return
        report.raise_failures()
        step.note = f"{len(report.done)} by {engine.name}, locked by digest"


def _apply(workplace: Workplace, screen: Screen, stack: Stack) -> None:
    with screen.step(f"Plan {stack.name}") as step:
        terraform.init(workplace, stack, step.show)
        plan = terraform.plan(workplace, stack, step.show)
        step.note = str(plan.summary)
    with screen.step(f"Apply {stack.name}") as step:
        step.note = terraform.apply(workplace, plan, step.show).outcome


def _verify(workplace: Workplace, screen: Screen) -> Report:
    with screen.step("Verify through the AWS API") as step:
        report = verification.verify(workplace)
        if report.differences:
            raise CheckFailedError("\n".join(report.differences))
        step.note = f"{report.checks} facts as the catalog says"
    return report


def _plan_again(workplace: Workplace, screen: Screen) -> None:
    for stack in STACKS:
        with screen.step(f"Plan {stack.name} again") as step:
            plan = terraform.plan(workplace, stack, step.show)
            if plan.changes:
                log = workplace.log(stack, "plan").read_text(encoding="utf-8")
                raise CheckFailedError(f"{stack.name} has drifted: {plan.summary}\n{log}")
            step.note = "no drift"


def _destroy(workplace: Workplace, screen: Screen) -> None:
    for stack in terraform.destroy_order():
        with screen.step(f"Destroy {stack.name}") as step:
            plan = terraform.plan(workplace, stack, step.show, destroy=True)
            if stack is STACKS[0]:
                pruning.clear(workplace, pruning.stored(workplace))
            step.note = f"{terraform.apply(workplace, plan, step.show).destroy} destroyed"


def _tell(screen: Screen, report: Report, *hints: str) -> None:
    total = sum(step.seconds for step in screen.steps)
    screen.line("")
    show_services(screen, report.services)
    screen.line("")
    for hint in hints:
        screen.line(hint)
    screen.line(f"no drift ({total:.0f} s)", "bold green")
