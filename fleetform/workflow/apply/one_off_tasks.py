"""Finds which one-off tasks of an environment are due, and runs them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws import one_off
from fleetform.aws.one_off import OneOffTask
from fleetform.base.errors import ProgramError
from fleetform.stacks import Stack
from fleetform.workflow.apply import terraform
from fleetform.workflow.workspace import Workspace


def due(workspace: Workspace, stack: Stack) -> tuple[OneOffTask, ...]:
    """Return the tasks of an applied stack whose current definition has not succeeded, by name.

    Raises:
        ProgramError: Terraform or AWS reports an error.
    """
    if not stack.tasks:
        return ()
    requests = terraform.output(workspace, stack, "run_task")
    tasks = [_task(workspace, name, requests[name]) for name in sorted(stack.tasks)]
    with _explain_errors():
        return tuple(task for task in tasks if not one_off.has_run(task, workspace.access))


def run(workspace: Workspace, task: OneOffTask, watch: Callable[[str], None]) -> None:
    """Run a task to its end.

    Args:
        workspace: The environment.
        task: The task.
        watch: Called with the task's state whenever it changes.

    Raises:
        ProgramError: The task could not be started, or it failed.
    """
    with _explain_errors():
        one_off.run_once(task, workspace.access, watch)


def _task(workspace: Workspace, name: str, request: dict[str, object]) -> OneOffTask:
    environment = workspace.environment
    return OneOffTask(name, request, f"/ecs/{environment.full_name(name)}", environment.state_bucket)


@contextmanager
def _explain_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"{error}; check the credentials, then apply again; it continues from here"
        ) from None
