"""The parts of a check that run Terraform: planning and validation."""

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from fleetform.cli import plans
from fleetform.cli.screen import Screen
from fleetform.stacks import FOUNDATION, Stack
from fleetform.workflow.apply import states, terraform
from fleetform.workflow.check import validation
from fleetform.workflow.project import Project
from fleetform.workflow.render.rendering import Rendering
from fleetform.workflow.workspace import Workspace, open_offline_workspace, open_workspace


def plan_as_json(project: Project, env: str) -> dict[str, Any]:
    """Plan each stack that can be planned.

    Return what ``terraform show -json`` prints of each plan, by stack.
    """
    screen = Screen(Console(stderr=True, highlight=False))  # standard output may be a report
    workspace = open_workspace(project, env)
    states.require_bucket(workspace)
    outputs, waiting = {}, []
    for stack in workspace.stacks:
        if stack != FOUNDATION and not states.has_state(workspace, FOUNDATION):
            waiting.append(stack.name)
            continue
        with screen.step(f"Plan {stack.name}") as step:
            try:
                outputs[stack.name] = _plan_stack_as_json(workspace, stack)
            except terraform.OutputsMissingError:
                step.note = f"waits for {FOUNDATION.name}"
                waiting.append(stack.name)
    sys.stderr.write("".join(map(plans.waits, waiting)))
    return outputs


def _plan_stack_as_json(workspace: Workspace, stack: Stack) -> Any:  # noqa: ANN401 - JSON
    terraform.init(workspace, stack)
    planned = terraform.plan(workspace, stack)
    try:
        return terraform.show(workspace, planned)
    finally:
        planned.discard()


def validate(project: Project, env: str, rendering: Rendering, keys: Mapping[str, Any]) -> None:
    """Validate stacks, and cache which of them are valid.

    Args:
        project: The checkout.
        env: The environment's name.
        rendering: Its render.
        keys: Cache keys of the stacks to validate, by stack name.
    """
    screen = Screen()
    workspace = open_offline_workspace(project, env)
    for stack in workspace.stacks:
        if stack.name in keys:
            with screen.step(f"Validate {stack.name}"):
                terraform.validate(workspace, stack)
            validation.mark_valid(project, env, rendering, {stack.name: keys[stack.name]})
