"""One-off tasks: run to their end, once for each revision of their task definition."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError

STARTED_BY = "fleetform"
"""ECS's `startedBy` of our tasks.

A task that still runs after an interruption is waited for, not run twice.
"""

_POLL_SECONDS = 5.0
# ECS may not know a task yet that it has just started: API reference, RunTask, on eventual consistency.
_MISSES = 12


@dataclass(frozen=True)
class OneOffTask:
    """A one-off task.

    Attributes:
        name: The service.
        request: RunTask's request, from the module's output `run_task`.
        log_group: The log group of its output.
        bucket: The state's bucket, which remembers beside the state which revision ran well.
    """

    name: str
    request: Mapping[str, Any]
    log_group: str
    bucket: str

    @property
    def definition(self) -> str:
        """The ARN of its task definition's revision."""
        arn: str = self.request["taskDefinition"]
        return arn

    @property
    def memory(self) -> dict[str, str]:
        """The object that has the ARN of the revision that ran well."""
        return {"Bucket": self.bucket, "Key": f"tasks/{self.name}"}


def has_run(task: OneOffTask, access: Access) -> bool:
    """Whether this very revision has run to a good end."""
    s3 = access.client("s3")
    try:
        ran: bytes = s3.get_object(**task.memory)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return False
    return ran.decode() == task.definition


def run_once(task: OneOffTask, access: Access, watch: Callable[[str], None]) -> None:
    """Runs a task to its end, or waits for the end of one that runs already, and remembers that it was good.

    Args:
        task: The task.
        access: The environment's AWS.
        watch: Receives the task's state whenever it changes.

    Raises:
        ProgramError: It could not be started, or did not end well.
    """
    ecs = access.client("ecs")
    arn = _running(task, ecs) or _wait_until_started(task, ecs)
    found = _wait_until_stopped(task, ecs, arn, watch)
    if problem := _problem(found):
        raise ProgramError(f"{task.name}: {problem}; its output is in the log group {task.log_group}")
    access.client("s3").put_object(**task.memory, Body=task.definition.encode())


def _running(task: OneOffTask, ecs: Any) -> str | None:  # noqa: ANN401 - boto3 makes its clients at run time
    """A task of this revision that was started before and has not ended."""
    cluster, family = task.request["cluster"], task.definition.rpartition("/")[2].rpartition(":")[0]
    # StartedBy excludes the family: API reference, ListTasks.
    arns = ecs.list_tasks(cluster=cluster, family=family, desiredStatus="RUNNING")["taskArns"]
    found = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    ours = [each for each in found if each.get("startedBy") == STARTED_BY]
    return next((each["taskArn"] for each in ours if each["taskDefinitionArn"] == task.definition), None)


def _wait_until_started(task: OneOffTask, ecs: Any) -> str:  # noqa: ANN401
    answer = ecs.run_task(**task.request, startedBy=STARTED_BY)
    if not answer["tasks"]:
        raise ProgramError(f"{task.name}: not started: {json.dumps(answer['failures'])}")
    arn: str = answer["tasks"][0]["taskArn"]
    return arn


def _wait_until_stopped(
    task: OneOffTask,
    ecs: Any,  # noqa: ANN401
    arn: str,
    watch: Callable[[str], None],
) -> Mapping[str, Any]:
    status, misses = None, 0
    while misses < _MISSES:
        found: list[Mapping[str, Any]] = ecs.describe_tasks(cluster=task.request["cluster"], tasks=[arn])[
            "tasks"
        ]
        misses = 0 if found else misses + 1
        if found and found[0]["lastStatus"] != status:
            status = found[0]["lastStatus"]
            watch(status)
        if status == "STOPPED":
            return found[0]
        time.sleep(_POLL_SECONDS)
    raise ProgramError(
        f"{task.name}: ECS does not know {arn}; its output is in the log group {task.log_group}"
    )


def _problem(task: Mapping[str, Any]) -> str | None:
    """Why a task that ended did not end well; a container that never began has no exit code."""
    bad = [each for each in task["containers"] if each.get("exitCode") != 0]
    if not bad:
        return None
    ends = ", ".join(f"{each['name']} ended with {each.get('exitCode', 'no exit code')}" for each in bad)
    return f"{ends}: {task.get('stoppedReason', 'no reason is given')}"
