"""One-off tasks, with a fake of ECS and S3."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast

import pytest

from fleetform.aws import one_off
from fleetform.aws.clients import Access
from fleetform.aws.one_off import OneOffTask
from fleetform.base.errors import ProgramError

CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/shop-dev"
DEFINITION = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-dev-migration"
TASK = OneOffTask(
    "migration",
    {"cluster": CLUSTER, "taskDefinition": f"{DEFINITION}:3"},
    "/ecs/shop-dev-migration",
    "shop-state",
)


class NoSuchKeyError(Exception):
    """The error of S3."""


class Exceptions:
    """The exceptions of the S3 client."""

    NoSuchKey = NoSuchKeyError


@dataclass
class Aws:
    """A fake of ECS and S3, and of the access to them.

    Attributes:
        running: Tasks that run already.
        statuses: The status of the task at each poll.
        end: The other fields of the task.
        objects: The objects in S3, by bucket and key.
        started: The requests of RunTask.
        failures: The failures of RunTask.
    """

    running: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=lambda: ["STOPPED"])
    end: dict[str, Any] = field(
        default_factory=lambda: {"containers": [{"name": "migration", "exitCode": 0}]}
    )
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    started: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    exceptions: type[Exceptions] = Exceptions

    def client(self, _service: str) -> "Aws":
        """Return itself, for every service."""
        return self

    def list_tasks(self, *, cluster: str, family: str, **_: str) -> dict[str, list[str]]:
        """Return the running tasks."""
        assert cluster == CLUSTER
        assert family == "shop-dev-migration"
        return {"taskArns": [task["taskArn"] for task in self.running]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the running tasks once, then the awaited one."""
        assert cluster == CLUSTER
        if tasks == ["new"] or not self.running:
            return {"tasks": [{"taskArn": tasks[0], "lastStatus": self.statuses.pop(0), **self.end}]}
        found, self.running = self.running, []
        return {"tasks": found}

    def run_task(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Return a task, or failures."""
        self.started.append(request)
        return {"tasks": [] if self.failures else [{"taskArn": "new"}], "failures": self.failures}

    def get_object(self, **where: str) -> dict[str, BytesIO]:
        """Return an object."""
        if (where["Bucket"], where["Key"]) not in self.objects:
            raise NoSuchKeyError
        return {"Body": BytesIO(self.objects[where["Bucket"], where["Key"]])}

    def put_object(self, *, Body: bytes, **where: str) -> None:  # noqa: N803 - S3's own name
        """Store an object."""
        self.objects[where["Bucket"], where["Key"]] = Body

    @property
    def access(self) -> Access:
        """Return it as an access."""
        return cast("Access", self)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_off, "_POLL_SECONDS", 0)


def test_a_task_runs_to_its_end_and_is_recorded() -> None:
    aws = Aws(statuses=["PENDING", "RUNNING", "STOPPED"])
    seen: list[str] = []
    before = one_off.has_run(TASK, aws.access)
    one_off.run_once(TASK, aws.access, seen.append)
    assert before is False
    assert seen == ["PENDING", "RUNNING", "STOPPED"]
    assert one_off.has_run(TASK, aws.access) is True
    assert aws.started == [{**TASK.request, "startedBy": "fleetform"}]


def test_a_different_revision_has_not_run() -> None:
    aws = Aws(objects={("shop-state", "tasks/migration"): f"{DEFINITION}:2".encode()})
    assert not one_off.has_run(TASK, aws.access)


def test_a_running_task_is_awaited() -> None:
    mine = {"taskArn": "mine", "startedBy": "fleetform", "taskDefinitionArn": f"{DEFINITION}:3"}
    aws = Aws(running=[mine])
    one_off.run_once(TASK, aws.access, lambda _: None)
    assert aws.started == []
    assert one_off.has_run(TASK, aws.access) is True


@pytest.mark.parametrize("other", [{"startedBy": "a-user"}, {"taskDefinitionArn": f"{DEFINITION}:2"}])
def test_a_task_of_a_different_origin_is_not_awaited(other: dict[str, str]) -> None:
    running = {"taskArn": "other", "startedBy": "fleetform", "taskDefinitionArn": f"{DEFINITION}:3", **other}
    aws = Aws(running=[running])
    one_off.run_once(TASK, aws.access, lambda _: None)
    assert len(aws.started) == 1


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (
            {
                "containers": [{"name": "migration", "exitCode": 3}],
                "stoppedReason": "Essential container exited",
            },
            "migration ended with 3: Essential container exited",
        ),
        ({"containers": [{"name": "migration"}]}, "migration ended with no exit code: no reason is given"),
    ],
)
def test_a_failed_task_is_reported_and_not_recorded(end: dict[str, Any], message: str) -> None:
    aws = Aws(end=end)
    with pytest.raises(ProgramError) as caught:
        one_off.run_once(TASK, aws.access, lambda _: None)
    place = "its output is in the log group /ecs/shop-dev-migration"
    assert str(caught.value) == f"migration: {message}; {place}"
    assert aws.objects == {}


def test_a_task_that_ecs_does_not_start_is_reported() -> None:
    aws = Aws(failures=[{"reason": "Capacity is unavailable at this time"}])
    with pytest.raises(ProgramError) as caught:
        one_off.run_once(TASK, aws.access, lambda _: None)
    assert str(caught.value) == 'migration: not started: [{"reason": "Capacity is unavailable at this time"}]'
