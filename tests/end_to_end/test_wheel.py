"""A new user's first minutes: the wheel, installed without this checkout, creates a project that works."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

OMITTED = ("PYTHON", "FLEETFORM_", "AWS_", "PIP_REQUIRE")


@dataclass(frozen=True)
class User:
    """A user with the program `fleetform` in an environment of its own.

    Attributes:
        program: The program.
        home: The user's folder; its path has a space.
        variables: The process environment, in which nothing is this checkout.
    """

    program: Path
    home: Path
    variables: Mapping[str, str]

    def run(self, folder: Path, *argv: str | Path) -> str:
        """Run a program that must succeed; return what it prints."""
        done = subprocess.run(
            [*map(str, argv)],
            cwd=folder,
            env=dict(self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory, terraform_binary: str) -> User:
    """A user who has installed the wheel, without extras."""
    home = tmp_path_factory.mktemp("a user")
    path = os.pathsep.join([str(Path(terraform_binary).parent), str(Path(sys.executable).parent), os.defpath])
    variables = {name: value for name, value in os.environ.items() if not name.startswith(OMITTED)}
    user = User(
        home / "venv/bin/fleetform", home, variables | {"PATH": path, "FLEETFORM_PYTHON": sys.executable}
    )
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    user.run(home, sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", "dist", ROOT)
    (wheel,) = (home / "dist").glob("*.whl")
    user.run(home, sys.executable, "-m", "venv", "venv")
    user.run(home, home / "venv/bin/python", *pip, "install", wheel)
    return user


@pytest.fixture(scope="module")
def shop(user: User) -> Path:
    """A project with the sample application, in a path with spaces."""
    printed = user.run(user.home, user.program, "init", "my shop", "--yes", "--sample")
    assert "\nNext:\n  cd 'my shop'\n  ./run demo\n" in printed
    return user.home / "my shop"


def test_the_demo_runs_in_a_project(user: User, shop: Path) -> None:
    assert "\nno drift (" in user.run(shop, "./run", "demo")


def test_the_tests_of_a_project_pass(user: User, shop: Path) -> None:
    """Those of `local`: each environment is planned like any other, and takes a minute."""
    assert " passed, " in user.run(shop, "./run", "test", "-k", "local")


def test_a_project_uses_its_own_installation(user: User, shop: Path) -> None:
    place = user.run(shop, ".venv/bin/python", "-P", "-c", "import fleetform; print(fleetform.__file__)")
    assert Path(place.strip()).is_relative_to(shop / ".venv")
