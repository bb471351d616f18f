"""`test` runs the project's tests with the plugin, and its exit code is 0 or 1."""

import subprocess
import sys

import pytest

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.cli.testing import test as run_tests
from fleetform.workflow.project import Project
from tests import small_project
from tests.conftest import INSTALLED

PLUGIN = [] if INSTALLED else ["-p", "fleetform.testing.plugin"]
PYTEST = [sys.executable, "-m", "pytest", *PLUGIN]


@pytest.fixture
def project(tiny_project: Project) -> Project:
    """A project with a test that passes and one that fails."""
    text = "def test_good(plan_of): pass\n\n\ndef test_bad():\n    assert 1 == 2\n"
    small_project.write(tiny_project, "tests/test_plans.py", text)
    return tiny_project


@pytest.mark.parametrize(
    ("path", "k", "arguments"),
    [
        (None, None, ["tests"]),
        ("tests/test_plans.py::test_good", None, ["tests/test_plans.py::test_good"]),
        (None, "web and not prod", ["tests", "-k", "web and not prod"]),
    ],
)
def test_pytest_runs_in_the_project(
    monkeypatch: pytest.MonkeyPatch, project: Project, path: str | None, k: str | None, arguments: list[str]
) -> None:
    made: list[object] = []
    monkeypatch.setattr(subprocess, "call", lambda argv, cwd: made.append((argv, cwd)))
    run_tests(project, path=path, k=k)
    assert made == [([*PYTEST, *arguments], project.root)]


def test_tests_with_the_fixtures_of_the_plugin_pass(project: Project) -> None:
    run_tests(project, path=None, k="good")


@pytest.mark.parametrize("k", ["bad", "missing"])
def test_a_test_that_fails_or_none_at_all_fails_the_task(project: Project, k: str) -> None:
    with pytest.raises(CheckFailedError, match=r"^tests failed$"):
        run_tests(project, path=None, k=k)


def test_a_path_that_does_not_exist_is_reported(project: Project) -> None:
    with pytest.raises(InputError) as error:
        run_tests(project, path="tests/test_other.py", k=None)
    assert str(error.value) == (
        f"tests/test_other.py does not exist in {project.root}; docs/testing.md shows how to write tests"
    )
