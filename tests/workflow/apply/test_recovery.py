"""What the next run does about one that was killed or has failed, with an emulator of its own."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.base.run_lock import Run
from fleetform.terraform.state import locks, reader
from fleetform.workflow.apply import recovery, states
from fleetform.workflow.workspace import Workspace, open_workspace
from tests import small_project

BEFORE = Run("apply --env local", 4711, "2026-01-31 12:00:00")
HEADLINE = f"{BEFORE} left foundation locked: its Terraform was killed"
QUEUE = "module.extra.aws_sqs_queue.orders"
GATEWAY = 'module.network.aws_nat_gateway.this["a"]'
LOG = """\
module.network.aws_vpc.this: Creating...
module.network.aws_nat_gateway.this["a"]: Creating...
module.extra.aws_sqs_queue.orders: Creation complete after 0s [id=orders]
module.network.aws_vpc.this: Creation complete after 12s [id=vpc-1]
"""
GROUP = "module.network.aws_cloudwatch_log_group.flow_logs"
ROLE = "module.network.aws_iam_role.flow_logs"
SCHEDULE = "module.web.aws_scheduler_schedule.this"
PLAN = """
  # module.network.aws_cloudwatch_log_group.flow_logs will be created
  + resource "aws_cloudwatch_log_group" "flow_logs" {
      + name = "/vpc/shop-local"
    }

  # module.network.aws_iam_role.flow_logs will be created
  + resource "aws_iam_role" "flow_logs" {
      + name = "shop-local-flow-logs"
    }

  # module.web.aws_scheduler_schedule.this will be created
  + resource "aws_scheduler_schedule" "this" {
      + name = "shop-local-web"
    }
"""


def stumbled(*addresses: str) -> str:
    """The log of an apply that met what is there already, and made a queue."""
    begun = "".join(f"{address}: Creating...\n" for address in (GROUP, ROLE, SCHEDULE))
    errors = "".join(
        f"\nError: creating it: it already exists\n\n  with {address},\n  on main.tf line 1, in resource"
        ' "x" "y":\n'
        for address in addresses
    )
    return f"{begun}{QUEUE}: Creation complete after 0s [id=orders]\n{errors}"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """An environment with a bucket, and the log of an apply."""
    project = small_project.make(tmp_path_factory.mktemp("killed"))
    workspace = open_workspace(project, "local")
    states.bootstrap(workspace)
    workspace.log_of("foundation", "apply").parent.mkdir()
    yield workspace
    emulator.stop(project.work)


@pytest.fixture
def workspace(opened: Workspace) -> Iterator[Workspace]:
    """The same, with nothing locked, lost or planned in the end."""
    logged(opened, "apply", LOG)
    yield opened
    opened.log_of("foundation", "plan").unlink(missing_ok=True)
    opened.lost("foundation").unlink(missing_ok=True)
    reader.release(opened.access, opened.environment.state_bucket, "foundation")


def logged(workspace: Workspace, command: str, text: str) -> Path:
    """Writes a log of the foundation."""
    log = workspace.log_of("foundation", command)
    log.write_text(text, encoding="utf-8")
    return log


def hold(workspace: Workspace, operation: str = "OperationTypeApply", who: str = "", late: int = 60) -> None:
    """Locks the foundation, some seconds after the run before began."""
    created = datetime.fromisoformat(BEFORE.since).replace(tzinfo=UTC) + timedelta(seconds=late)
    held = {
        "ID": "7a1c",
        "Operation": operation,
        "Who": who or locks.this_machine().who,
        "Version": "1.11.4",
        "Created": created.isoformat(),
    }
    s3 = workspace.access.client("s3")
    key = reader.lock_key("foundation")
    s3.put_object(Bucket=workspace.environment.state_bucket, Key=key, Body=json.dumps(held).encode())


@pytest.fixture
def group(workspace: Workspace) -> Iterator[Callable[[str], None]]:
    """Makes the log group, of an environment."""
    logs, name = workspace.access.client("logs"), "/vpc/shop-local"
    yield lambda environment: logs.create_log_group(
        logGroupName=name, tags={"application": "shop", "environment": environment}
    )
    logs.delete_log_group(logGroupName=name)


def kept(workspace: Workspace) -> dict[str, str] | None:
    """What the next plan imports."""
    path = workspace.lost("foundation")
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def keep(workspace: Workspace, imports: dict[str, str]) -> None:
    """Has the next plan import things, as if an earlier run had found them."""
    workspace.lost("foundation").parent.mkdir(exist_ok=True)
    workspace.lost("foundation").write_text(json.dumps(imports), encoding="utf-8")


def settled(workspace: Workspace) -> list[str]:
    """The messages."""
    printed = list[str]()
    recovery.recover(workspace, BEFORE, printed.append)
    return printed


def locked(workspace: Workspace) -> bool:
    """Whether the foundation is."""
    return reader.lock_key("foundation") in (
        reader.objects(workspace.access, workspace.environment.state_bucket) or {}
    )


def test_without_a_lock_there_is_nothing_to_do(workspace: Workspace) -> None:
    assert settled(workspace) == []
    assert not workspace.lost("foundation").exists()


def test_on_the_emulator_a_lock_is_removed_and_what_was_made_is_kept_for_the_next_plan(
    workspace: Workspace,
) -> None:
    hold(workspace)
    assert settled(workspace) == [
        HEADLINE,
        (
            "foundation: created, but not saved in the state: module.network.aws_vpc.this; the next apply"
            " imports it"
        ),
        f"foundation: {QUEUE} was created as orders, but not saved in the state; import it, or delete it",
        f"foundation: creation began; may exist without being in a state: {GATEWAY}",
    ]
    assert kept(workspace) == {"module.network.aws_vpc.this": "vpc-1"}
    assert not locked(workspace)


GATEWAY_PLAN = """
  # module.network.aws_nat_gateway.this["a"] will be created
  + resource "aws_nat_gateway" "this" {
      + tags = {
          + "Name" = "shop-local-a"
        }
    }
"""


@pytest.fixture
def no_ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The credentials may not ask EC2 for tags."""
    session: Any = boto3.Session("x", "x", region_name="eu-central-1")
    client, others = session.client("ec2"), Access.client
    monkeypatch.setattr(Access, "client", lambda self, name: client if name == "ec2" else others(self, name))
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_tags", "UnauthorizedOperation", "no")
        yield


@pytest.mark.usefixtures("no_ec2")
def test_nothing_is_known_of_what_the_credentials_may_not_ask_for(workspace: Workspace) -> None:
    logged(workspace, "plan", GATEWAY_PLAN)
    hold(workspace)
    assert settled(workspace)[-1] == (
        f"foundation: creation began; may exist without being in a state: {GATEWAY}"
    )
    assert not locked(workspace)


def test_a_plan_that_was_killed_has_made_nothing(workspace: Workspace) -> None:
    hold(workspace, "OperationTypePlan")
    assert settled(workspace) == [HEADLINE]
    assert not workspace.lost("foundation").exists()
    assert not locked(workspace)


@pytest.mark.parametrize(("who", "late"), [("ann@elsewhere", 60), ("", -60)])
def test_on_aws_a_lock_of_another_user_is_not_ours(workspace: Workspace, who: str, late: int) -> None:
    hold(workspace, who=who, late=late)
    on_aws = replace(workspace, environment=workspace.environment.model_copy(update={"emulator": False}))
    assert settled(on_aws) == []
    assert locked(workspace)


def test_on_aws_a_lock_of_ours_stays_and_what_was_made_is_kept_all_the_same(workspace: Workspace) -> None:
    hold(workspace)
    on_aws = replace(workspace, environment=workspace.environment.model_copy(update={"emulator": False}))
    printed = settled(on_aws)
    assert printed[0] == HEADLINE
    assert (
        printed[-1]
        == "foundation: `invoke state-doctor --env local` shows whether the lock can be removed, and how"
    )
    assert workspace.lost("foundation").exists()
    assert locked(workspace)


NOT_OURS = (
    f"foundation: exists already, without our tags application=shop and environment=local: {GROUP};"
    " rename it, or `adopt` it in the catalog"
)


def test_what_an_apply_met_as_there_already_is_imported_if_it_is_ours(
    workspace: Workspace, group: Callable[[str], None]
) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", stumbled(GROUP))
    group("local")
    assert settled(workspace) == [
        f"foundation: exists already, and is ours: {GROUP}; the next apply imports it"
    ]
    assert kept(workspace) == {GROUP: "/vpc/shop-local"}


# As the provider prints it, 5.100: of what Ctrl-C took back, and of what AWS has refused.
TAKEN_BACK = "https response error StatusCode: 0, RequestID: , canceled, context canceled"
REFUSED = "https response error StatusCode: 403, RequestID: 1, api error AccessDenied: no"


def failed(message: str) -> str:
    """The log of an apply whose group was not made, and whose role and schedule have no outcome."""
    error = f'\nError: creating it: {message}\n\n  with {GROUP},\n  on main.tf line 1, in resource "x" "y":\n'
    return stumbled() + error


@pytest.mark.parametrize(
    ("log", "outcome"),
    [
        (
            failed(TAKEN_BACK),
            (
                [f"foundation: creation began; the next apply imports it if it exists: {GROUP}"],
                {GROUP: "/vpc/shop-local"},
            ),
        ),
        (failed(REFUSED), ([], None)),
    ],
    ids=["taken back", "refused"],
)
def test_what_a_request_made_whose_answer_did_not_come_is_imported(
    workspace: Workspace,
    group: Callable[[str], None],
    log: str,
    outcome: tuple[list[str], dict[str, str] | None],
) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", log)
    group("local")
    assert (settled(workspace), kept(workspace)) == outcome


QUIT = "Two interrupts received. Exiting immediately. Note that data loss may have\noccurred.\n"


@pytest.mark.parametrize(
    ("ended", "imports"), [(QUIT, {"module.network.aws_vpc.this": "vpc-1"}), ("Interrupt received.\n", None)]
)
def test_what_was_made_is_imported_after_an_end_at_once_that_need_not_have_saved_it(
    workspace: Workspace, ended: str, imports: dict[str, str] | None
) -> None:
    made = "module.network.aws_vpc.this: Creation complete after 12s [id=vpc-1]\n"
    printed = (
        "foundation: created, but not saved in the state: module.network.aws_vpc.this; the next apply"
        " imports it"
    )
    logged(workspace, "apply", made + ended)
    assert settled(workspace) == ([printed] if imports else [])
    assert kept(workspace) == imports


def test_a_resource_of_another_owner_is_not_imported(
    workspace: Workspace, group: Callable[[str], None]
) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", stumbled(GROUP))
    group("prod")
    assert settled(workspace) == [NOT_OURS]
    assert kept(workspace) is None


def test_a_resource_with_a_new_owner_is_not_imported(
    workspace: Workspace, group: Callable[[str], None]
) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", stumbled(GROUP))
    group("prod")
    keep(workspace, {GROUP: "/vpc/shop-local"})
    assert settled(workspace) == [NOT_OURS]
    assert kept(workspace) is None


def test_an_untagged_resource_is_named_and_a_deleted_one_is_not(workspace: Workspace) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", stumbled(ROLE, SCHEDULE))
    printed = (
        f"foundation: exists already, and was not found by tags: {SCHEDULE}; `terraform import` it, or"
        " delete it"
    )
    assert settled(workspace) == [printed]
    assert kept(workspace) is None


def test_what_a_state_has_under_another_address_is_not_imported(
    workspace: Workspace, group: Callable[[str], None]
) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", stumbled(GROUP))
    group("local")
    moved = {
        "mode": "managed",
        "type": "aws_cloudwatch_log_group",
        "name": "this",
        "instances": [{"attributes": {"id": "/vpc/shop-local"}}],
    }
    saved = {"version": 4, "serial": 1, "lineage": "x", "terraform_version": "1.11.4", "resources": [moved]}
    there = {"Bucket": workspace.environment.state_bucket, "Key": reader.state_key("services")}
    s3 = workspace.access.client("s3")
    s3.put_object(**there, Body=json.dumps(saved).encode())
    printed = settled(workspace)
    s3.delete_object(**there)
    expected = (
        f"foundation: exists already, and a state has it under a different address: {GROUP}; apply again"
        " once it is"
        " removed there, or write a `moved` block"
    )
    assert printed == [expected]
    assert kept(workspace) is None


def test_what_was_to_be_imported_before_still_is(workspace: Workspace, group: Callable[[str], None]) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", stumbled(GROUP))
    group("local")
    keep(workspace, {GATEWAY: "nat-1"})
    settled(workspace)
    assert kept(workspace) == {GATEWAY: "nat-1", GROUP: "/vpc/shop-local"}


def test_the_log_of_an_earlier_run_is_ignored(workspace: Workspace, group: Callable[[str], None]) -> None:
    logged(workspace, "plan", PLAN)
    log = logged(workspace, "apply", stumbled(GROUP))
    before = datetime.fromisoformat(BEFORE.since).replace(tzinfo=UTC).timestamp() - 1
    os.utime(log, (before, before))
    group("local")
    assert settled(workspace) == []
    assert kept(workspace) is None


def test_of_what_had_begun_when_it_was_killed_only_ours_is_imported(
    workspace: Workspace, group: Callable[[str], None]
) -> None:
    logged(workspace, "plan", PLAN)
    logged(workspace, "apply", stumbled())
    group("prod")
    hold(workspace)
    assert settled(workspace) == [
        HEADLINE,
        f"foundation: {QUEUE} was created as orders, but not saved in the state; import it, or delete it",
        NOT_OURS,
        f"foundation: creation began; may exist without being in a state: {SCHEDULE}",
    ]
    assert kept(workspace) is None
