"""The whole pipe on this machine: from the catalog to applied, verified and drift-free, then destroyed."""

from fleetform.errors import CheckFailedError
from fleetform.screen import Screen, show_services
from fleetform.stacks import STACKS
from fleetform.verification import Report
from fleetform.workflow import files, terraform, verification
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
    try:
        with screen.step("Render") as step:
            changed = files.render_environment(project, ENVIRONMENT)
            step.note = f"{len(changed)} files changed" if changed else "nothing to change"
        with screen.step("Start the emulator"):
            workplace = terraform.open_environment(project, ENVIRONMENT, private_emulator=not keep)
        _check(project, screen)
        with screen.step("Make the state bucket") as step:
            terraform.bootstrap(workplace)
            step.note = workplace.environment.state_bucket
        _apply(workplace, screen)
        report = _verify(workplace, screen)
        _plan_again(workplace, screen)
        if not keep:
            _destroy(workplace, screen)
    finally:
        if not keep:
            terraform.close_private_emulator(project)
    _tell(screen, report, keep=keep)


def _check(project: Project, screen: Screen) -> None:
    with screen.step("Check the HCL") as step:
        findings = files.findings(project, ENVIRONMENT)
        if findings:
            raise CheckFailedError("\n".join(map(str, findings)))
        step.note = "no findings"


def _apply(workplace: Workplace, screen: Screen) -> None:
    for stack in STACKS:
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
            step.note = f"{terraform.apply(workplace, plan, step.show).destroy} destroyed"


def _tell(screen: Screen, report: Report, *, keep: bool) -> None:
    total = sum(step.seconds for step in screen.steps)
    screen.line("")
    show_services(screen, report.services)
    screen.line("")
    if keep:
        screen.line(
            "It is left running: look with `invoke verify`, end it with `invoke destroy` and `invoke emulator stop`."
        )
    screen.line(f"no drift ({total:.0f} s)", "bold green")
