"""Stacks that are planned and applied side by side: what fails, what goes on, what is asked and recorded."""

import io
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.cli import runs as runs_of
from fleetform.cli import stacks
from fleetform.cli.plans import OutputOptions
from fleetform.cli.stacks import apply_stacks
from fleetform.stacks import Stack
from fleetform.terraform.state.reader import state_key
from fleetform.validation.loading import load
from fleetform.workflow.apply import runs, states
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.apply.runs import Run, State
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from fleetform.workflow.workspace import open_workspace, suitable_jobs, work_folder
from tests import commits, small_project
from tests.fake_terraform import FakeTerraform
from tests.terraform.plan import recorded

RISKY = """Terraform will perform the following actions:

  # aws_lb.this will be destroyed
  - resource "aws_lb" "this" {
    }
"""
HARMLESS = RISKY.replace("destroyed", "created").replace("- res", "+ res")


class Terminal(io.StringIO):
    """What a user types."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


@pytest.fixture
def project(tiny_project: Project, fake_terraform: FakeTerraform) -> Project:
    """A project with two groups, of which each plan has a change; AWS is the emulator."""
    fake_terraform.plan(add=1, text=HARMLESS)
    fake_terraform.show(recorded.text("fleet"))
    small_project.change(tiny_project, "envs/catalog.yaml", "  orders:\n", "  orders:\n    group: payments\n")
    return tiny_project


def last_run(project: Project) -> Run:
    return runs.read_runs(work_folder(project, "tiny"))[-1]


def came_to(project: Project) -> dict[str, State]:
    return {name: stack.state for name, stack in last_run(project).stacks.items()}


CREDENTIALS = (
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`"
)
ALL = RunOptions(yes=True, jobs=2)


def test_a_stack_that_fails_stops_its_dependents_and_no_others(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    fake_terraform.fail("apply", "Error: no such thing", stack="payments")
    with pytest.raises(ProgramError) as caught:
        stacks.apply(project, "tiny", ALL)
    assert str(caught.value).endswith("logs/payments-apply.log")
    assert fake_terraform.applied() == ["foundation", "payments", "services"]
    assert last_run(project).state == State.FAILED
    assert came_to(project) == {
        "foundation": State.APPLIED,
        "payments": State.FAILED,
        "services": State.APPLIED,
    }


def test_where_the_foundation_fails_nothing_else_is_touched(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    fake_terraform.fail("apply", "Error: no such thing", stack="foundation")
    with pytest.raises(ProgramError):
        stacks.apply(project, "tiny", ALL)
    assert fake_terraform.applied() == ["foundation"]
    assert came_to(project) == {
        "foundation": State.FAILED,
        "payments": State.WAITING,
        "services": State.WAITING,
    }


def test_where_a_stack_of_a_wave_cannot_be_planned_none_of_it_is_applied(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    fake_terraform.fail("plan", "Error: no plan", stack="services")
    with pytest.raises(ProgramError):
        stacks.apply(project, "tiny", ALL)
    assert fake_terraform.applied() == ["foundation"]
    assert list(project.work.rglob("*.tfplan")) == []


MISSING_OUTPUT = """Error: Invalid index

  on service_web.tf line 12, in module "web":
  12:   security_group_ids    = [local.foundation.security_group_ids["web"]]

The given key does not identify an element in this collection value."""


@pytest.fixture
def waits(fake_terraform: FakeTerraform, foundation: None) -> None:  # noqa: ARG001 - it has been applied
    """The stack `services` reads an output that an applied foundation does not have yet."""
    fake_terraform.fail("plan", MISSING_OUTPUT, stack="services")


@pytest.mark.usefixtures("waits")
def test_a_stack_that_reads_an_output_to_be_made_is_planned_later(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.plan(project, "tiny", output=OutputOptions(as_json=True))
    printed = json.loads(capsys.readouterr().out)
    assert [stack["stack"] for stack in printed["stacks"]] == ["foundation", "payments"]
    assert printed["waiting"] == ["services"]
    stacks.plan(project, "tiny", options=ALL)
    printed = capsys.readouterr().out
    assert re.search(r"^services: plan: waits for foundation \(", printed, re.MULTILINE)
    assert "\nservices: reads outputs of foundation; plan it after foundation is applied\n" in printed


@pytest.mark.usefixtures("waits")
def test_a_stack_that_is_planned_later_has_drifted(project: Project) -> None:
    with pytest.raises(
        CheckFailedError, match=r"^differs from the catalog: foundation, payments, services; "
    ):
        stacks.drift(project, "tiny")


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("command", [stacks.plan, stacks.drift])
def test_what_reads_an_output_that_will_never_be_there_fails(
    project: Project, fake_terraform: FakeTerraform, command: Callable[[Project, str], None]
) -> None:
    fake_terraform.no_changes(stack="foundation")
    with pytest.raises(ProgramError, match=r"^it reads outputs that the foundation does not have yet; "):
        command(project, "tiny")
    assert list(project.work.rglob("*.tfplan")) == []


@pytest.mark.parametrize(
    ("processors", "free", "jobs"),
    # A stack of 100 services takes 1,500 MB, one of 20 takes 1,100.
    [(8, 8000, 4), (2, 8000, 2), (8, 2600, 2), (8, 2599, 1), (8, 100, 1)],
)
def test_as_many_stacks_are_planned_at_a_time_as_processors_and_memory_suffice_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int, free: int, jobs: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    monkeypatch.setattr("fleetform.workflow.workspace._free_memory", lambda: free * 1024**2)
    environment = load(small_project.make(tmp_path).root, "tiny")
    groups = [Stack(f"group{size}", (), ("web",) * size) for size in (20, 100, 20, 20)]
    assert suitable_jobs(environment, groups) == jobs


def test_all_failures_of_a_wave_are_reported(project: Project, fake_terraform: FakeTerraform) -> None:
    for stack in ("payments", "services"):
        fake_terraform.fail("apply", "Error: no such thing", stack=stack)
    with pytest.raises(ProgramError) as caught:
        stacks.apply(project, "tiny", ALL)
    first, *others = str(caught.value).splitlines()
    assert first == "tiny: apply failed in 2 stacks"
    assert [line.partition(":")[0] for line in others] == ["payments", "services"]


def test_a_resumed_apply_has_but_what_was_left(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.fail("apply", "Error: no such thing", stack="payments")
    with pytest.raises(ProgramError):
        stacks.apply(project, "tiny", ALL)
    fake_terraform.reset("apply", stack="payments")
    stacks.apply(project, "tiny", ALL, resume=True)
    assert fake_terraform.applied() == ["foundation", "payments", "payments", "services"]


def test_what_has_changed_since_is_not_resumed(project: Project, fake_terraform: FakeTerraform) -> None:
    fake_terraform.fail("apply", "Error: no such thing", stack="payments")
    with pytest.raises(ProgramError):
        stacks.apply(project, "tiny", ALL)
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    files.render_environment(project, "tiny")
    with pytest.raises(
        InputError, match=r"^--resume: the files of tiny, or the commit, have changed since the last"
    ):
        stacks.apply(project, "tiny", ALL, resume=True)


def test_where_nothing_was_left_nothing_is_resumed(project: Project) -> None:
    stacks.apply(project, "tiny", ALL)
    with pytest.raises(
        InputError, match=r"^--resume: the last apply of tiny finished all stacks; apply without --resume$"
    ):
        stacks.apply(project, "tiny", ALL, resume=True)


def test_without_an_apply_nothing_is_resumed(project: Project) -> None:
    with pytest.raises(
        InputError, match=r"^--resume: no recorded apply of tiny in this checkout; apply without --resume$"
    ):
        stacks.apply(project, "tiny", ALL, resume=True)


def test_just_the_stacks_that_are_named_are_applied(project: Project, fake_terraform: FakeTerraform) -> None:
    stacks.apply(project, "tiny", RunOptions(yes=True, only=frozenset({"payments"})))
    assert fake_terraform.applied() == ["payments"]


def test_a_stack_that_is_not_there_is_refused_with_a_suggestion(project: Project) -> None:
    with pytest.raises(InputError, match=r"^--stack: tiny has no stack `payment`; .*payments"):
        stacks.plan(project, "tiny", options=RunOptions(only=frozenset({"payment"})))


def test_without_credentials_a_plan_shows_what_to_set(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_ENDPOINT_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(project.root))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ProgramError) as caught:
        stacks.plan(project, "tiny")
    assert str(caught.value).splitlines() == [
        f"no AWS credentials found; {CREDENTIALS}",
        "state bucket shop-tiny-tfstate-123456789012: Unable to locate credentials; check credentials",
    ]


def test_a_wave_is_asked_about_once(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\ny\n"))
    stacks.apply(project, "tiny", RunOptions(jobs=2))
    asked = [line for line in capsys.readouterr().out.splitlines() if "Continue?" in line]
    assert asked == [
        "tiny foundation in account 123456789012: 1 to add. Continue? [y/N] foundation: apply",
        "tiny in account 123456789012: payments 1 to add; services 1 to add. Continue? [y/N] payments: apply",
    ]


@pytest.mark.parametrize(("protection", "text"), [(True, HARMLESS), (False, RISKY)])
def test_the_name_is_typed_where_an_environment_is_protected_or_data_would_be_lost(
    fake_terraform: FakeTerraform,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    *,
    protection: bool,
    text: str,
) -> None:
    fake_terraform.plan(add=int(text == HARMLESS), destroy=int(text == RISKY), text=text)
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    workspace = open_workspace(project, "tiny")
    environment = workspace.environment.model_copy(update={"protection": protection})
    with pytest.raises(InputError, match=r"^not confirmed; nothing was changed$"):
        apply_stacks(replace(workspace, environment=environment), lambda: None, RunOptions())
    assert fake_terraform.applied() == []


def test_a_plan_is_not_applied_once_what_it_was_made_of_has_changed(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Thinking(Terminal):
        """Somebody who edits a file before the answer."""

        def isatty(self) -> bool:
            small_project.write(project, "envs/tiny/foundation/later.tf", "")
            return True

    monkeypatch.setattr("sys.stdin", Thinking("y\n"))
    with pytest.raises(CheckFailedError) as caught:
        stacks.apply(project, "tiny")
    assert str(caught.value) == (
        "the files of tiny, or the commit, have changed since the plan was made; nothing was applied: plan"
        " again"
    )
    assert fake_terraform.applied() == []
    assert list(project.work.rglob("*.tfplan")) == []


def test_a_record_has_the_user_the_task_and_the_commit(project: Project) -> None:
    commits.git(project.root, "init", "--quiet")
    commits.git(project.root, "add", "envs", "modules", "templates")
    commits.git(project.root, "commit", "--quiet", "--message", "first")
    commit = commits.git(project.root, "rev-parse", "HEAD")
    stacks.apply(project, "tiny", ALL)
    run = last_run(project)
    assert run.task == "apply"
    assert run.environment == "tiny"
    assert run.account == "123456789012"
    assert run.revision.commit == commit
    assert run.changed is False
    assert run.process == os.getpid()
    assert run.state == State.DONE
    assert {stack.counts for stack in run.stacks.values()} == {"1 added, 0 changed, 0 destroyed"}
    assert run.started < run.ended


def test_a_killed_run_is_reported(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.apply(project, "tiny", ALL)
    (path,) = (work_folder(project, "tiny") / "runs").glob("*.json")
    text = path.read_text("utf-8").replace('"state": "done"', '"state": "running"')
    path.write_text(text.replace(f'"process": {os.getpid()}', '"process": 4194305'), "utf-8")
    capsys.readouterr()
    runs_of.show(project, "tiny", as_json=False)
    run = last_run(project)
    assert run.state == State.KILLED
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"the apply of {run.started} by {run.who} was killed: what Terraform created in its last seconds"
        " may not be"
        " in the state; `invoke state-doctor --env tiny` looks, and the next apply continues from there"
    )


def test_records_of_the_last_fifty_runs_are_kept(project: Project) -> None:
    stacks.apply(project, "tiny", ALL)
    folder = work_folder(project, "tiny") / "runs"
    (path,) = folder.glob("*.json")
    for number in range(60):
        (folder / f"2020-{number:02}.json").write_text(path.read_text("utf-8"), "utf-8")
    stacks.apply(project, "tiny", ALL)
    assert len(list(folder.glob("*.json"))) == 50


@pytest.fixture
def foundation(project: Project) -> Iterator[None]:
    """The foundation has been applied."""
    workspace = open_workspace(project, "tiny")
    states.bootstrap(workspace)
    s3, bucket = workspace.access.client("s3"), workspace.environment.state_bucket
    s3.put_object(Bucket=bucket, Key=state_key("foundation"), Body=b'{"resources": []}')
    yield
    for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


SAVING = OutputOptions(save=True)


@pytest.mark.usefixtures("foundation")
def test_plans_that_are_kept_are_applied_as_they_are(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.plan(project, "tiny", output=SAVING)
    fake_terraform.fail("plan", "Error: no plan", stack="services")
    capsys.readouterr()
    stacks.apply(project, "tiny", ALL, saved=True)
    assert fake_terraform.applied() == ["foundation", "payments", "services"]
    assert list(project.work.rglob("*.tfplan")) == []
    with pytest.raises(
        InputError, match=r"^--saved: tiny has no saved plan; run `invoke plan --env tiny --save`"
    ):
        stacks.apply(project, "tiny", ALL, saved=True)


@pytest.mark.usefixtures("foundation")
def test_plans_of_what_has_changed_since_are_not_applied(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    stacks.plan(project, "tiny", output=SAVING)
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    files.render_environment(project, "tiny")
    with pytest.raises(
        InputError, match=r"^--saved: the files of tiny, or the commit, have changed since the plans"
    ):
        stacks.apply(project, "tiny", ALL, saved=True)
    assert fake_terraform.applied() == []
    assert list(project.work.rglob("*.tfplan")) == []


@pytest.mark.usefixtures("foundation")
def test_plans_that_read_what_the_foundation_will_change_are_not_kept(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.plan(add=1, text=HARMLESS, outputs="\nChanges to Outputs:\n  + one = 1\n")
    stacks.plan(project, "tiny", output=SAVING)
    printed = capsys.readouterr().out
    assert "payments: reads outputs of foundation; plan it after foundation is applied\n" in printed
    stacks.apply(project, "tiny", ALL, saved=True)
    assert fake_terraform.applied() == ["foundation"]
    assert capsys.readouterr().out.endswith(
        "\npayments, services: no plan was saved; `invoke plan --env tiny` shows what is left\n"
    )


def test_an_interrupt_ends_all_stacks_of_a_wave_and_keeps_no_plan(
    project: Project, fake_terraform: FakeTerraform, capfd: pytest.CaptureFixture[str]
) -> None:
    """One is planned, the other one hangs; then Ctrl-C comes."""
    fake_terraform.run("plan", f"kill -INT {os.getpid()} && exec sleep 60", stack="services")
    with pytest.raises(KeyboardInterrupt):
        stacks.apply(project, "tiny", ALL)
    assert came_to(project)["services"] == State.INTERRUPTED
    assert last_run(project).state == State.INTERRUPTED
    assert list(project.work.rglob("*.tfplan")) == []
    assert "\nwaiting for Terraform to finish what it has started" in capfd.readouterr().err


@pytest.mark.usefixtures("foundation")
def test_a_plan_that_reads_what_the_foundation_will_change_is_marked(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.plan(add=1, text=HARMLESS, outputs="\nChanges to Outputs:\n  + one = 1\n")
    fake_terraform.no_changes(stack="services")
    stacks.plan(project, "tiny")
    printed = capsys.readouterr().out
    assert (
        "services: reads outputs of foundation that will change; its plan is made again after foundation is"
        " applied, and may have more\n"
    ) in printed
    assert re.search(r"^services +0\+ +0\+ +0\+ +0\+ +- *$", printed, re.MULTILINE)
    assert re.search(r"^payments +1\+ +0\+ +0\+ +0\+ +- *$", printed, re.MULTILINE)
