"""The one-off tasks of an environment: which of them are due, and their run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws import one_off
from fleetform.aws.one_off import OneOffTask
from fleetform.base.errors import ProgramError
from fleetform.stacks import Stack
from fleetform.workflow.apply import terraform
from fleetform.workflow.workspace import Workplace


def due(workplace: Workplace, stack: Stack) -> tuple[OneOffTask, ...]:
    """The tasks of an applied stack that have not run to a good end as they are now, by name.

    Raises:
        ProgramError: Terraform or AWS does not answer as it should.
    """
    if not stack.tasks:
        return ()
    requests = terraform.output(workplace, stack, "run_task")
    tasks = [_task(workplace, name, requests[name]) for name in sorted(stack.tasks)]
    with _explained():
        return tuple(task for task in tasks if not one_off.has_run(task, workplace.access))


def run(workplace: Workplace, task: OneOffTask, watch: Callable[[str], None]) -> None:
    """Runs a task to its end.

    Args:
        workplace: The environment.
        task: The task.
        watch: Gets the task's state whenever it is another.

    Raises:
        ProgramError: It could not be started, or did not end well.
    """
    with _explained():
        one_off.run_once(task, workplace.access, watch)


def _task(workplace: Workplace, name: str, request: dict[str, object]) -> OneOffTask:
    environment = workplace.environment
    return OneOffTask(name, request, f"/ecs/{environment.full_name(name)}", environment.state_bucket)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"{error}; check credentials, then apply again: it goes on from here") from None
