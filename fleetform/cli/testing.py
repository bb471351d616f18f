"""Runs the tests of a project with pytest."""

import subprocess
import sys
from importlib.metadata import entry_points

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.workflow.project import Project

_FOLDER = "tests"
_PLUGIN = "fleetform.testing.plugin"


def test(project: Project, *, path: str | None, k: str | None) -> None:
    """Run the tests in the project's root folder, by the interpreter that runs this.

    Args:
        project: The project.
        path: A file, a folder or a test's ID, relative to the project. Default: its `tests` folder.
        k: An expression of `pytest -k`.

    Raises:
        CheckFailedError: A test failed, or none was found.
        InputError: The project has no tests.
    """
    target = path or _FOLDER
    if not (project.root / target.partition("::")[0]).exists():
        raise InputError(
            f"{target} does not exist in {project.root}; docs/testing.md shows how to write tests"
        )
    # A checkout of Fleetform is not installed, so pytest does not find its plugin.
    plugin = [] if entry_points(group="pytest11", name="fleetform") else ["-p", _PLUGIN]
    argv = [sys.executable, "-m", "pytest", *plugin, target, *(["-k", k] if k else [])]
    if subprocess.call(argv, cwd=project.root):
        raise CheckFailedError("tests failed")
