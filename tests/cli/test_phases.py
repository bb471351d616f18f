"""An apply that adds and removes: additions, then the services, then removals."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.cli import stacks
from fleetform.cli.plans import OutputOptions
from fleetform.terraform.state.reader import state_key
from fleetform.workflow.apply import runs, states
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.apply.runs import State
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import open_workspace, work_folder
from tests.fake_terraform import FakeTerraform

GROUP = 'module.security.aws_security_group.this["{}"]'


def text_of(**actions: str) -> str:
    signs = {"created": "+", "destroyed": "-"}
    blocks = "".join(
        f"  # {GROUP.format(key)} will be {action}\n"
        f'  {signs[action]} resource "aws_security_group" "this" {{\n    }}\n\n'
        for key, action in actions.items()
    )
    add, destroy = ([*actions.values()].count(action) for action in signs)
    return (
        f"Terraform will perform the following actions:\n\n{blocks}"
        f"Plan: {add} to add, 0 to change, {destroy} to destroy."
    )


def shown(**actions: str) -> str:
    return json.dumps(
        {
            "resource_changes": [
                {
                    "address": GROUP.format(key),
                    "mode": "managed",
                    "type": "aws_security_group",
                    "change": {"actions": [action]},
                }
                for key, action in actions.items()
            ],
            "configuration": {
                "root_module": {
                    "module_calls": {
                        "security": {
                            "module": {
                                "resources": [{"address": "aws_security_group.this", "mode": "managed"}]
                            }
                        }
                    }
                }
            },
        }
    )


WHOLE = text_of(new="created", old="destroyed")
ADDITIONS = text_of(new="created")
REMOVALS = text_of(old="destroyed")


def printing(text: str) -> str:
    return f"""[ -n "$plan" ] && : >"$plan"\ncat <<'END'\n{text}\nEND\nexit 2"""


@pytest.fixture
def project(tiny_project: Project, fake_terraform: FakeTerraform) -> Iterator[Project]:
    """A project whose foundation gains and loses a group; the services' plan changes something too."""
    workspace = open_workspace(tiny_project, "tiny")
    states.bootstrap(workspace)
    s3, bucket = workspace.access.client("s3"), workspace.environment.state_bucket
    for stack in ("foundation", "services"):
        s3.put_object(Bucket=bucket, Key=state_key(stack), Body=b'{"resources": []}')
    fake_terraform.plan(change=1, stack="services")
    fake_terraform.show(shown(web="no-op", new="create", old="delete"))
    fake_terraform.additions(ADDITIONS, stack="foundation")
    applied = fake_terraform.folder / "added"
    # Once its additions are applied, only the removals are left.
    fake_terraform.run(
        "plan", f"if [ -e {applied} ]; then\n{printing(REMOVALS)}\nfi\n{printing(WHOLE)}", stack="foundation"
    )
    fake_terraform.run(
        "apply",
        f"if [ -e {applied} ]; then echo 'Apply complete! Resources: 0 added, 0 changed, 1 destroyed.'"
        "\nelse echo 'Apply complete! Resources: 1 added, 0 changed, 0 destroyed.'; fi"
        f"\n: >{applied}\nexit 0",
        stack="foundation",
    )
    yield tiny_project
    for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


YES = RunOptions(yes=True, jobs=1)
ADD = ["foundation plan foundation.tfplan -target=1", "foundation apply foundation.tfplan"]
SERVICES = ["services plan services.tfplan", "services apply services.tfplan"]
REMOVE = ["foundation plan foundation.tfplan", "foundation apply foundation.tfplan"]


def driven(fake_terraform: FakeTerraform) -> list[str]:
    return fake_terraform.calls("plan", "apply")


def state_of(project: Project, stack: str) -> tuple[State, str]:
    run = runs.read_runs(work_folder(project, "tiny"))[-1].stacks[stack]
    return run.state, run.counts


def test_additions_go_before_the_services_and_removals_after_them(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.apply(project, "tiny", YES)
    assert driven(fake_terraform) == ["foundation plan foundation.tfplan", *ADD, *SERVICES, *REMOVE]
    (targeted,) = [call.targets for call in fake_terraform.all_calls() if call.targets]
    assert targeted == [GROUP.format("new")]
    assert state_of(project, "foundation") == (State.APPLIED, "1 added, 0 changed, 1 destroyed")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines.count(["foundation", "add", "1", "0", "0", "0", "-"]) == 1
    assert lines.count(["foundation", "remove", "0", "0", "0", "1", "medium"]) == 1
    assert list(project.work.rglob("*.tfplan")) == []


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


def test_removals_that_were_approved_are_not_asked_about_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\ny\n"))
    stacks.apply(project, "tiny", RunOptions(jobs=1))
    asked = [line.partition(". Continue?")[0] for line in capsys.readouterr().out.splitlines() if "?" in line]
    account = "in account 123456789012"
    assert asked == [
        f"tiny foundation {account}: 1 to add, 1 to destroy",
        f"tiny services {account}: 1 to change",
    ]


def test_a_removal_that_was_not_shown_is_asked_about(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = text_of(old="destroyed", web="destroyed")
    fake_terraform.run(
        "apply", "echo 'Apply complete! Resources: 0 added, 1 changed, 0 destroyed.'", stack="services"
    )
    fake_terraform.run(
        "plan",
        f"if [ -e {fake_terraform.folder / 'added'} ]; then\n{printing(more)}\nfi\n{printing(WHOLE)}",
        stack="foundation",
    )
    monkeypatch.setattr("sys.stdin", Terminal("y\ny\nn\n"))
    with pytest.raises(Exception, match="not confirmed"):
        stacks.apply(project, "tiny", RunOptions(jobs=1))
    assert driven(fake_terraform)[-1] == "foundation plan foundation.tfplan"
    assert list(project.work.rglob("*.tfplan")) == []


def test_services_that_fail_keep_what_they_use(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.fail("apply", "Error: no such thing", stack="services")
    with pytest.raises(ProgramError):
        stacks.apply(project, "tiny", YES)
    assert driven(fake_terraform) == ["foundation plan foundation.tfplan", *ADD, *SERVICES]
    assert state_of(project, "foundation") == (State.ADDED, "1 added, 0 changed, 0 destroyed")


def test_a_resumed_apply_removes_what_was_left(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.fail("apply", "Error: no such thing", stack="services")
    with pytest.raises(ProgramError):
        stacks.apply(project, "tiny", YES)
    fake_terraform.answer(
        "apply", "Apply complete! Resources: 0 added, 1 changed, 0 destroyed.", stack="services"
    )
    fake_terraform.forget()
    stacks.apply(project, "tiny", YES, resume=True)
    assert driven(fake_terraform)[:5] == ["foundation plan foundation.tfplan", *SERVICES, *REMOVE]


def test_a_foundation_that_is_applied_without_its_services_keeps_what_they_use(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.apply(project, "tiny", RunOptions(yes=True, only=frozenset({"foundation"})))
    assert driven(fake_terraform) == ["foundation plan foundation.tfplan", *ADD]
    assert (
        "foundation: 1 removal left, until services no longer use them; `invoke apply --env tiny` applies"
        " the rest\n"
    ) in capsys.readouterr().out


def test_saved_plans_add_and_then_remove_what_was_reviewed(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    stacks.plan(project, "tiny", output=OutputOptions(save=True), options=RunOptions(jobs=1))
    fake_terraform.forget()
    stacks.apply(project, "tiny", YES, saved=True)
    assert driven(fake_terraform) == [ADD[1], SERVICES[1], *REMOVE]


def test_saved_plans_remove_nothing_else_than_what_was_reviewed(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    stacks.plan(project, "tiny", output=OutputOptions(save=True), options=RunOptions(jobs=1))
    fake_terraform.run("plan", printing(text_of(old="destroyed", web="destroyed")), stack="foundation")
    with pytest.raises(CheckFailedError) as caught:
        stacks.apply(project, "tiny", YES, saved=True)
    assert str(caught.value) == (
        "foundation: more is left to do than what was saved; its removals were not applied: plan again"
    )
    assert driven(fake_terraform)[-1] == "foundation plan foundation.tfplan"


def test_saved_removals_wait_for_services_whose_plan_was_not_saved(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    fake_terraform.additions(f"{ADDITIONS}\n\nChanges to Outputs:\n  + one = 1", stack="foundation")
    stacks.plan(project, "tiny", output=OutputOptions(save=True), options=RunOptions(jobs=1))
    fake_terraform.forget()
    stacks.apply(project, "tiny", YES, saved=True)
    assert driven(fake_terraform) == [ADD[1]]


def test_a_plan_shows_the_phases(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.plan(project, "tiny", output=OutputOptions(as_json=True))
    document: Any = json.loads(capsys.readouterr().out)
    foundation = document["stacks"][0]["changes"]
    assert [(change["address"], change["phase"]) for change in foundation] == [
        (GROUP.format("new"), "add"),
        (GROUP.format("old"), "remove"),
    ]
