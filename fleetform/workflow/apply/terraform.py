"""Runs Terraform on the stacks of an environment, from init to apply."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.base.processes import Output, Result, read, run
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform import json_output
from fleetform.terraform.commands import Mode
from fleetform.terraform.failures import lacks_outputs, translate_failures
from fleetform.terraform.initialization import is_uninitialized
from fleetform.terraform.plan import adoption, models, phases, targeting, text_reader
from fleetform.terraform.plan.capacity import services_refused_for_capacity, services_with_new_capacity
from fleetform.terraform.plan.models import Action, Change, StackPlan
from fleetform.terraform.plan.phases import Arrangement
from fleetform.terraform.plan.summary import Summary, summarize
from fleetform.terraform.recovery import tainted
from fleetform.terraform.recovery.apply_log import import_blocks, missing_imports
from fleetform.workflow.workspace import Workspace

T = TypeVar("T")

_PLAN_HAS_CHANGES = 2
_IMPORTS = "fleetform_lost.tf"
# Bytes of all targets of one plan. Linux and macOS take arguments and variables of at least 1 MiB together:
# https://man7.org/linux/man-pages/man2/execve.2.html
_MAX_TARGETS = 768 * 1024
_TARGET_OVERHEAD = len("-target=") + 1 + 8  # the end of the text, and a pointer to it


class OutputsMissingError(ProgramError):
    """A stack cannot be planned yet: it reads foundation outputs that do not exist yet."""


@dataclass(frozen=True)
class Plan:
    """A saved plan.

    Attributes:
        stack: Its stack.
        path: The file.
        summary: What it would do to resources.
        changes: Whether it would do anything, outputs included.
        printed: The changes as read from Terraform's text; None if the text leaves anything open.
        outputs: Whether it changes outputs.
        arrangement: For the foundation, what is shown and approved: all changes and their phases. If they
            are split, this plan has the additions only.
        forced: Services that it makes start new tasks, because their capacity providers change.
    """

    stack: Stack
    path: Path
    summary: Summary
    changes: bool
    printed: StackPlan | None = None
    outputs: bool = False
    forced: tuple[str, ...] = ()
    arrangement: Arrangement | None = None

    @property
    def is_split(self) -> bool:
        """Whether removals follow it, once the services are applied."""
        return self.arrangement is not None and self.arrangement.is_split

    @property
    def goes_last(self) -> bool:
        """Whether it waits until the services are applied."""
        return self.arrangement is not None and self.arrangement.goes_last

    @property
    def shown(self) -> Summary:
        """The counts of everything that is approved with it."""
        return self.arrangement.summary if self.arrangement else self.summary

    def discard(self) -> None:
        """Delete the file: a plan may hold secrets."""
        self.path.unlink(missing_ok=True)


def init(workspace: Workspace, stack: Stack, output: Output | None = None) -> None:
    """Initialise a stack, unless nothing that this depends on has changed since the last time."""
    argv, log = workspace.terraform(stack).init(), workspace.log(stack, "init")
    workspace.initialization(stack).ensure(lambda: workspace.run(stack, argv, log, output))


def _retry_initialized(workspace: Workspace, stack: Stack, command: Callable[[], T]) -> T:
    """Run a command in a stack.

    If Terraform reports that the stack is not initialised, initialise it and retry.
    """
    try:
        return command()
    except ProgramError as error:
        if not is_uninitialized(f"{error}\n{error.output}"):
            raise
    workspace.initialization(stack).forget()
    init(workspace, stack)
    return command()


def validate(workspace: Workspace, stack: Stack) -> None:
    """Validate a stack without its state."""
    terraform = workspace.terraform(stack)
    variables = {**workspace.variables, "TF_DATA_DIR": str(workspace.work / "validate" / stack.name)}
    with translate_failures(workspace.environment.name):
        run(terraform.init(backend=False), variables, workspace.log(stack, "init"))
    run(terraform.validate(), variables, workspace.log(stack, "validate"))


def plan(  # noqa: PLR0913 - the flags of `terraform plan`
    workspace: Workspace,
    stack: Stack,
    output: Output | None = None,
    *,
    mode: Mode = Mode.APPLY,
    color: bool = False,
    targets: Sequence[str] = (),
) -> Plan:
    """Plan an initialised stack and save the plan.

    A change of capacity providers would replace the ECS service. It is planned again as an update that starts
    new tasks.

    Args:
        workspace: The environment.
        stack: The stack.
        output: Called with each line that Terraform prints.
        mode: Whether to apply or to destroy.
        color: Terraform prints in color.
        targets: The addresses that the plan is limited to; empty for everything.

    Raises:
        OutputsMissingError: The foundation must be applied first.
        ProgramError: Terraform fails for a different reason, or would replace an adopted resource.
    """
    if targets:
        output = output and targeting.without_warnings(output)
    terraform, path = workspace.terraform(stack, color=color), workspace.plan(stack)
    try:
        planned = _plan(workspace, stack, terraform.plan(path, mode, targets), output)
        forced = services_with_new_capacity(planned.printed) if planned.printed else ()
    except ProgramError as error:
        forced = services_refused_for_capacity(error.output)
        if not forced:
            raise
    if forced:
        planned = _plan(workspace, stack, terraform.plan(path, mode, targets, forced), output)
        planned = replace(planned, forced=forced)
    _refuse_loss_of_adopted(workspace, planned)
    return planned


def _refuse_loss_of_adopted(workspace: Workspace, planned: Plan) -> None:
    """Discard a plan that would replace a resource that it imports.

    Raises:
        ProgramError: It would.
    """
    changes = planned.printed.changes if planned.printed else ()
    if planned.changes and planned.printed is None:
        changes = read_changes(workspace, planned).changes
    if losses := adoption.replaced_imports(changes):
        planned.discard()
        raise ProgramError("\n".join(losses))


def _plan(workspace: Workspace, stack: Stack, argv: list[str], output: Output | None) -> Plan:
    path, log = workspace.plan(stack), workspace.log(stack, "plan")
    accepted = (0, _PLAN_HAS_CHANGES)
    try:
        result = _with_imports(
            workspace,
            stack,
            lambda: _retry_initialized(
                workspace, stack, lambda: workspace.run(stack, argv, log, output, accepted)
            ),
        )
    except BaseException as error:
        # Another checkout may have destroyed the foundation.
        for doubtful in (path, workspace.applied_fact(FOUNDATION)):
            doubtful.unlink(missing_ok=True)
        if isinstance(error, ProgramError) and lacks_outputs(error.output):
            raise OutputsMissingError(str(error), error.output) from None
        raise
    # The wrapper of hashicorp/setup-terraform turns this exit code into 0.
    changes = result.code == _PLAN_HAS_CHANGES or text_reader.has_changes(result.lines)
    summary = summarize(result.lines, result.seconds)
    printed = text_reader.read(stack.name, result.lines) if changes else None
    return Plan(stack, path, summary, changes, printed, text_reader.has_outputs(result.lines))


def plan_to_apply(
    workspace: Workspace,
    stack: Stack,
    output: Output | None = None,
    *,
    mode: Mode = Mode.APPLY,
    color: bool = False,
) -> Plan:
    """Plan a stack for an apply: first untaint tainted resources whose replacement would block itself.

    Raises:
        OutputsMissingError: The foundation must be applied first.
        ProgramError: Terraform fails for a different reason.
    """
    planned = plan(workspace, stack, output, mode=mode, color=color)
    tainted_addresses = tainted.blocking_taints(planned.printed) if planned.printed else ()
    if not tainted_addresses:
        return planned
    terraform = workspace.terraform(stack, color=color)
    for address in tainted_addresses:
        workspace.run(stack, terraform.untaint(address), workspace.log(stack, "untaint"), output)
    return plan(workspace, stack, output, mode=mode, color=color)


def _with_imports(workspace: Workspace, stack: Stack, plan_once: Callable[[], Result]) -> Result:
    """Plan with import blocks for resources that a killed apply created.

    The blocks do not stay in the folder.

    If a resource does not exist after all, drop its import and plan again.
    """
    lost, import_file = workspace.lost(stack.name), workspace.folder / stack.name / _IMPORTS
    imports = json.loads(lost.read_text(encoding="utf-8")) if lost.is_file() else {}
    while True:
        if imports:
            import_file.write_text(import_blocks(imports), encoding="utf-8")
        try:
            return plan_once()
        except ProgramError as error:
            missing = missing_imports(error.output) & imports.keys()
            if not missing:
                raise
            imports = {address: imports[address] for address in imports if address not in missing}
            lost.write_text(json.dumps(imports), encoding="utf-8")
        finally:
            import_file.unlink(missing_ok=True)


def show(workspace: Workspace, planned: Plan) -> Any:  # noqa: ANN401 - JSON
    """Return a saved plan as `terraform show -json` prints it, secrets included."""
    argv, variables = (
        workspace.terraform(planned.stack).show(planned.path),
        workspace.variables_of(planned.stack),
    )
    text = _retry_initialized(workspace, planned.stack, lambda: read(argv, variables))
    return json_output.parse(workspace.program, text)


def read_changes(workspace: Workspace, planned: Plan, *, values: bool = False) -> StackPlan:
    """Return what a saved plan would do, from its text if that is enough: its JSON takes seconds longer.

    Args:
        workspace: The environment.
        planned: The plan.
        values: Include values that differ, outputs, and changes made outside of Terraform.
    """
    if not planned.changes:
        return StackPlan(planned.stack.name)
    if planned.printed and not values:
        return planned.printed
    return models.read(planned.stack.name, show(workspace, planned))


def arrange(workspace: Workspace, planned: Plan, *, values: bool = False) -> Arrangement:
    """Return what a plan would do, and in which phase.

    The JSON is read only if the foundation loses something and the counts do not show that it does nothing
    else.

    Args:
        workspace: The environment.
        planned: The plan.
        values: Include values that differ, outputs, and changes made outside of Terraform.
    """
    summary = planned.summary
    if planned.stack.reads_foundation or not summary.destroy:
        return Arrangement(read_changes(workspace, planned, values=values), summary)
    if summary.only_destroys and not (summary.change or summary.imports or planned.outputs or values):
        changes = read_changes(workspace, planned)
        later = tuple(change.address for change in changes.changes)
        return Arrangement(replace(changes, later=later), summary, goes_last=True)
    shown = show(workspace, planned)
    plan_shown = models.read(planned.stack.name, shown)
    return phases.arrange(plan_shown, summary, shown)


def plan_additions(
    workspace: Workspace,
    arrangement: Arrangement,
    stack: Stack,
    output: Output | None = None,
    *,
    color: bool = False,
) -> Plan:
    """Plan only the additions of the foundation.

    Raises:
        CheckFailedError: The system does not take so many targets, or the plan has changes that the whole
            plan does not have.
        ProgramError: Terraform fails.
    """
    if sum(len(os.fsencode(target)) + _TARGET_OVERHEAD for target in arrangement.targets) > _MAX_TARGETS:
        raise CheckFailedError(
            f"{stack.name}: {len(arrangement.targets)} resources are added beside others that are removed,"
            " which is more than one plan of additions can name; add them first, and remove the others with"
            " a second change"
        )
    planned = plan(workspace, stack, output, color=color, targets=arrangement.targets)
    if not phases.is_within(read_changes(workspace, planned).changes, arrangement.changes):
        planned.discard()
        raise CheckFailedError(
            f"{stack.name} has changed while it was planned; nothing was applied: plan again"
        )
    return replace(planned, arrangement=arrangement)


def output(workspace: Workspace, stack: Stack, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return the value of an applied stack's output."""
    argv, variables = workspace.terraform(stack).output(name), workspace.variables_of(stack)
    text = _retry_initialized(workspace, stack, lambda: read(argv, variables))
    return json_output.parse(workspace.program, text)


def apply(
    workspace: Workspace, planned: Plan, output: Output | None = None, *, color: bool = False
) -> Summary:
    """Apply a saved plan, and discard it."""
    for doubtful in (workspace.applied, workspace.applied_fact(planned.stack)):
        doubtful.unlink(missing_ok=True)
    argv = workspace.terraform(planned.stack, color=color).apply(planned.path)
    if planned.is_split:
        output = output and targeting.without_warnings(output)
    try:
        result = workspace.run(planned.stack, argv, workspace.log(planned.stack, "apply"), output)
    finally:
        planned.discard()
    workspace.lost(planned.stack.name).unlink(missing_ok=True)
    if planned.forced:
        _end_forcing(workspace, planned.stack, output, color=color)
    return summarize(result.lines, result.seconds)


def _end_forcing(workspace: Workspace, stack: Stack, output: Output | None, *, color: bool) -> None:
    """Record in the state that later updates start no new tasks; otherwise the next plan would show that.

    Nothing else is applied: other changes, made meanwhile, are left to the next plan.
    """
    terraform = workspace.terraform(stack, color=color)
    planned = _plan(workspace, stack, terraform.plan(workspace.plan(stack)), output)
    try:
        changes = read_changes(workspace, planned, values=True).changes
        if changes and all(map(_only_ends_forcing, changes)):
            workspace.run(stack, terraform.apply(planned.path), workspace.log(stack, "apply"), output)
    finally:
        planned.discard()


def _only_ends_forcing(change: Change) -> bool:
    names = [difference.name for difference in change.differences]
    return change.action == Action.UPDATE and names == ["force_new_deployment"]
