"""Terraform is asked nothing twice.

The tasks that drive it, against a fake that writes down how it is called.
"""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.terraform.plan.summary import Summary
from fleetform.terraform.state import reader
from fleetform.workflow.apply import states, terraform
from fleetform.workflow.apply.background import Background
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_workspace
from tests import small_project
from tests.fake_terraform import FakeTerraform


@pytest.fixture
def workspace(tmp_path: Path, fake_terraform: FakeTerraform) -> Workspace:
    """An environment of a small project, on AWS."""
    fake_terraform.version("1.11.4")
    fake_terraform.install_on_init()
    return open_workspace(small_project.make(tmp_path), "tiny")


def commands(fake: FakeTerraform) -> list[str]:
    """Return the commands that Terraform was given.

    Only the first small project of a process is formatted.
    """
    return [call.command for call in fake.all_calls() if call.command != "fmt"]


def plan(workspace: Workspace) -> None:
    """Initialises and plans the services."""
    stack = workspace.stacks[-1]
    terraform.init(workspace, stack)
    terraform.plan(workspace, stack)


def test_a_second_plan_is_nothing_but_a_plan(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path
) -> None:
    plan(workspace)
    plan(open_workspace(Project(tmp_path), "tiny"))
    assert commands(fake_terraform) == ["version", "init", "plan", "plan"]


@pytest.mark.usefixtures("workspace")
def test_a_new_program_is_asked_for_its_version(fake_terraform: FakeTerraform, tmp_path: Path) -> None:
    small_project.edit(Project(tmp_path), "bin/terraform", "#!/bin/sh\n", "#!/bin/sh\n# another\n")
    fake_terraform.version("1.9.8")
    for _ in range(2):
        with pytest.raises(ProgramError, match=r"/bin/terraform is version 1\.9\.8; install 1\.10 or later"):
            open_workspace(Project(tmp_path), "tiny")
    assert commands(fake_terraform) == ["version", "version", "version"]


def test_a_stack_that_terraform_finds_uninitialised_is_initialised_and_planned_again(
    fake_terraform: FakeTerraform, workspace: Workspace
) -> None:
    fake_terraform.refuse_once("plan", "Error: Module not installed")
    plan(workspace)
    assert commands(fake_terraform) == ["version", "init", "plan", "init", "plan"]


def test_what_terraform_refuses_twice_is_its_error(
    fake_terraform: FakeTerraform, workspace: Workspace
) -> None:
    fake_terraform.fail("plan", "Error: Required plugins are not installed")
    with pytest.raises(ProgramError) as caught:
        plan(workspace)
    assert caught.value.output == "Error: Required plugins are not installed"
    assert commands(fake_terraform) == ["version", "init", "plan", "init", "plan"]


def test_a_different_error_is_reported_at_once(fake_terraform: FakeTerraform, workspace: Workspace) -> None:
    fake_terraform.fail("plan", "Error: no credentials")
    with pytest.raises(ProgramError) as caught:
        plan(workspace)
    assert caught.value.output == "Error: no credentials"
    assert commands(fake_terraform) == ["version", "init", "plan"]


def test_that_a_stack_was_applied_is_asked_until_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [False, True]
    monkeypatch.setattr(reader, "has_state", lambda *_: answers.pop(0))
    found = [states.has_state(workspace, workspace.stacks[0]) for _ in range(3)]
    assert found == [False, True, True]
    assert answers == []


@pytest.mark.parametrize("end", ["apply", "a plan that fails"])
def test_it_is_asked_again_once_that_is_doubtful(
    fake_terraform: FakeTerraform, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    foundation, answers = workspace.stacks[0], [True, False]
    monkeypatch.setattr(reader, "has_state", lambda *_: answers.pop(0))
    assert states.has_state(workspace, foundation)
    if end == "apply":
        terraform.apply(
            workspace, terraform.Plan(foundation, workspace.plan(foundation), Summary(), changes=True)
        )
    else:
        fake_terraform.fail("plan", "Error: no such output")
        with pytest.raises(ProgramError):
            plan(workspace)
    assert not states.has_state(workspace, foundation)


def test_each_emulator_is_asked_and_gets_a_bucket_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def has_state(*_: object) -> bool:
        asked.append("state")
        return True

    monkeypatch.setattr(reader, "has_state", has_state)
    monkeypatch.setattr(states, "bootstrap", lambda _: asked.append("bucket"))
    emulated = replace(workspace, environment=workspace.environment.model_copy(update={"emulator": True}))
    for record in ("one", "one", "two"):
        small_project.write(Project(tmp_path), ".fleetform/emulator.json", record)
        states.require_bucket(emulated)
        assert states.has_state(emulated, emulated.stacks[0])
    assert asked == ["bucket", "state", "bucket", "state"]


def test_a_bucket_on_aws_is_left_to_bootstrap(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Workspace] = []
    monkeypatch.setattr(states, "bootstrap", asked.append)
    states.require_bucket(workspace)
    assert asked == []


def test_what_is_found_out_meanwhile_is_there_when_it_is_asked_for() -> None:
    go_on = threading.Event()
    background = Background(lambda: go_on.wait(60))
    go_on.set()
    assert [background.result(), background.result()] == [True, True]


def test_a_background_error_is_raised_when_the_result_is_read() -> None:
    def fail() -> None:
        raise CheckFailedError("orders has moved")

    with pytest.raises(CheckFailedError, match=r"^orders has moved$"):
        Background(fail).result()
