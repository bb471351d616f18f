"""The tests of plans that `init` writes and docs/testing.md shows pass for the sample."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fleetform import topology
from fleetform.testing import PlanOf
from fleetform.workflow.project import Project
from tests import sample
from tests.conftest import INSTALLED, ROOT

PLUGIN = () if INSTALLED else ("-p", "fleetform.testing.plugin")
TEMPLATES = ROOT / "templates/project"
DOCUMENT = ROOT / "docs/testing.md"


def documented() -> str:
    """Return the test file that the document shows."""
    found = re.search(
        r'^```python\n(""".*?)^```$', DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found
    return found[1]


def rendered(*, trim: bool = True, shared: tuple[str, ...] = ("dev",)) -> str:
    """Return the test file of a new project with the sample's catalog."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=trim,
        lstrip_blocks=trim,
        autoescape=False,  # noqa: S701 - it is Python
    )
    environment = Project(sample.FOLDER).environment("prod")
    return jinja.get_template("tests/test_plans.py.j2").render(
        environments=sample.ENVIRONMENTS,
        shared=shared,
        services=list(environment.services),
        calls=[(call.caller, call.callee, call.port) for call in topology.calls(environment)],
        public=dict(topology.public_service_ports(environment)),
    )


@pytest.mark.parametrize(("text", "passed"), [(documented(), 8), (rendered(), 11)], ids=["documented", "new"])
def test_the_tests_pass(
    pytester: pytest.Pytester, fleetform_project: Path, plan_of: PlanOf, text: str, passed: int
) -> None:
    for name in sample.ENVIRONMENTS:
        plan_of(name)  # cached, for the run inside this one
    pytester.makeconftest(
        "import pathlib, pytest\n\n\n@pytest.fixture(scope='session')\ndef fleetform_project():\n"
        f"    return pathlib.Path({str(fleetform_project)!r})\n"
    )
    pytester.makepyfile(text)
    pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider").assert_outcomes(passed=passed)


def test_the_tests_of_a_new_project_are_formatted(tmp_path: Path) -> None:
    names = {"trimmed": rendered(), "plain": rendered(trim=False), "separate": rendered(shared=())}
    for name, text in names.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    assert names["trimmed"] == names["plain"]
    argv = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
