"""What runs against the emulator: a copy of the project, and environments with `emulator: true`."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fleetform import emulator
from fleetform.catalog.models import Environment
from fleetform.workflow.project import Project


@contextmanager
def copied(project: Project) -> Iterator[Project]:
    """Copy a project into a folder of ours with its own emulator, and remove both at the end."""
    project.work.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="copy-", dir=project.work) as folder:
        copy = Project(Path(folder))
        shutil.copytree(project.root, copy.root, ignore=_hidden_folders, symlinks=True, dirs_exist_ok=True)
        try:
            yield copy
        finally:
            emulator.stop(copy.work)


def _hidden_folders(folder: str, names: Sequence[str]) -> list[str]:
    """Return what a copy does not need: Git's folder, Python environments, caches, our work folder."""
    return [name for name in names if name.startswith(".") and Path(folder, name).is_dir()]


def aws_variables(environment: Environment, emulator_folder: Path) -> Mapping[str, str]:
    """Return the process environment for an environment's AWS API.

    Starts the emulator if it runs against that.
    """
    if not environment.emulator:
        return os.environ
    started = emulator.start(emulator_folder, account=environment.account)
    return emulator.environment(started, os.environ)
