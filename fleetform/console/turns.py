"""Turns of the tasks that run Terraform: one at a time; what one that was killed left is dealt with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fleetform.catalog.files import environment_file
from fleetform.turns import Turn, turn
from fleetform.workflow.project import Project


@contextmanager
def taken(project: Project, env: str, task: str, minutes: int = 1) -> Iterator[None]:
    """Has a task's turn in an environment of this checkout, once what runs there has ended.

    Args:
        project: The checkout.
        env: The environment's name.
        task: The task's.
        minutes: How long to wait for what runs there.

    Raises:
        CheckFailedError: Another task had its turn for too long.
    """
    if not (project.root / environment_file(env)).is_file():  # for the task to tell
        yield
        return

    def recover(before: Turn) -> None:
        from fleetform.workflow import aftermath, workplaces  # noqa: PLC0415 - hardly ever needed

        aftermath.settle(workplaces.open_environment(project, env), before, _tell)

    from fleetform.workflow.workplaces import work_of  # noqa: PLC0415 - see there

    with turn(work_of(project, env), f"invoke {task} --env {env}", minutes * 60, _tell, recover):
        yield


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
