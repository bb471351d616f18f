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


@pytest.fixture
def project_copy(tmp_path: Path) -> Path:
    """A copy of what a render reads and writes, to change at will."""
    for folder in ("envs", "modules", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns(".terraform*"))
    return tmp_path


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
