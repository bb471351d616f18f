"""What ships in `envs/` is what the catalog says, and Terraform agrees with it."""

from pathlib import Path

import pytest

from fleetform.base.processes import run
from fleetform.stacks import stacks
from fleetform.terraform import commands, installation
from fleetform.validation.loading import load
from fleetform.workflow.project import Project
from fleetform.workflow.render import files, formatting

ENVIRONMENTS = ["dev", "local", "prod"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_render_changes_nothing(root: Path, environment: str) -> None:
    changes = files.render_changes(Project(root), environment)
    assert changes == {stack.name: [] for stack in stacks(load(root, environment))}


def test_all_files_are_formatted(root: Path) -> None:
    with formatting.find_unformatted(Project(root)) as listed:
        assert listed() == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_terraform_finds_every_stack_valid(
    project_copy: Path, tmp_path: Path, environment: str, terraform_binary: str
) -> None:
    variables = installation.variables({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, tmp_path)
    for stack in stacks(load(project_copy, environment)):
        terraform = commands.Terraform(terraform_binary, project_copy / "envs" / environment / stack.name)
        run(terraform.init(backend=False), variables, tmp_path / "init.log")
        assert run(terraform.validate(), variables, tmp_path / "validate.log").code == 0
