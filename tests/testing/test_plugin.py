"""The fixtures of the plugin, in runs of pytest as teams have them."""

import subprocess
import sys

import pytest

from tests import small_project
from tests.conftest import INSTALLED, ROOT
from tests.fake_terraform import FakeTerraform

USES_IT = 'def test_a_call(plan_of):\n    plan_of("{}")\n'
PLUGIN = () if INSTALLED else ("-p", "fleetform.testing.plugin")


def test_a_folder_that_is_no_project_is_reported_in_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USES_IT.format("dev"))
    result = pytester.runpytest_inprocess(*PLUGIN, "-rN")
    result.assert_outcomes(errors=1)
    message = (
        f"{pytester.path} is not a Fleetform project: neither it nor a folder above it has envs/catalog.yaml;"
        " run pytest in a project, or override the fixture `fleetform_project`"
    )
    assert [line for line in result.outlines if "not a Fleetform project" in line] == [message]
    assert "Traceback" not in result.outlines


def test_an_unknown_environment_fails_the_test_with_its_message_only(pytester: pytest.Pytester) -> None:
    small_project.make(pytester.path)
    pytester.makepyfile(USES_IT.format("tinny"))
    result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", "--no-header")
    result.assert_outcomes(failed=1)
    start, end = (
        next(number for number, line in enumerate(result.outlines) if heading in line)
        for heading in (" FAILURES ", " short test summary ")
    )
    assert result.outlines[start + 2 : end] == ["unknown environment `tinny`; did you mean `tiny`?"]


def test_a_project_is_found_above_the_root_folder_of_pytest(pytester: pytest.Pytester) -> None:
    small_project.make(pytester.path)
    folder = pytester.mkdir("tests")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_root.py").write_text(
        f"def test_root(fleetform_project):\n    assert str(fleetform_project) == {str(pytester.path)!r}\n",
        encoding="utf-8",
    )
    pytester.runpytest_inprocess(*PLUGIN, "--rootdir", str(folder), str(folder)).assert_outcomes(passed=1)


def test_a_project_is_found_beside_a_test_that_is_not_below_the_root_folder(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = small_project.make(tmp_path_factory.mktemp("project")).root
    test = elsewhere / "tests/test_root.py"
    test.parent.mkdir()
    test.write_text(
        f"def test_root(fleetform_project):\n    assert str(fleetform_project) == {str(elsewhere)!r}\n",
        encoding="utf-8",
    )
    result = pytester.runpytest_inprocess(*PLUGIN, "--rootdir", str(pytester.path), str(test))
    result.assert_outcomes(passed=1)


def test_a_plan_that_fails_is_made_once_and_fails_every_test_that_needs_it(
    pytester: pytest.Pytester, fake_terraform: FakeTerraform
) -> None:
    small_project.make(pytester.path)
    fake_terraform.fail("apply", "Error: the emulator is full")
    pytester.makepyfile(USES_IT.format("tiny") + "\n\ndef test_images(plan_of):\n    plan_of('tiny')\n")
    result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider")
    result.assert_outcomes(failed=2)
    assert [line for line in result.outlines if line.startswith("envs/tiny")] == [
        "envs/tiny/foundation cannot be planned: Error: the emulator is full"
    ] * 2
    assert fake_terraform.calls("apply") == ["apply"]
    assert "CRITICAL" not in result.stdout.str()


def test_a_run_without_the_fixtures_imports_nothing_but_the_plugin() -> None:
    """It is an entry point, so every run of pytest pays for its imports."""
    code = (
        "import sys, pytest; before = set(sys.modules); import fleetform.testing.plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fleetform", "fleetform.testing", "fleetform.testing.plugin"]
