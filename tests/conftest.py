"""What tests of several rooms share."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from fleetform import emulator
from fleetform.terraform import installation

ROOT = Path(__file__).parents[1]

# A shell that runs the tests in its background ignores Ctrl-C for them and all that they start; some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Properties are tried with the same thousand values in every run; `--hypothesis-profile=thorough` tries ten thousand
# new ones. A machine that is busy fails none.
settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=1000,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("repeatable"), derandomize=False, max_examples=10_000)
settings.load_profile("repeatable")

# What takes longest, and mostly waits, comes first; another worker has the processor for what is quick meanwhile.
FIRST = "tests/engines/test_running.py"
ORDER = ("", "end_to_end", "engines", "environments", "modules")
# One worker runs all of a folder, or of a file: its tests share what takes long to make.
TOGETHER = ("end_to_end", "environments", "modules")
BY_FILE = ("engines",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the folders in order, and keeps that of the others."""
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    if nodeid.startswith(FIRST):
        return -1
    return ORDER.index(_folder(nodeid) if _folder(nodeid) in ORDER else "")


def _folder(nodeid: str) -> str:
    return nodeid.split("/")[1]


class Scheduler(LoadScopeScheduling):
    """Hands tests to workers one by one, save those that share."""

    def _split_scope(self, nodeid: str) -> str:
        if _folder(nodeid) in BY_FILE:
            return nodeid.partition("::")[0]
        return _folder(nodeid) if _folder(nodeid) in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:  # noqa: ANN401 - xdist's own
    """Chooses our scheduler when there are workers."""
    return Scheduler(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own root."""
    return ROOT


def copy_project(target: Path) -> Path:
    """Copies all that the tasks read, write and run."""
    for folder in ("containers", "envs", "fleetform", "modules", "templates"):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns(".terraform*", "__pycache__"))
    for file in (".gitignore", "tasks.py"):
        shutil.copy(ROOT / file, target)
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
