"""What tests of several rooms share."""

import io
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.base.program_name import VARIABLE
from fleetform.terraform import installation
from fleetform.workflow.project import Project
from tests import sample, small_project
from tests.deployed import REGION, Deployment, environment
from tests.fake_terraform import FakeTerraform
from tests.generated import OPTION, Generated
from tests.order import place

ROOT = Path(__file__).parents[1]

# `./run test` is not the program that the tests start.
os.environ.pop(VARIABLE, None)

# A shell that runs the tests in its background ignores Ctrl-C for them and all that they start; some tests
# send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Properties hold for the same hundred values in every run, and for a thousand in CI.
# `--hypothesis-profile=thorough` tries ten thousand new ones. A machine that is busy fails none.
settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=1000 if os.environ.get("CI") else 100,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", settings.get_profile("repeatable"), derandomize=False, max_examples=10_000
)
settings.load_profile("repeatable")

# A checkout is not installed, so pytest does not find the plugin of the test kit by its entry point.
INSTALLED = bool(entry_points(group="pytest11", name="fleetform"))
pytest_plugins = ["pytester", *([] if INSTALLED else ["fleetform.testing.plugin"])]


def pytest_configure(config: pytest.Config) -> None:
    """Load the scheduler where xdist is: `-p no:xdist` works, too."""
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.import_plugin("tests.scheduling")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes generated files."""
    parser.addoption(OPTION, action="store_true", help="Write the generated files instead of comparing them.")


@pytest.fixture
def generated(pytestconfig: pytest.Config) -> Generated:
    """Compares generated files; a test that takes it is a test of such files."""
    return Generated(write=pytestconfig.getoption(OPTION))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts what is run together in order, and keeps that of the others."""
    if config.getoption(OPTION):
        others = [item for item in items if "generated" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    items.sort(key=lambda item: place(item.nodeid))


@pytest.fixture(scope="session")
def root() -> Path:
    """This repository's root. Its `envs/` may be any project's: what needs the sample takes `sample_root`."""
    return ROOT


def copy_sample(target: Path) -> Path:
    """Write the sample as a project: its rendered environments, and all that the tasks read and run."""
    for folder in ("fleetform", "modules", "templates"):
        copy_folder(folder, target)
    for file in (".gitignore", "tasks.py"):
        shutil.copy(ROOT / file, target)
    sample.write(target)
    return target


def copy_folder(name: str, target: Path) -> None:
    """Copy a folder of this repository to a project."""
    shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns(".terraform*", "__pycache__"))


@pytest.fixture
def sample_copy(tmp_path: Path) -> Path:
    """The sample as a project, to change at will."""
    return copy_sample(tmp_path)


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as a project that no test changes."""
    return copy_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def terraform_binary() -> str:
    """Path of the terraform program."""
    return installation.find_program()


@pytest.fixture(scope="session")
def terraform_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Process environment in which Terraform reaches an emulator without delays, and nothing else."""
    folder = tmp_path_factory.mktemp("emulator")
    started = emulator.start(folder, port=0, options=emulator.Options(delay=0))
    yield installation.variables(emulator.environment(started, os.environ), folder)
    emulator.stop(folder)


@pytest.fixture
def fake_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terraform_binary: str) -> FakeTerraform:
    """A fake Terraform in `bin`, first on PATH."""
    fake = FakeTerraform.install(tmp_path / "bin", terraform_binary)
    monkeypatch.setenv("PATH", f"{fake.folder}:{os.environ['PATH']}")
    return fake


@pytest.fixture
def tiny_project(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    terraform_environment: Mapping[str, str],
    fake_terraform: FakeTerraform,  # noqa: ARG001 - it is on PATH
) -> Project:
    """A small project whose Terraform is the fake and whose AWS is the emulator.

    Standard input is no terminal.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**terraform_environment, "PATH": os.environ["PATH"]}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return small_project.make(tmp_path)


@pytest.fixture(scope="session")
def access(terraform_environment: Mapping[str, str]) -> Access:
    """The emulator's API, where small environments are made."""
    return Access(REGION, terraform_environment)


@pytest.fixture
def deployment(access: Access) -> Iterator[Deployment]:
    """A small environment, made through the API alone."""
    made = Deployment(environment(f"shop-{uuid4().hex[:8]}"), access)
    made.create()
    yield made
    made.delete()


def program(name: str) -> str:
    """Path of a program that CI has; without it a test is skipped elsewhere, and fails there."""
    found = shutil.which(name)
    if not (found or os.environ.get("CI")):
        pytest.skip(f"{name} is not on PATH")
    assert found, f"{name} is not on PATH (see .ci/engines)"
    return found
