"""Tasks in a Python environment without the extras of this package, or with some."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fleetform.cli.commands import GROUPS
from tests import small_project
from tests.conftest import ROOT

COMMANDS = {command.name: command for group in GROUPS for command in group.commands}
# What Python itself and its installer bring.
ALWAYS = {"pip", "setuptools"}
# Runs before anything else in a Python that has its folder on PYTHONPATH.
SITE = """
from importlib.machinery import PathFinder

MISSING = {missing!r}
find = PathFinder.find_spec


def find_spec(name, path=None, target=None):
    return None if name in MISSING else find(name, path, target)


PathFinder.find_spec = find_spec
"""
IMPORT = """
import importlib, json, sys

importable = []
for name, module in json.load(sys.stdin).items():
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        continue
    importable.append(name)
print(json.dumps(importable))
"""


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions(wanted: Collection[str]) -> Iterator[str]:
    """Every distribution that these requirements bring on this machine."""
    pending, found = [Requirement(item) for item in wanted], set[str]()
    while pending:
        requirement = pending.pop()
        name = normalized(requirement.name)
        needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if needed and name not in found:
            found.add(name)
            yield name
            pending += [Requirement(item) for item in metadata.requires(name) or ()]


def missing_modules(*extras: str) -> set[str]:
    """The modules that an environment with only these extras does not have."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = [item for extra in extras for item in project["optional-dependencies"][extra]]
    wanted = [item for item in [*project["dependencies"], *optional] if not item.startswith("fleetform[")]
    brought = {*distributions(wanted)} | ALWAYS
    return {
        module
        for module, names in metadata.packages_distributions().items()
        if module != "fleetform" and brought.isdisjoint(map(normalized, names))
    }


def python_with(folder: Path, *extras: str) -> Mapping[str, str]:
    """The process environment of a Python that has only these extras."""
    (folder / "sitecustomize.py").write_text(SITE.format(missing=missing_modules(*extras)), encoding="utf-8")
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "FLEETFORM_PROGRAM": "invoke"}


@pytest.fixture
def base(tmp_path: Path) -> Mapping[str, str]:
    folder = tmp_path / "site"
    folder.mkdir()
    return python_with(folder)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with one commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    small_project.make(folder)
    shutil.copytree(ROOT / "docs", folder / "docs")  # `schema` writes their references
    git = ["git", "-c", "user.name=tester", "-c", "user.email=tester@localhost", "-C", str(folder)]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=one"]):
        subprocess.run([*git, *arguments], check=True)
    return folder


def run(project: Path, variables: Mapping[str, str], line: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "tasks.py", *line.split()],
        cwd=project,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_nothing_but_the_base_is_found(base: Mapping[str, str], tmp_path: Path) -> None:
    """Otherwise the other tests here would prove nothing."""
    modules = {name: name for name in ("boto3", "docker", "invoke", "moto", "pytest", "requests", "yaml")}
    assert importable(tmp_path, base, modules) == {"invoke", "requests", "yaml"}


def importable(folder: Path, variables: Mapping[str, str], modules: Mapping[str, str]) -> set[str]:
    """The names whose modules can be imported."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=folder,
        env=dict(variables),
        input=json.dumps(modules),
        capture_output=True,
        text=True,
        check=True,
    )
    return {*json.loads(done.stdout)}


BASE_TASKS = (
    "--list",
    "--help",
    "--version",
    "check --help",
    "render --env tiny",
    "check --env tiny",
    "check --env tiny --format junit",
    "check --explain FF001",
    "explain web.cpu --env tiny",
    "rules",
    "schema",
    "affected HEAD --env tiny",
    "runs --env tiny",
    "ci --provider github",
    "new-service added --image example/added:1",
    "new-env other tiny",
    "emulator.status",
    "emulator.stop",
)


def test_the_base_renders_checks_and_edits(base: Mapping[str, str], project: Path) -> None:
    ended = {line: run(project, base, line) for line in BASE_TASKS}
    assert {line: result for line, result in ended.items() if result[0]} == {}


AWS = "this needs boto3: `pip install 'fleetform[aws]'`\n"
EMULATED = (
    "this needs boto3, moto, flask, flask-cors, docker and python-dotenv: `pip install"
    " 'fleetform[emulator,containers]'`\n"
)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("plan --env tiny", AWS),
        ("check --env tiny --plan", AWS),
        ("up --env tiny", EMULATED),
        (
            "emulator.start",
            "this needs boto3, moto, flask and flask-cors: `pip install 'fleetform[emulator]'`\n",
        ),
    ],
)
def test_a_task_that_needs_an_extra_names_it(
    base: Mapping[str, str], project: Path, line: str, message: str
) -> None:
    assert run(project, base, line) == (3, "", message)


@pytest.mark.parametrize("extras", [(), ("aws",), ("containers",), ("aws", "containers")], ids="+".join)
def test_a_command_needs_the_extras_that_it_declares(tmp_path: Path, extras: tuple[str, ...]) -> None:
    """The emulator and pytest are processes of their own, which no command imports."""
    modules = {name: str(command.run).partition(":")[0] for name, command in COMMANDS.items()}
    imported = {"emulator": {"aws"}, "test": set[str]()}
    needed = {
        name: set[str]().union(*(imported.get(extra, {extra}) for extra in command.extras))
        for name, command in COMMANDS.items()
    }
    expected = {name for name, names in needed.items() if names <= {*extras}}
    assert importable(tmp_path, python_with(tmp_path, *extras), modules) == expected
