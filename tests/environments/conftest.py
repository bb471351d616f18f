"""Plans of the sample's `dev`, made once for all tests here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tftest

from fleetform import emulator
from fleetform.base.processes import run
from fleetform.render.writer import Change
from fleetform.workflow.apply import states, terraform
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from fleetform.workflow.workspace import Workspace, open_workspace
from tests.conftest import copy_sample
from tests.environments import naughty

NAUGHTY = "naughty"
Values = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Renamed:
    """What a rename of an applied service comes to, in a state that has the role of another one tainted.

    Attributes:
        files: The files of the foundation that it changes.
        plan: The plan of the services.
        untainted: What Terraform says of the role.
    """

    files: list[Change]
    plan: Plan
    untainted: str


@dataclass(frozen=True)
class Plans:
    """Planned values of every resource by address, and a rename."""

    foundation: Values
    services: Values
    renamed: Renamed


@pytest.fixture(scope="session")
def fleetform_project(sample_root: Path) -> Path:
    """The project that `plan_of` plans: the sample."""
    return sample_root


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plans]:
    """The plans of the sample's `dev`, but against the emulator.

    Its services are planned over an applied foundation.

    One service is added, which has no port and changes nothing else: its environment holds every naughty
    string.
    """
    project = Project(copy_sample(tmp_path_factory.mktemp("dev")))
    with (project.root / "envs/dev/environment.yaml").open("a", encoding="utf-8") as file:
        file.write("\nemulator: true\n")
    with (project.root / "envs/catalog.yaml").open("a", encoding="utf-8") as file:
        file.write(naughty.service(NAUGHTY))
    files.render_environment(project, "dev")
    workspace = open_workspace(project, "dev")
    try:
        states.bootstrap(workspace)
        foundation, services = (_stack(workspace, stack.name) for stack in workspace.stacks)
        foundation.setup(init_vars="backend.hcl", cleanup_on_exit=False)
        planned = foundation.plan(output=True)
        foundation.apply()
        services.setup(init_vars="backend.hcl", cleanup_on_exit=False)
        values = services.plan(output=True)
        services.apply()
        of_stacks = _values(planned), _values(values)
        yield Plans(*of_stacks, _renamed(project, workspace))
    finally:
        emulator.stop(project.work)


def _renamed(project: Project, workspace: Workspace) -> Renamed:
    """Makes `stock` of `dev` the `inventory`, taints the role of `web`, and plans that to apply it."""
    catalog = project.root / "envs/catalog.yaml"
    text = catalog.read_text(encoding="utf-8").replace("calls: [stock]", "calls: [inventory]")
    catalog.write_text(
        text.replace("  stock:\n", "  inventory:\n    renamed_from: stock\n"), encoding="utf-8"
    )
    changes = files.render_changes(project, "dev")["foundation"]
    files.render_environment(project, "dev")
    stack = workspace.stacks[-1]
    terraform.init(workspace, stack)
    taint = [
        workspace.program,
        f"-chdir={workspace.folder / stack.name}",
        "taint",
        "module.web.aws_iam_role.task",
    ]
    run(taint, workspace.variables_of(stack), workspace.log(stack, "taint"))
    planned = terraform.plan_to_apply(workspace, stack)
    return Renamed(changes, planned, workspace.log(stack, "untaint").read_text(encoding="utf-8"))


def _stack(workspace: Workspace, name: str) -> Any:  # noqa: ANN401 - tftest is not typed
    terraform = tftest.TerraformTest(str(workspace.folder / name), binary=workspace.program)  # type: ignore[no-untyped-call]
    terraform.env = dict(workspace.variables)
    return terraform


def _values(plan: Any) -> Values:  # noqa: ANN401 - tftest is not typed
    """Known values of all resources, without those that are empty or false."""
    modules = plan.root_module["child_modules"]
    empty: tuple[Any, ...] = (None, [], {}, "", False)
    return {
        resource["address"]: {key: value for key, value in resource["values"].items() if value not in empty}
        for module in modules
        for resource in module["resources"]
    }
