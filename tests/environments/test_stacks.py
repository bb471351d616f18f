"""Terraform finds every stack of the sample valid."""

from pathlib import Path

import pytest

from fleetform.base.processes import run
from fleetform.stacks import stacks
from fleetform.terraform import commands, installation
from fleetform.validation.loading import load
from tests import sample


@pytest.mark.parametrize("environment", sample.ENVIRONMENTS)
def test_terraform_finds_every_stack_valid(
    sample_copy: Path, tmp_path: Path, environment: str, terraform_binary: str
) -> None:
    variables = installation.variables({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, tmp_path)
    for stack in stacks(load(sample_copy, environment)):
        terraform = commands.Terraform(terraform_binary, sample_copy / "envs" / environment / stack.name)
        run(terraform.init(backend=False), variables, tmp_path / "init.log")
        assert run(terraform.validate(), variables, tmp_path / "validate.log").code == 0
