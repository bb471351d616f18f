"""Takes the run lock for tasks that run Terraform, and recovers from a run that was killed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fleetform.base.run_lock import Run, hold
from fleetform.catalog.files import environment_file
from fleetform.workflow.apply import recovery
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import local_work_folder, open_local_workspace, open_workspace, work_folder


@contextmanager
def hold_run_lock(
    project: Project, env: str, task: str, minutes: int = 1, *, here: bool = False
) -> Iterator[None]:
    """Hold the run lock of an environment in this checkout, after waiting for the task that holds it.

    Args:
        project: The checkout.
        env: The environment's name.
        task: The task's name.
        minutes: How long to wait for the lock.
        here: Whether the task applies the environment to the emulator on this machine.

    Raises:
        CheckFailedError: Another task still holds the lock.
        InputError: The catalog is invalid; its environment decides where local runs keep their files.
    """
    if not (project.root / environment_file(env)).is_file():  # the task reports it
        yield
        return

    def recover(before: Run) -> None:
        open_ = open_local_workspace if here else open_workspace
        recovery.recover(open_(project, env), before, _report)

    work = work_folder(project, env)
    if here:
        work = local_work_folder(project, project.environment(env))
    with hold(work, f"{task} --env {env}", minutes * 60, _report, recover):
        yield


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
