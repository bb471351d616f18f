"""Tasks with a Terraform, or a process environment, that is not the usual one."""

import os
import re
from pathlib import Path

import pytest

from fleetform import emulator
from fleetform.base.errors import InputError, ProgramError
from fleetform.cli import render, stacks
from fleetform.cli.deployment import DeployOptions, deploy
from fleetform.cli.plans import OutputOptions
from fleetform.cli.policy import OutputOptions as PolicyOptions
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.project import Project
from fleetform.workflow.render import formatting
from fleetform.workflow.workspace import open_workspace, work_folder
from tests import small_project
from tests.fake_terraform import FakeTerraform
from tests.terraform.plan import recorded

HARMLESS = """Terraform will perform the following actions:

  # aws_eip.this will be created
  + resource "aws_eip" "this" {
    }
"""
# As hashicorp/setup-terraform's wrapper/terraform.js with older releases of its toolkit.
WRAPPER = """#!/bin/sh
echo "[command]{program} $*"
{program} "$@"
code=$?
printf '\\n::set-output name=exitcode::%s\\n' "$code"
[ "$code" = 2 ] && exit 0
[ "$code" = 0 ] || exit 1
"""


@pytest.fixture
def project(tiny_project: Project, fake_terraform: FakeTerraform) -> Project:
    """A project in which every plan has a change, and AWS is the emulator."""
    fake_terraform.plan(add=1, text=HARMLESS)
    fake_terraform.show(recorded.text("fleet"))
    return tiny_project


@pytest.fixture
def wrapped(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> FakeTerraform:
    """Terraform in a wrapper that prints its command and hides exit code 2."""
    folder = project.root / "wrapper"
    folder.mkdir()
    program = folder / "terraform"
    program.write_text(WRAPPER.format(program=fake_terraform.program), "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return fake_terraform


@pytest.mark.usefixtures("wrapped")
def test_a_plan_is_read_through_a_wrapper(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.plan(project, "tiny", output=OutputOptions(details=True))
    assert re.search(r"^foundation +0 +1 +3 +1 ", capsys.readouterr().out, re.MULTILINE)


def test_changes_are_applied_through_a_wrapper_that_hides_their_exit_code(
    project: Project, wrapped: FakeTerraform
) -> None:
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert wrapped.applied() == ["foundation", "services"]


def test_a_program_that_prints_no_json_is_named(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.answer("version", "Terraform v1.11.4")
    with pytest.raises(ProgramError) as caught:
        open_workspace(project, "tiny")
    assert str(caught.value) == (
        f"{fake_terraform.program} printed `Terraform v1.11.4` where JSON was expected; if it is a wrapper"
        " around Terraform, remove it from PATH, or set `terraform_wrapper: false` for"
        " hashicorp/setup-terraform"
    )


def test_lines_of_a_wrapper_are_not_unformatted_files(project: Project, wrapped: FakeTerraform) -> None:
    small_project.write(project, "envs/tiny/services/later.tf", "locals {}\n")
    wrapped.answer("fmt")
    with formatting.find_unformatted(project) as listed:
        assert listed() == []


@pytest.mark.parametrize("name", ["TF_WORKSPACE", "TF_CLI_ARGS_plan"])
@pytest.mark.parametrize("task", [stacks.plan, stacks.apply, stacks.drift, stacks.destroy])
def test_a_variable_that_changes_a_run_is_refused_before_terraform_starts(
    project: Project,
    fake_terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    task: object,
) -> None:
    monkeypatch.setenv(name, "foo")
    assert callable(task)
    with pytest.raises(InputError, match=f"^{name} is set: "):
        task(project, "tiny")
    assert fake_terraform.calls("version", "init", "plan", "apply") == []


def test_a_deployment_refuses_such_a_variable_before_it_renders(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    before = small_project.content(project)
    monkeypatch.setenv("TF_WORKSPACE", "foo")
    with pytest.raises(InputError, match=r"^TF_WORKSPACE is set: "):
        deploy(project, "tiny", DeployOptions())
    assert small_project.content(project) == before


def test_a_workspace_that_was_selected_by_hand_is_refused(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    file = work_folder(project, "tiny") / "data" / "services" / "environment"
    file.parent.mkdir(parents=True)
    file.write_text("foo", "utf-8")
    with pytest.raises(InputError, match=r"environment selects the workspace `foo`, "):
        stacks.plan(project, "tiny")
    assert fake_terraform.calls("version", "init", "plan", "apply") == []


def test_a_render_ignores_additional_arguments(sample_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_fmt", "-no-such-argument")
    project = Project(sample_copy)
    render.render(project, "dev", check=True, as_json=False)


def test_a_validation_starts_no_emulator(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.answer("validate")
    render.check(project, "local", PolicyOptions(), validate=True)
    assert fake_terraform.calls("validate") == ["foundation validate", "services validate"]
    assert emulator.status(project.work) is None
