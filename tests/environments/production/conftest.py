"""The sample's `prod` with every service feature: applied to the emulator, changed, destroyed."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fleetform import emulator
from fleetform.base.processes import run
from fleetform.catalog.models import Environment
from fleetform.render.writer import Change
from fleetform.stacks import Stack
from fleetform.workflow.apply import states, terraform
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.check.assessment import Assessment, assess_plans
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from fleetform.workflow.workspace import Workspace, open_workspace
from tests.conftest import copy_sample
from tests.environments.production import account

SERVICES = Path(__file__).with_name("services.yaml")

_ENVIRONMENT = {
    "protection: true": "protection: false\nemulator: true",
    "subnets: private": "subnets: private\n  nat: single\n  endpoints: [ecr.api, ecr.dkr, logs]",
}
"""What `prod` says otherwise here.

It has endpoints and NAT, as `mail` calls the internet, and it can be destroyed.
"""

_SPOOL = "    sidecars: { spool: { image: 123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/spool:1.0 } }\n"

_CHANGES = {
    "ap-northeast-1c]": "ap-northeast-1c, ap-northeast-1d]",  # add a zone
    "    calls: [media]\n": "",  # remove a call
    "  mail:\n": f"  mail:\n{_SPOOL}",  # add a sidecar
    "    exec: true\n": "    exec: true\n    autoscaling: { min: 1, max: 4 }\n",  # toggle autoscaling: on
    "    calls: [stock]\n": "    calls: [inventory]\n",  # rename a service
    "  stock:\n": "  inventory:\n    renamed_from: stock\n",
}
_CHANGES_OF_ENVIRONMENT = {
    "    autoscaling: { min: 2, max: 10, cpu: 60, requests_per_target: 1000 }\n": "    desired_count: 2\n",
    "  stock:\n": "  inventory:\n",
}
"""Five changes in one plan of each stack, as a plan costs ten seconds.

No two of them concern the same module.
"""

Document = dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Production:
    """What became of `prod`.

    Attributes:
        environment: The environment as it was applied.
        drifted: Whether the plan that followed the apply had changes, by stack.
        applied: JSON of what was applied, by stack.
        assessed: What the policy says of that.
        rendered: The files that the changes of the catalog changed.
        planned: What Terraform says, message by message, of the plans of these changes, by stack.
        before: What the account had before the apply, by kind.
        meanwhile: What it had after it.
        after: What it had after the destroy.
    """

    environment: Environment
    drifted: Mapping[str, bool]
    applied: Mapping[str, Document]
    assessed: Assessment
    rendered: list[Change]
    planned: Mapping[str, tuple[Document, ...]]
    before: account.Inventory
    meanwhile: account.Inventory
    after: account.Inventory


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """The life of `prod`."""
    project = Project(copy_sample(tmp_path_factory.mktemp("prod")))
    _edit(project, {}, _ENVIRONMENT, SERVICES.read_text(encoding="utf-8"))
    workspace = open_workspace(project, "prod")
    try:
        yield _life(project, workspace)
    finally:
        emulator.stop(project.work)


def _life(project: Project, workspace: Workspace) -> Production:
    states.bootstrap(workspace)
    before = account.inventory(workspace.access)
    for stack in workspace.stacks:
        terraform.init(workspace, stack)
        _run(workspace, stack, "apply", "-auto-approve")
    meanwhile = account.inventory(workspace.access)
    plans = _at_once(lambda stack: terraform.plan(workspace, stack), workspace)
    applied = _at_once(lambda stack: _shown(workspace, plans[stack.name]), workspace)
    assessed = assess_plans(project, "prod", applied)
    rendered = _edit(project, _CHANGES, _CHANGES_OF_ENVIRONMENT)
    terraform.init(workspace, workspace.stacks[-1])
    planned = _at_once(lambda stack: _planned(workspace, stack), workspace)
    for stack in reversed(workspace.stacks):
        _run(workspace, stack, "destroy", "-auto-approve")
    after = account.inventory(workspace.access)
    drifted = {name: plan.changes for name, plan in plans.items()}
    return Production(
        workspace.environment, drifted, applied, assessed, rendered, planned, before, meanwhile, after
    )


def _edit(
    project: Project, catalog: Mapping[str, str], environment: Mapping[str, str], services: str = ""
) -> list[Change]:
    """Replaces text in both files, adds services to the catalog, and renders; says what changed."""
    for name, replacements, more in (
        ("catalog.yaml", catalog, services),
        ("prod/environment.yaml", environment, ""),
    ):
        path = project.root / "envs" / name
        text = path.read_text(encoding="utf-8")
        for old, new in replacements.items():
            assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        path.write_text(text + more, encoding="utf-8")
    return files.render_environment(project, "prod")


def _run(workspace: Workspace, stack: Stack, command: str, *arguments: str) -> tuple[str, ...]:
    """Runs Terraform; without a saved plan where the product has one, as a process more costs seconds."""
    argv = [workspace.program, f"-chdir={workspace.folder / stack.name}", command, *arguments]
    return run(argv, workspace.variables_of(stack), workspace.log(stack, command)).lines


def _at_once(task: Callable[[Stack], Result], workspace: Workspace) -> dict[str, Result]:
    """Does something with both stacks, by stack."""
    with ThreadPoolExecutor() as pool:
        return dict(
            zip((stack.name for stack in workspace.stacks), pool.map(task, workspace.stacks), strict=True)
        )


def _shown(workspace: Workspace, plan: Plan) -> Document:
    (line,) = _run(workspace, plan.stack, "show", "-json", str(plan.path))
    document: Document = json.loads(line)
    return document


def _planned(workspace: Workspace, stack: Stack) -> tuple[Document, ...]:
    return tuple(map(json.loads, _run(workspace, stack, "plan", "-json", "-input=false")))
