"""Terraform in an environment: from init to a plan applied."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fleetform.base.errors import ProgramError
from fleetform.base.processes import Output, Result, read, run
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform.commands import Mode
from fleetform.terraform.failures import lacks_outputs, translate_failures
from fleetform.terraform.initialization import is_uninitialized
from fleetform.terraform.plan import models, text_reader
from fleetform.terraform.plan.models import StackPlan
from fleetform.terraform.plan.summary import Summary, summarize
from fleetform.terraform.recovery import tainted
from fleetform.terraform.recovery.apply_log import import_blocks, missing_imports
from fleetform.workflow.workspace import Workspace

T = TypeVar("T")

_PLAN_HAS_CHANGES = 2
_IMPORTS = "fleetform_lost.tf"


class OutputsMissingError(ProgramError):
    """A stack cannot be planned yet: it reads outputs of the foundation that are not there."""


@dataclass(frozen=True)
class Plan:
    """A saved plan.

    Attributes:
        stack: Its stack.
        path: The file.
        summary: What it would do to resources.
        changes: Whether it would do anything, outputs included.
        printed: What of it Terraform's text tells; None if that leaves anything open.
        outputs: Whether it changes outputs.
    """

    stack: Stack
    path: Path
    summary: Summary
    changes: bool
    printed: StackPlan | None = None
    outputs: bool = False

    def discard(self) -> None:
        """Removes the file: a plan may hold what is sensitive."""
        self.path.unlink(missing_ok=True)


def init(workspace: Workspace, stack: Stack, output: Output | None = None) -> None:
    """Initialises a stack, unless nothing that this depends on has changed since it was."""
    argv, log = workspace.terraform(stack).init(), workspace.log(stack, "init")
    workspace.initialization(stack).ensure(lambda: workspace.run(stack, argv, log, output))


def _retry_initialized(workspace: Workspace, stack: Stack, command: Callable[[], T]) -> T:
    """Runs a command in a stack, and once more if Terraform says that it is not initialised after all."""
    try:
        return command()
    except ProgramError as error:
        if not is_uninitialized(f"{error}\n{error.output}"):
            raise
    workspace.initialization(stack).forget()
    init(workspace, stack)
    return command()


def validate(workspace: Workspace, stack: Stack) -> None:
    """Validates a stack without its state."""
    terraform = workspace.terraform(stack)
    variables = {**workspace.variables, "TF_DATA_DIR": str(workspace.work / "validate" / stack.name)}
    with translate_failures(workspace.environment.name):
        run(terraform.init(backend=False), variables, workspace.log(stack, "init"))
    run(terraform.validate(), variables, workspace.log(stack, "validate"))


def plan(
    workspace: Workspace, stack: Stack, output: Output | None = None, *, mode: Mode = Mode.APPLY, color: bool = False
) -> Plan:
    """Plans an initialised stack and saves the plan.

    Raises:
        OutputsMissingError: The foundation is to be applied first.
        ProgramError: Terraform fails otherwise.
    """
    path = workspace.plan(stack)
    argv, log = workspace.terraform(stack, color=color).plan(path, mode), workspace.log(stack, "plan")
    accepted = (0, _PLAN_HAS_CHANGES)
    try:
        result = _with_imports(
            workspace,
            stack,
            lambda: _retry_initialized(workspace, stack, lambda: workspace.run(stack, argv, log, output, accepted)),
        )
    except BaseException as error:
        # The foundation may have been destroyed from elsewhere.
        for doubtful in (path, workspace.applied_fact(FOUNDATION)):
            doubtful.unlink(missing_ok=True)
        if isinstance(error, ProgramError) and lacks_outputs(error.output):
            raise OutputsMissingError(str(error), error.output) from None
        raise
    changes = result.code == _PLAN_HAS_CHANGES
    summary = summarize(result.lines, result.seconds)
    told = text_reader.read(stack.name, result.lines) if changes else None
    return Plan(stack, path, summary, changes, told, text_reader.has_outputs(result.lines))


def plan_to_apply(
    workspace: Workspace, stack: Stack, output: Output | None = None, *, mode: Mode = Mode.APPLY, color: bool = False
) -> Plan:
    """The same of what is to be applied: what is tainted, and in its own way, is taken for whole, in the state, first.

    Raises:
        OutputsMissingError: The foundation is to be applied first.
        ProgramError: Terraform fails otherwise.
    """
    planned = plan(workspace, stack, output, mode=mode, color=color)
    kept = tainted.blocking_taints(planned.printed) if planned.printed else ()
    if not kept:
        return planned
    terraform = workspace.terraform(stack, color=color)
    for address in kept:
        workspace.run(stack, terraform.untaint(address), workspace.log(stack, "untaint"), output)
    return plan(workspace, stack, output, mode=mode, color=color)


def _with_imports(workspace: Workspace, stack: Stack, plan_once: Callable[[], Result]) -> Result:
    """Has a plan import what an apply made that was killed; the plan keeps the imports, and the folder does not.

    What is not there after all is imported no longer, and the plan made again.
    """
    lost, place = workspace.lost(stack.name), workspace.folder / stack.name / _IMPORTS
    imports = json.loads(lost.read_text(encoding="utf-8")) if lost.is_file() else {}
    while True:
        if imports:
            place.write_text(import_blocks(imports), encoding="utf-8")
        try:
            return plan_once()
        except ProgramError as error:
            gone = missing_imports(error.output) & imports.keys()
            if not gone:
                raise
            imports = {address: imports[address] for address in imports if address not in gone}
            lost.write_text(json.dumps(imports), encoding="utf-8")
        finally:
            place.unlink(missing_ok=True)


def show(workspace: Workspace, planned: Plan) -> Any:  # noqa: ANN401 - JSON
    """What a saved plan says, as Terraform shows it: secrets among it."""
    argv, variables = workspace.terraform(planned.stack).show(planned.path), workspace.variables_of(planned.stack)
    return json.loads(_retry_initialized(workspace, planned.stack, lambda: read(argv, variables)))


def read_changes(workspace: Workspace, planned: Plan, *, values: bool = False) -> StackPlan:
    """What a saved plan would do, from its text if that is enough: its JSON takes seconds more.

    Args:
        workspace: The environment.
        planned: The plan.
        values: With the values that differ, outputs, and what was changed outside of Terraform.
    """
    if not planned.changes:
        return StackPlan(planned.stack.name)
    if planned.printed and not values:
        return planned.printed
    return models.read(planned.stack.name, show(workspace, planned))


def output(workspace: Workspace, stack: Stack, name: str) -> Any:  # noqa: ANN401 - JSON
    """The value of an applied stack's output."""
    argv, variables = workspace.terraform(stack).output(name), workspace.variables_of(stack)
    return json.loads(_retry_initialized(workspace, stack, lambda: read(argv, variables)))


def apply(workspace: Workspace, planned: Plan, output: Output | None = None, *, color: bool = False) -> Summary:
    """Applies a saved plan, and discards it."""
    for doubtful in (workspace.applied, workspace.applied_fact(planned.stack)):
        doubtful.unlink(missing_ok=True)
    argv = workspace.terraform(planned.stack, color=color).apply(planned.path)
    try:
        result = workspace.run(planned.stack, argv, workspace.log(planned.stack, "apply"), output)
    finally:
        planned.discard()
    workspace.lost(planned.stack.name).unlink(missing_ok=True)
    return summarize(result.lines, result.seconds)
