"""The tasks that drive Terraform, against a fake program that writes down how it is called."""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.cli import emulator as emulator_tasks
from fleetform.cli import plans as plans_of
from fleetform.cli import render, stacks
from fleetform.cli.plans import OutputOptions, document
from fleetform.terraform.plan.drift import drift as find_drift
from fleetform.terraform.state.bucket import BucketSpec, ensure_bucket
from fleetform.terraform.state.reader import state_key
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from tests import small_project
from tests.fake_terraform import FakeTerraform
from tests.terraform.plan import recorded

APPLIED = b'{"outputs": {"region": {}}, "resources": []}'
BUCKET = "shop-tiny-tfstate-123456789012"
ASKING = "tiny foundation in account 123456789012: 1 to add"


class Terminal(io.StringIO):
    """What a user types."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


@pytest.fixture
def project(tiny_project: Project, fake_terraform: FakeTerraform) -> Project:
    """A project in which every plan has a change, without a terminal, and AWS is the emulator."""
    fake_terraform.plan(add=1)
    fake_terraform.show(recorded.text("fleet"))
    return tiny_project


@pytest.fixture
def bucket(terraform_environment: Mapping[str, str]) -> Iterator[Any]:
    """The state bucket of `tiny`, and S3."""
    access = Access("eu-central-1", terraform_environment)
    ensure_bucket(access, BucketSpec(BUCKET, "123456789012"))
    s3 = access.client("s3")
    yield s3
    for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def foundation(bucket: Any) -> None:  # noqa: ANN401
    """The foundation has been applied."""
    bucket.put_object(Bucket=BUCKET, Key=state_key("foundation"), Body=APPLIED)


FIRST_PLAN = """\
foundation: plan
foundation: plan: 1 to add (0 s)
services: reads outputs of foundation; plan it after foundation is applied

stack       add  change  replace  destroy  import  move  risk
foundation    0       1        3        1       1     1  high

high foundation: aws_db_instance.orders: replaced (old one destroyed first), because identifier and\
 subnets[0].id\
 force it
  its data is lost, except in snapshots

high foundation: module.discovery.aws_service_discovery_service.this["orders"] (deposed 0a1b2c3d): destroyed
  callers cannot find the service until its tasks register again

medium foundation: module.orders.aws_ecs_service.this: replaced (old one destroyed first), because\
 launch_type\
 forces it, and it is tainted, moved from module.order.aws_ecs_service.this
  its tasks stop, and calls fail until new ones run
"""

HARMLESS = """Terraform will perform the following actions:

  # aws_eip.this will be created
  + resource "aws_eip" "this" {
    }
"""

FOUNDATION = ["foundation init", "foundation plan foundation.tfplan"]
SERVICES = ["services init", "services plan services.tfplan"]


def test_nothing_is_applied_without_a_terminal(project: Project, fake_terraform: FakeTerraform) -> None:
    with pytest.raises(InputError) as caught:
        stacks.apply(project, "tiny")
    assert str(caught.value) == f"{ASKING}; there is no terminal to confirm it on: pass --yes"
    assert fake_terraform.calls() == FOUNDATION


def test_nothing_is_applied_without_the_environments_name(
    project: Project,
    fake_terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    with pytest.raises(InputError, match=r"^not confirmed; nothing was changed$"):
        stacks.apply(project, "tiny")
    assert capsys.readouterr().out.endswith(f"\n{ASKING}. Type tiny to continue: ")
    assert fake_terraform.calls() == FOUNDATION


def test_each_plan_that_is_confirmed_is_the_plan_that_is_applied(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("tiny\ntiny\n"))
    stacks.apply(project, "tiny")
    assert fake_terraform.calls() == [
        *FOUNDATION,
        "foundation apply foundation.tfplan",
        *SERVICES,
        "services apply services.tfplan",
    ]


def test_an_apply_shows_plan_and_outcome_of_each_stack(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.plan(add=1, text=HARMLESS)
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert re.sub(r"\d+ s\b", "0 s", capsys.readouterr().out) == (
        "".join(
            f"""\
{stack}: plan
{stack}: plan: 1 to add (0 s)
{stack}: apply
{stack}: apply: 1 added, 0 changed, 0 destroyed (0 s)
"""
            for stack in ("foundation", "services")
        )
        + """
stack       outcome  resources                        time
foundation  applied  1 added, 0 changed, 0 destroyed   0 s
services    applied  1 added, 0 changed, 0 destroyed   0 s

next: `invoke verify --env tiny`
"""
    )


def test_a_verbose_apply_shows_all_that_terraform_prints(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.plan(add=1, text=HARMLESS)
    stacks.apply(project, "tiny", RunOptions(yes=True, only=frozenset({"foundation"}), verbose=True))
    assert (
        capsys.readouterr().out
        == f"""
── foundation: plan
{HARMLESS}
Plan: 1 to add, 0 to change, 0 to destroy.
foundation: 1 to add (0 s)

── foundation: apply
Apply complete! Resources: 1 added, 0 changed, 0 destroyed.
foundation: 1 added, 0 changed, 0 destroyed (0 s)

stack       outcome  resources                        time
foundation  applied  1 added, 0 changed, 0 destroyed   0 s

next: `invoke verify --env tiny`
"""
    )


def test_an_applied_plan_is_removed(project: Project) -> None:
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert list(project.work.rglob("*.tfplan")) == []


def test_where_nothing_changes_nothing_is_asked_or_applied(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.no_changes()
    stacks.apply(project, "tiny")
    assert fake_terraform.calls() == [*FOUNDATION, *SERVICES]
    assert (
        capsys.readouterr().out
        == """\
foundation: plan
foundation: plan: no changes (0 s)
services: plan
services: plan: no changes (0 s)

stack       outcome    resources   time
foundation  unchanged  no changes   0 s
services    unchanged  no changes   0 s

next: `invoke verify --env tiny`
"""
    )


def test_an_apply_that_fails_ends_it_before_the_next_stack(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.fail("apply", "Error: no such thing")
    with pytest.raises(ProgramError) as caught:
        stacks.apply(project, "tiny", RunOptions(yes=True))
    assert str(caught.value).endswith(
        f"ended with exit code 1; its output is in {project.work}/environments/tiny/logs/foundation-apply.log"
    )
    printed = capsys.readouterr().out
    assert "\nfoundation: apply: failed (0 s)\n\nfoundation:\n  Error: no such thing\n\n" in printed
    assert re.search(r"^services +not reached +-", printed, re.MULTILINE)
    assert fake_terraform.calls() == [*FOUNDATION, "foundation apply foundation.tfplan"]


def test_a_stale_render_is_not_applied(project: Project, fake_terraform: FakeTerraform) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    with pytest.raises(CheckFailedError) as caught:
        stacks.apply(project, "tiny", RunOptions(yes=True))
    assert str(caught.value) == (
        "envs/tiny/foundation/terraform.tfvars does not match the catalog; run `invoke render --env tiny`\n"
        "nothing was planned or applied; fix this, then run it again"
    )
    assert fake_terraform.calls() == []


def test_what_has_findings_is_not_applied(project: Project, fake_terraform: FakeTerraform) -> None:
    small_project.write(
        project, "envs/tiny/services/extra.tf", 'resource "aws_cloudwatch_log_group" "extra" {}\n'
    )
    with pytest.raises(CheckFailedError) as caught:
        stacks.apply(project, "tiny", RunOptions(yes=True))
    assert str(caught.value) == (
        "envs/tiny/services/extra.tf:1:1: FF003 aws_cloudwatch_log_group.extra: "
        "logs are kept forever; set retention_in_days\n"
        "nothing was planned or applied; fix this, then run it again"
    )
    assert fake_terraform.calls() == []


@pytest.mark.usefixtures("foundation")
def test_drift_is_shown_with_every_stack_that_has_it(project: Project) -> None:
    with pytest.raises(CheckFailedError) as caught:
        stacks.drift(project, "tiny")
    assert str(caught.value) == (
        "differs from the catalog: foundation, services; `invoke plan --env tiny` shows the plans,"
        " `invoke apply --env tiny` fixes it"
    )


@pytest.mark.usefixtures("foundation")
def test_looking_for_drift_keeps_no_plan(project: Project) -> None:
    with pytest.raises(CheckFailedError):
        stacks.drift(project, "tiny")
    assert list(project.work.rglob("*.tfplan")) == []


@pytest.mark.usefixtures("foundation")
def test_no_drift_is_reported(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.no_changes()
    stacks.drift(project, "tiny")
    assert capsys.readouterr().out == (
        "\n"
        "stack       changed outside  not applied yet\n"
        "foundation                0                0\n"
        "services                  0                0\n"
        "no drift\n"
    )


def test_drift_of_what_is_not_applied_reports_it(project: Project, fake_terraform: FakeTerraform) -> None:
    with pytest.raises(CheckFailedError) as caught:
        stacks.drift(project, "tiny")
    assert str(caught.value) == "nothing of tiny is applied; `invoke apply --env tiny` applies it"
    assert fake_terraform.calls() == []


def test_a_destroy_of_what_is_not_applied_reports_it(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.destroy(project, "tiny", RunOptions(yes=True))
    assert capsys.readouterr().out == "nothing of tiny is applied; `invoke apply --env tiny` applies it\n"
    assert fake_terraform.calls() == []


def test_a_script_reads_drift_as_json(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckFailedError):
        stacks.drift(project, "tiny", as_json=True)
    printed = json.loads(capsys.readouterr().out)
    drifted = find_drift(recorded.fleet())
    assert printed == json.loads(json.dumps(plans_of.drift_document("tiny", [drifted])))


def test_a_first_plan_ends_where_the_next_stack_reads_outputs(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.plan(project, "tiny")
    assert capsys.readouterr().out == FIRST_PLAN + "\nnext: `invoke apply --env tiny`\n"


def test_an_empty_state_which_a_destroy_or_an_interrupted_plan_leaves_has_no_outputs_either(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket.put_object(Bucket=BUCKET, Key=state_key("foundation"), Body=b'{"outputs": {}, "resources": []}')
    stacks.plan(project, "tiny")
    assert capsys.readouterr().out == FIRST_PLAN + "\nnext: `invoke apply --env tiny`\n"


def test_a_script_reads_nothing_but_json(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.plan(project, "tiny", output=OutputOptions(as_json=True))
    printed = capsys.readouterr()
    expected = document("tiny", [recorded.fleet()], ["services"])
    assert printed.out == json.dumps(expected, indent=2) + "\n"
    assert printed.err == ""


def test_an_unchanged_plan_is_a_row_of_zeros_without_asking_terraform(
    project: Project, fake_terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.no_changes()
    fake_terraform.show("no JSON")
    stacks.plan(project, "tiny")
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "stack       add  change  replace  destroy  risk",
        "foundation    0       0        0        0  -   ",
        "",
        "next: `invoke apply --env tiny`",
    ]


def test_a_failed_plan_is_reported_first_and_not_saved(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        CheckFailedError, match=r"^--fail-on destroy: foundation: module\.discovery\..* destroyed$"
    ):
        stacks.plan(project, "tiny", output=OutputOptions(fail_on="destroy"))
    assert capsys.readouterr().out == FIRST_PLAN
    assert list(project.work.rglob("*.tfplan")) == []


@pytest.mark.usefixtures("bucket")
def test_a_plan_keeps_no_file(project: Project) -> None:
    stacks.plan(project, "tiny")
    assert list(project.work.rglob("*.tfplan")) == []


def test_every_stack_is_planned_once_the_foundation_is_applied(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
) -> None:
    bucket.put_object(Bucket=BUCKET, Key=state_key("foundation"), Body=APPLIED)
    stacks.plan(project, "tiny", options=RunOptions(jobs=1))
    assert fake_terraform.calls() == [*FOUNDATION, *SERVICES]


def test_what_the_foundation_loses_is_first_given_up_by_its_dependents(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
) -> None:
    fake_terraform.plan(destroy=1)
    for stack in ("foundation", "services"):
        bucket.put_object(Bucket=BUCKET, Key=state_key(stack), Body=APPLIED)
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.calls() == [
        *FOUNDATION,
        *SERVICES,
        "services apply services.tfplan",
        *FOUNDATION,
        "foundation apply foundation.tfplan",
        *SERVICES,
        "services apply services.tfplan",
    ]
    assert list(project.work.rglob("*.tfplan")) == []


@pytest.mark.parametrize("counts", [(1, 0), (0, 1)], ids=["added", "changed"])
def test_a_foundation_that_loses_nothing_is_applied_once_and_first(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
    counts: tuple[int, int],
) -> None:
    add, change = counts
    fake_terraform.plan(add=add, change=change)
    for stack in ("foundation", "services"):
        bucket.put_object(Bucket=BUCKET, Key=state_key(stack), Body=APPLIED)
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.calls() == [
        *FOUNDATION,
        "foundation apply foundation.tfplan",
        *SERVICES,
        "services apply services.tfplan",
    ]


def test_dependents_are_destroyed_first(project: Project, fake_terraform: FakeTerraform, bucket: Any) -> None:  # noqa: ANN401
    for stack in ("foundation", "services"):
        bucket.put_object(Bucket=BUCKET, Key=state_key(stack), Body=APPLIED)
    stacks.destroy(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.calls() == [
        "services init",
        "services plan services.tfplan -destroy",
        "services apply services.tfplan",
        "foundation init",
        "foundation plan foundation.tfplan -destroy",
        "foundation apply foundation.tfplan",
    ]


def test_what_was_never_applied_is_not_destroyed(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
) -> None:
    bucket.put_object(Bucket=BUCKET, Key=state_key("foundation"), Body=APPLIED)
    with pytest.raises(
        InputError, match=r"^tiny foundation in account 123456789012: 1 to add; there is no terminal"
    ):
        stacks.destroy(project, "tiny")
    assert fake_terraform.calls() == ["foundation init", "foundation plan foundation.tfplan -destroy"]


def move(project: Project, old: str, new: str) -> None:
    """Changes the catalog and renders."""
    small_project.edit(project, "envs/catalog.yaml", old, new)
    files.render_environment(project, "tiny")


def put_state(bucket: Any, stack: str, *modules: str) -> None:  # noqa: ANN401
    """Puts a state that has a resource in each of some modules."""
    resources = [{"module": f"module.{name}", "mode": "managed"} for name in modules]
    bucket.put_object(Bucket=BUCKET, Key=state_key(stack), Body=json.dumps({"resources": resources}).encode())


IN_PAYMENTS = ("  orders:\n", "  orders:\n    group: payments\n")
PAYMENTS = ["payments init", "payments plan payments.tfplan"]


def test_groups_are_planned_and_shown_before_any_of_them_is_applied(
    project: Project, fake_terraform: FakeTerraform
) -> None:
    move(project, *IN_PAYMENTS)
    stacks.apply(project, "tiny", RunOptions(yes=True, jobs=1))
    assert fake_terraform.calls() == [
        *FOUNDATION,
        "foundation apply foundation.tfplan",
        *PAYMENTS,
        *SERVICES,
        "payments apply payments.tfplan",
        "services apply services.tfplan",
    ]


@pytest.mark.parametrize("task", ["plan", "apply", "drift"])
def test_a_service_that_left_its_state_behind_is_refused(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
    task: str,
) -> None:
    move(project, *IN_PAYMENTS)
    put_state(bucket, "services", "web", "orders")
    tasks: dict[str, Callable[..., None]] = {
        "plan": stacks.plan,
        "apply": partial(stacks.apply, options=RunOptions(yes=True)),
        "drift": stacks.drift,
    }
    with pytest.raises(CheckFailedError) as caught:
        tasks[task](project, "tiny")
    assert str(caught.value) == (
        "orders: now in the group payments, but its resources are in the state of services; an apply would"
        " destroy"
        " and recreate them; docs/upgrading.md shows how to move them"
    )
    assert [call for call in fake_terraform.calls() if " apply " in call] == []
    assert list(project.work.rglob("*.tfplan")) == []


def test_the_state_of_a_service_is_known_by_its_names_before(project: Project, bucket: Any) -> None:  # noqa: ANN401
    small_project.edit(project, "envs/catalog.yaml", "calls: [orders]", "calls: [shop]")
    move(project, "  orders:\n", "  shop:\n    group: payments\n    renamed_from: orders\n")
    put_state(bucket, "services", "web", "orders")
    with pytest.raises(
        CheckFailedError, match=r"^orders: now in the group payments, but its resources are in the sta"
    ):
        stacks.plan(project, "tiny")


def test_what_a_group_that_all_have_left_still_has_is_destroyed_first(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    move(project, *IN_PAYMENTS)
    move(project, *reversed(IN_PAYMENTS))
    put_state(bucket, "payments", "gone")
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.calls() == [
        *PAYMENTS,
        "payments apply payments.tfplan",
        *FOUNDATION,
        "foundation apply foundation.tfplan",
        *SERVICES,
        "services apply services.tfplan",
    ]
    hint = "payments: all resources are destroyed; delete its folder: git rm -r envs/tiny/payments\n"
    assert capsys.readouterr().out.endswith(f"{hint}\nnext: `invoke verify --env tiny`\n")


def test_a_render_keeps_an_emptied_group_and_reports_it(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    move(project, *IN_PAYMENTS)
    small_project.edit(project, "envs/catalog.yaml", *reversed(IN_PAYMENTS))
    render.render(project, "tiny", check=False, as_json=False)
    assert capsys.readouterr().err == (
        "warning: envs/tiny/payments: this group has no services any more; run `invoke apply --env tiny` to"
        " destroy"
        " its resources, then delete the folder\n"
    )
    kept = {path.name for path in (project.root / "envs/tiny/payments").iterdir()}
    assert kept == {
        "backend.hcl",
        "foundation.tf",
        "outputs.tf",
        "providers.tf",
        "terraform.tfvars",
        "variables.tf",
    } | {"versions.tf"}


def test_a_state_with_resources_and_no_folder_is_refused(project: Project, bucket: Any) -> None:  # noqa: ANN401
    put_state(bucket, "payments", "orders")
    with pytest.raises(CheckFailedError) as caught:
        stacks.plan(project, "tiny")
    assert str(caught.value) == (
        "payments: its state holds resources, but envs/tiny/payments is missing; restore the folder from"
        " Git, and"
        " apply: that destroys what is left"
    )


def test_what_is_protected_is_not_destroyed(project: Project, fake_terraform: FakeTerraform) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "log_", "protection: true\nlog_")
    with pytest.raises(CheckFailedError) as caught:
        stacks.destroy(project, "tiny", RunOptions(yes=True))
    assert str(caught.value) == (
        "tiny is protected; nothing was destroyed; remove `protection` from envs/tiny/environment.yaml first"
    )
    assert fake_terraform.calls() == []


@pytest.fixture
def stopped(project: Project) -> Iterator[Project]:
    """The project, whose emulator is stopped at the end."""
    yield project
    emulator.stop(project.work)


def test_the_emulator_is_started_found_and_stopped(
    stopped: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator_tasks.status(stopped, as_json=True)
    emulator_tasks.start(stopped, "local")
    started = emulator.status(stopped.work)
    assert started
    emulator_tasks.status(stopped, as_json=False)
    emulator_tasks.stop(stopped)
    emulator_tasks.stop(stopped)
    emulator_tasks.status(stopped, as_json=False)
    place = f"{started.url} (process {started.pid})"
    assert capsys.readouterr().out == (
        f"null\nemulator at {place}\nrunning at {place}\nstopped\nnot running\nnot running\n"
    )


def test_the_emulator_is_printed_as_json(stopped: Project, capsys: pytest.CaptureFixture[str]) -> None:
    started = emulator.start(stopped.work, port=0)
    emulator_tasks.status(stopped, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "url": started.url,
        "pid": started.pid,
        "account": "123456789012",
    }


def test_on_the_emulator_no_confirmation_is_needed(fake_terraform: FakeTerraform, stopped: Project) -> None:
    stacks.apply(stopped, "local")
    assert [call for call in fake_terraform.calls() if " apply " in call] == [
        "foundation apply foundation.tfplan",
        "services apply services.tfplan",
    ]
