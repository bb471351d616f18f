"""The state bucket, and the states and locks in it, as people see them; Terraform is a fake."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleetform.aws.clients import Access
from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.cli import state
from fleetform.cli.preflight import open_checked
from fleetform.stacks import FOUNDATION
from fleetform.terraform.state.bucket import BucketSpec, ensure_bucket
from fleetform.terraform.state.reader import lock_key, state_key
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.project import Project
from tests import small_project
from tests.fake_terraform import FakeTerraform

BUCKET = "shop-tiny-tfstate-123456789012"
ID = "0c7d2a51-8a4f-6d5b-1e0c-3b1f0a9d7e11"


@pytest.fixture
def project(tiny_project: Project, fake_terraform: FakeTerraform) -> Project:
    """A project of an environment `tiny`, whose AWS is the emulator, without a terminal."""
    fake_terraform.version("1.11.4")
    fake_terraform.answer("force-unlock")
    return tiny_project


@pytest.fixture
def s3(terraform_environment: Mapping[str, str]) -> Iterator[Any]:
    """S3, in which no bucket of `tiny` is left."""
    s3 = Access("eu-central-1", terraform_environment).client("s3")
    yield s3
    for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def bucket(s3: Any, terraform_environment: Mapping[str, str]) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """S3, with the bucket."""
    ensure_bucket(Access("eu-central-1", terraform_environment), BucketSpec(BUCKET, "123456789012"))
    s3.delete_bucket_tagging(Bucket=BUCKET)  # moto gives a bucket the tags of one before that had its name
    return s3


RESOURCE = {"mode": "managed", "type": "aws_x", "name": "y", "instances": [{}]}


def state_text(**other: object) -> bytes:
    """A state with two resources."""
    known = {"version": 4, "serial": 7, "lineage": "5e42", "terraform_version": "1.11.4"}
    return json.dumps({**known, "resources": [RESOURCE, RESOURCE], **other}).encode()


def put_state(s3: Any, stack: str, **other: object) -> None:  # noqa: ANN401
    s3.put_object(Bucket=BUCKET, Key=state_key(stack), Body=state_text(**other))


def put_lock(s3: Any, stack: str, age: timedelta) -> datetime:  # noqa: ANN401
    """Puts a lock into the bucket that mia holds for so long."""
    created = (datetime.now(UTC) - age).replace(microsecond=0)
    info = {"ID": ID, "Operation": "OperationTypeApply", "Who": "mia@build-7", "Version": "1.11.4"}
    text = json.dumps(
        {**info, "Created": created.isoformat(), "Info": "", "Path": f"{BUCKET}/{state_key(stack)}"}
    )
    s3.put_object(Bucket=BUCKET, Key=lock_key(stack), Body=text.encode())
    return created


def minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, with a word for times, and no more than two blanks between columns."""
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    reported = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", "\n".join(lines))
    return re.sub(r" {2,}", "  ", reported)


MADE = f"""{BUCKET} in account 123456789012, eu-central-1

setting  found
bucket  made
public access blocked  made
owner of all objects  made
versions  made
encryption  made
old versions for 365 days  made
tags  made"""


def test_the_bucket_is_made_once(project: Project, s3: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401
    del s3
    state.bootstrap(project, "tiny", as_json=False)
    first = printed(capsys)
    state.bootstrap(project, "tiny", as_json=False)
    assert first == MADE
    assert printed(capsys) == MADE.replace("made", "right")


def test_changes_of_the_bucket_are_printed_as_json(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    state.bootstrap(project, "tiny", as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "version": 1,
        "bucket": BUCKET,
        "account": "123456789012",
        "region": "eu-central-1",
        "settings": {
            "bucket": "right",
            "public access blocked": "right",
            "owner of all objects": "right",
            "versions": "changed",
            "encryption": "right",
            "old versions for 365 days": "right",
            "tags": "changed",
        },
    }


@pytest.mark.usefixtures("bucket")
def test_in_another_account_nothing_is_made_or_read(project: Project) -> None:
    small_project.edit(project, "envs/catalog.yaml", '"123456789012"', '"210987654321"')
    reported = (
        "tiny is in account 210987654321 (envs/catalog.yaml:2:10), but the AWS credentials are for"
        " 123456789012"
        " (arn:aws:sts::123456789012:user/moto); choose others with AWS_PROFILE, or fix `account`"
    )
    for task in (state.bootstrap, state.doctor):
        with pytest.raises(CheckFailedError) as caught:
            task(project, "tiny", as_json=False)
        assert str(caught.value) == reported


def test_without_a_bucket_the_task_that_creates_it_is_named(project: Project) -> None:
    with pytest.raises(CheckFailedError) as caught:
        state.doctor(project, "tiny", as_json=False)
    assert str(caught.value) == (
        f"the state bucket {BUCKET} does not exist; run `invoke bootstrap --env tiny`"
    )


@pytest.mark.usefixtures("bucket")
def test_a_lock_is_waited_for_as_long_as_requested(project: Project) -> None:
    workspaces = [open_checked(project, "tiny"), open_checked(project, "tiny", RunOptions(wait=10))]
    assert [workspace.terraform(FOUNDATION).lock_timeout for workspace in workspaces] == [60, 600]


HEADINGS = "stack  serial  resources  bytes  written  by  lock"


def test_states_and_locks_are_shown(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A lock that may be held needs no manual step."""
    put_state(bucket, "foundation")
    put_lock(bucket, "foundation", timedelta(minutes=5))
    state.doctor(project, "tiny", as_json=False)
    assert printed(capsys) == (
        f"{HEADINGS}\n"
        f"foundation  7  2  {len(state_text())}  TIME  Terraform 1.11.4  mia@build-7 (apply) since TIME\n"
        "services  -  -  -  never  -  -"
    )


def test_states_and_locks_are_printed_as_json(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_state(bucket, "services")
    created = put_lock(bucket, "services", timedelta(minutes=5))
    state.doctor(project, "tiny", as_json=True)
    found = json.loads(capsys.readouterr().out)
    written = datetime.fromisoformat(found["stacks"][1].pop("written"))
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=5)
    nothing: dict[str, object] = {
        "size": 0,
        "written": None,
        "snapshot": None,
        "lock": None,
        "stale": None,
        "troubles": [],
    }
    lock = {
        "id": ID,
        "operation": "apply",
        "who": "mia@build-7",
        "version": "1.11.4",
        "created": created.isoformat(),
    }
    snapshot = {"serial": 7, "lineage": "5e42", "version": "1.11.4", "resources": 2}
    assert found == {
        "version": 1,
        "environment": "tiny",
        "bucket": BUCKET,
        "stacks": [
            {"stack": "foundation", **nothing},
            {
                "stack": "services",
                "size": len(state_text()),
                "snapshot": snapshot,
                "lock": lock,
                "stale": None,
                "troubles": [],
            },
        ],
    }


def troubles(project: Project, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, list[str]], str]:
    """What needs hands, by stack, without the project's own folder, and how the task ends."""
    with pytest.raises(CheckFailedError) as caught:
        state.doctor(project, "tiny", as_json=True)
    stacks = json.loads(capsys.readouterr().out.replace(f"{project.root}/", ""))["stacks"]
    return {stack["stack"]: stack["troubles"] for stack in stacks if stack["troubles"]}, str(caught.value)


DATA = "TF_DATA_DIR=.fleetform/environments/tiny/data/services"


def test_a_stale_lock_is_shown_with_the_commands_that_remove_it(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_lock(bucket, "services", timedelta(hours=3))
    assert troubles(project, capsys) == (
        {
            "services": [
                (
                    "its lock is stale (no run takes 2 hours); run"
                    f" `invoke state-doctor --env tiny --unlock services:{ID}`, or"
                    f" `{DATA} bin/terraform -chdir=envs/tiny/services force-unlock -force {ID}`"
                )
            ]
        },
        "fix by hand: services",
    )


def test_what_is_wrong_is_printed_below_the_table(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket.put_object(Bucket=BUCKET, Key=state_key("services"), Body=b"")
    with pytest.raises(CheckFailedError):
        state.doctor(project, "tiny", as_json=False)
    assert printed(capsys) == (
        f"{HEADINGS}\n"
        "foundation  -  -  -  never  -  -\n"
        "services  -  -  -  TIME  -  -\n"
        "\n"
        "services: its state is not in format 4; if a newer Terraform wrote it, install that; if it is"
        " broken, restore"
        f" an older version: `aws s3api list-object-versions --bucket {BUCKET} --prefix"
        " services/terraform.tfstate`"
        " lists them"
    )


def test_a_state_that_a_newer_terraform_wrote_has_no_trouble(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_state(bucket, "services", terraform_version="1.15.5")
    state.doctor(project, "tiny", as_json=False)
    assert "Terraform 1.15.5" in printed(capsys)


def test_states_without_a_folder_are_shown(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_state(bucket, "payments")
    put_lock(bucket, "payments", timedelta(hours=3))
    put_state(bucket, "emptied", resources=[])
    assert troubles(project, capsys) == (
        {
            "payments": [
                (
                    "its state holds resources, but envs/tiny/payments is missing; restore the folder from"
                    " Git, and"
                    " apply: that destroys what is left"
                ),
                (
                    "its lock is stale (no run takes 2 hours), and it has no folder to unlock it from; run"
                    f" `aws s3 rm s3://{BUCKET}/payments/terraform.tfstate.tflock`"
                ),
            ],
        },
        "fix by hand: payments",
    )


def test_an_unreadable_lock_is_shown_with_the_command_that_deletes_it(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket.put_object(Bucket=BUCKET, Key=lock_key("services"), Body=b"")
    found, _ = troubles(project, capsys)
    assert found == {
        "services": [
            (
                "its lock does not say whose it is; if no run is using it, delete it:"
                f" `aws s3 rm s3://{BUCKET}/services/terraform.tfstate.tflock`"
            )
        ]
    }


UNSAVED = "envs/tiny/services/errored.tfstate"


@pytest.mark.parametrize(
    ("unsaved", "reported"),
    [
        (
            state_text(serial=8),
            (
                f"{UNSAVED} holds the state that the last apply could not save; run `{DATA} bin/terraform"
                f" -chdir=envs/tiny/services state push {UNSAVED}`, then delete the file"
            ),
        ),
        (
            state_text(serial=7),
            (
                f"{UNSAVED} has serial 7, and the bucket has 7: the stack was applied since; plan it,"
                " import what"
                " the plan would create twice, then delete the file"
            ),
        ),
        (
            state_text(lineage="0000"),
            (
                f"{UNSAVED} is of a different stack, or of this one before it was recreated; keep it until"
                " you"
                " know which"
            ),
        ),
        (
            b"",
            f"{UNSAVED} is not a state, perhaps because the disk was full; look into it before you delete it",
        ),
    ],
    ids=["newer", "not newer", "another's", "none"],
)
def test_a_state_that_was_not_saved_is_shown_with_what_to_do_about_it(
    project: Project,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
    unsaved: bytes,
    reported: str,
) -> None:
    put_state(bucket, "services")
    (project.root / UNSAVED).write_bytes(unsaved)
    found, _ = troubles(project, capsys)
    assert found == {"services": [reported]}


NAMED = f"services:{ID}"


def test_a_stale_lock_is_removed_by_its_id(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_lock(bucket, "services", timedelta(hours=3))
    state.unlock(project, "tiny", NAMED, yes=True)
    assert capsys.readouterr().out == "services: unlocked\n"
    init, unlock = (call for call in fake_terraform.all_calls() if call.command != "version")
    assert str(init) == "services init"
    assert str(unlock) == "services force-unlock"
    assert unlock.arguments[-2:] == ("-force", ID)
    assert (
        init.data_folder == unlock.data_folder == f"{project.root}/.fleetform/environments/tiny/data/services"
    )


def test_unlocking_needs_confirmation(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
) -> None:
    created = put_lock(bucket, "services", timedelta(hours=3))
    with pytest.raises(InputError) as caught:
        state.unlock(project, "tiny", NAMED, yes=False)
    assert str(caught.value) == (
        f"tiny services: locked by mia@build-7 (apply) since {minute(created)}; no run takes 2 hours;"
        " there is no terminal to confirm it on: pass --yes"
    )
    assert fake_terraform.calls("init", "force-unlock") == []


def test_a_lock_whose_holder_may_be_alive_stays(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
) -> None:
    created = put_lock(bucket, "services", timedelta(hours=1))
    with pytest.raises(CheckFailedError) as caught:
        state.unlock(project, "tiny", NAMED, yes=True)
    assert str(caught.value).replace(f"{project.root}/", "") == (
        f"tiny services: locked by mia@build-7 (apply) since {minute(created)}, which may be alive; ask"
        " there, or wait"
        f" for it. If you know that it is dead: `{DATA} bin/terraform -chdir=envs/tiny/services"
        " force-unlock -force"
        f" {ID}`"
    )
    assert fake_terraform.calls("init", "force-unlock") == []


def test_a_lock_that_is_not_there_is_wrong_input(project: Project, bucket: Any) -> None:  # noqa: ANN401
    reported = []
    for age in (None, timedelta(hours=3)):
        if age:
            put_lock(bucket, "services", age)
        with pytest.raises(InputError) as caught:
            state.unlock(project, "tiny", "services:1\n", yes=True)
        reported.append(str(caught.value))
    assert reported == [
        "unknown lock `services:1\\n`; known: none, as nothing is locked",
        f"unknown lock `services:1\\n`; known: {NAMED}",
    ]


def test_a_failure_to_unlock_is_explained(
    project: Project,
    fake_terraform: FakeTerraform,
    bucket: Any,  # noqa: ANN401
) -> None:
    put_lock(bucket, "services", timedelta(hours=3))
    fake_terraform.fail("init", "Error: No valid credential sources found")
    with pytest.raises(ProgramError, match=r"^no AWS credentials found; "):
        state.unlock(project, "tiny", NAMED, yes=True)
