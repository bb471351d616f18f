"""Turns of the tasks that run Terraform: one at a time; what one that was killed left is dealt with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fleetform.base.run_lock import Run, hold
from fleetform.catalog.files import environment_file
from fleetform.workflow.apply import recovery
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import local_work_folder, open_local_workspace, open_workspace, work_folder


@contextmanager
def hold_run_lock(project: Project, env: str, task: str, minutes: int = 1, *, here: bool = False) -> Iterator[None]:
    """Has a task's turn in an environment of this checkout, once what runs there has ended.

    Args:
        project: The checkout.
        env: The environment's name.
        task: The task's.
        minutes: How long to wait for what runs there.
        here: Whether the task applies the environment to this machine, whatever it is.

    Raises:
        CheckFailedError: Another task had its turn for too long.
        InputError: The catalog is wrong, and what is applied here follows from it.
    """
    if not (project.root / environment_file(env)).is_file():  # for the task to tell
        yield
        return

    def recover(before: Run) -> None:
        opened = open_local_workspace if here else open_workspace
        recovery.recover(opened(project, env), before, _report)

    work = work_folder(project, env)
    if here:
        work = local_work_folder(project, project.environment(env))
    with hold(work, f"{task} --env {env}", minutes * 60, _report, recover):
        yield


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
