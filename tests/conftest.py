"""What tests of several rooms share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetform import emulator
from fleetform.terraform import installation

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own root."""
    return ROOT


def copy_project(target: Path) -> Path:
    """Copies all that the tasks read, write and run."""
    for folder in ("envs", "fleetform", "modules", "templates"):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns(".terraform*", "__pycache__"))
    shutil.copy(ROOT / "tasks.py", target)
    return target


@pytest.fixture
def project_copy(tmp_path: Path) -> Path:
    """A copy of the project, to change at will."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def terraform_binary() -> str:
    """Path of the terraform program."""
    return installation.find_program()


@pytest.fixture(scope="session")
def terraform_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Process environment in which Terraform reaches an emulator and nothing else."""
    folder = tmp_path_factory.mktemp("emulator")
    started = emulator.start(folder, port=0)
    yield installation.variables(emulator.environment(started, os.environ), folder)
    emulator.stop(folder)
