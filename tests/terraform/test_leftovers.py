"""What killed runs leave: real processes, and locks in the emulator's bucket."""

import getpass
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetform.aws import Access
from fleetform.terraform.leftovers import Lock, Processes, find_locks, processes, remove_lock

BUCKET = "shop-leftovers"
WAITS = "import sys; print('waits', flush=True); sys.stdin.read()"


@pytest.fixture
def s3(access: Access) -> Iterator[Any]:
    """S3 with a bucket, which is gone in the end."""
    client = access.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": access.region})
    yield client
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)


def process(program: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that waits, once it does."""
    argv = [program, "-c", WAITS, *arguments]
    started = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "waits\n"
    return started


def test_a_terraform_in_a_stack_and_the_plugins_of_its_data_are_seen(tmp_path: Path) -> None:
    folder, data = tmp_path / "envs/local", tmp_path / "data"
    plugin = data / "foundation/providers/plugin"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(sys.executable)
    with (
        process(sys.executable, f"-chdir={folder}/foundation", "apply") as ours,
        process(sys.executable, f"-chdir={folder}-2/foundation", "apply") as other,
        process(str(plugin)) as provider,
    ):
        found = processes(folder, data)
        for each in (ours, other, provider):
            each.communicate("")
    assert found == Processes((ours.pid,), (provider.pid,))
    assert processes(folder, data) == Processes((), ())


def lock(operation: str, who: str = "ann@laptop") -> bytes:
    """A lock as Terraform 1.11 writes it."""
    return json.dumps(
        {
            "ID": "7a1c",
            "Operation": operation,
            "Info": "",
            "Who": who,
            "Version": "1.11.4",
            "Created": "2026-01-31T12:00:00.123456789Z",
            "Path": "shop/foundation/terraform.tfstate",
        }
    ).encode()


def test_locks_are_found_and_removed(access: Access, s3: Any) -> None:  # noqa: ANN401 - boto3 makes its clients at run time
    s3.put_object(Bucket=BUCKET, Key="foundation/terraform.tfstate", Body=b"{}")
    s3.put_object(Bucket=BUCKET, Key="foundation/terraform.tfstate.tflock", Body=lock("OperationTypeApply"))
    s3.put_object(Bucket=BUCKET, Key="half/terraform.tfstate.tflock", Body=b"{")
    s3.put_object(Bucket=BUCKET, Key="services/terraform.tfstate.tflock", Body=lock("OperationTypePlan"))
    assert find_locks(access, BUCKET) == [
        Lock("foundation", applying=True, who="ann@laptop", created="2026-01-31 12:00:00"),
        Lock("half", applying=False, who="", created=""),
        Lock("services", applying=False, who="ann@laptop", created="2026-01-31 12:00:00"),
    ]
    remove_lock(access, BUCKET, "foundation")
    assert [found.stack for found in find_locks(access, BUCKET)] == ["half", "services"]


def test_without_a_bucket_nothing_is_locked(access: Access) -> None:
    assert find_locks(access, "shop-no-such-bucket") == []


@pytest.mark.parametrize(
    ("who", "since", "expected"),
    [
        (f"{getpass.getuser()}@{socket.gethostname()}", "2026-01-31 11:59:59", True),
        (f"{getpass.getuser()}@{socket.gethostname()}", "2026-01-31 12:00:01", False),
        ("ann@elsewhere", "2026-01-31 11:59:59", False),
    ],
)
def test_a_lock_may_be_a_runs_that_began_here_before(who: str, since: str, expected: bool) -> None:  # noqa: FBT001
    found = Lock("foundation", applying=True, who=who, created="2026-01-31 12:00:00")
    assert found.may_be_of(since) is expected
