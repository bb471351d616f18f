"""What bash completes, by its own means."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleetform.workflow.project import Project
from tests import small_project

# Does with the words of a command line what bash does when a user types a tab behind them.
COMPLETE = """
source "$0" || exit
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_fleetform "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = small_project.make(tmp_path)
    small_project.write(made, "envs/folder/services/main.tf", "")
    return made


def completed(root: Path, folder: Path, *words: str) -> list[str]:
    """What the last word may become, in a folder."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    argv = ["bash", "-c", COMPLETE, str(root / "completion.bash"), *words]
    done = subprocess.run(
        argv, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["./run", "render", "--env", ""], ["local", "tiny"]),
        (["./run", "render", "--env", "t"], ["tiny"]),
        (["./run", "render", "--env", "x"], []),
        (["./run", "render", "--env", "="], ["local", "tiny"]),
        (["./run", "render", "--env", "=", "t"], ["tiny"]),
        (["invoke", "plan", "-e", "l"], ["local"]),
        (["inv", "new-env", "small", "--like", ""], ["local", "tiny"]),
        (["./run", "promote", "--from", "t"], ["tiny"]),
        (["./run", "promote", "--from", "tiny", "--to", "l"], ["local"]),
    ],
)
def test_environments_are_completed(
    project: Project, root: Path, words: list[str], expected: list[str]
) -> None:
    assert completed(root, project.root, *words) == expected


@pytest.mark.parametrize(
    ("words", "expected"), [(["./run", "rend"], ["render"]), (["./run", "render", "--ch"], ["--check"])]
)
def test_tasks_and_flags_are_completed(
    project: Project, root: Path, words: list[str], expected: list[str]
) -> None:
    assert completed(root, project.root, *words) == expected


@pytest.mark.parametrize("command", ["invoke", "../../run"])
def test_the_project_is_found_from_its_folders(project: Project, root: Path, command: str) -> None:
    assert completed(root, project.root / "envs/tiny", command, "plan", "--env", "") == ["local", "tiny"]


@pytest.mark.parametrize("command", ["invoke", "nowhere/run"])
def test_nothing_is_completed_outside_a_project(tmp_path: Path, root: Path, command: str) -> None:
    assert completed(root, tmp_path, command, "plan", "--env", "") == []
