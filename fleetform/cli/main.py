"""The ways to start the tasks: the program `fleetform`, `python -m fleetform`, and a project's `tasks.py`."""

import os
from collections.abc import Callable
from pathlib import Path

from invoke import Collection
from invoke import Task as InvokeTask

from fleetform.base.program_name import VARIABLE
from fleetform.catalog.files import CATALOG
from fleetform.cli.commands import GROUPS
from fleetform.cli.program import NAME, FleetformProgram, start, take_over


def main() -> None:
    """Run the program `fleetform` in the project of the working directory, and exit."""
    os.environ[VARIABLE] = NAME
    run()


def run() -> None:
    """Run a command line in the project of the working directory, and exit.

    Messages name the program that started this one, as a project's `run` says it, else `fleetform`.
    """
    os.environ.setdefault(VARIABLE, NAME)
    start(FleetformProgram(find_root(Path.cwd()), GROUPS))


def find_root(folder: Path) -> Path | None:
    """Return the project that a folder is in: the nearest one upwards with a catalog, or None."""
    return next((each for each in (folder, *folder.parents) if (each / CATALOG).is_file()), None)


def project_tasks(file: str, *own: InvokeTask[Callable[..., object]]) -> Collection:
    """Return the tasks of a project, for its `tasks.py`.

    Args:
        file: The `__file__` of `tasks.py`, which is in the project's root folder.
        own: Tasks of the project's own, made by Invoke's decorator.
    """
    program = FleetformProgram(Path(file).resolve().parent, GROUPS, own)
    take_over(program)
    return program.namespace
