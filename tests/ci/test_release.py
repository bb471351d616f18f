"""The release: its workflow, and the script that checks the tag."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetform import __version__
from fleetform.ci.pipelines import ACTIONS
from tests.ci import checked, program
from tests.conftest import ROOT

WORKFLOW = ROOT / ".github/workflows/release.yml"
SCRIPT = ".github/release_notes.py"
PACKAGE = '"""A package."""\n\n__version__ = "1.2.3"\n'
CHANGELOG = """# Changelog

## 1.2.3 - 2026-12-01

### Upgrade

- Render again.

## 1.2.2 - 2026-11-01

Older.
"""


def workflow() -> dict[str, Any]:
    """Return the workflow as YAML 1.2 reads it: `on` is a word."""
    text = WORKFLOW.read_text(encoding="utf-8").replace("\non:\n", '\n"on":\n')
    return dict(yaml.safe_load(text))


def jobs() -> dict[str, Any]:
    return dict(workflow()["jobs"])


def steps() -> Iterator[dict[str, Any]]:
    """Yield the steps of all jobs."""
    for job in jobs().values():
        yield from job["steps"]


def notes(root: Path, tag: str) -> tuple[int, str, str]:
    """Run the script in a small repository: its exit code, what it prints, and its error."""
    for name, text in {"fleetform/__init__.py": PACKAGE, "CHANGELOG.md": CHANGELOG}.items():
        (root / name).parent.mkdir(exist_ok=True)
        if not (root / name).exists():
            (root / name).write_text(text, encoding="utf-8")
    (root / SCRIPT).parent.mkdir()
    shutil.copy(ROOT / SCRIPT, root / SCRIPT)
    argv = [sys.executable, "-I", str(root / SCRIPT), tag]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_actionlint_and_shellcheck_pass_the_workflow() -> None:
    assert checked(program("actionlint"), f"-shellcheck={program('shellcheck')}", str(WORKFLOW)) == ""


def test_zizmor_finds_nothing_as_an_auditor() -> None:
    argv = ("--offline", "--no-progress", "--quiet", "--no-config", "--color=never", "--persona=auditor")
    assert checked(program("zizmor"), *argv, str(WORKFLOW)) == "No findings to report. Good job!\n"


def test_the_schema_accepts_the_workflow() -> None:
    argv = ("-m", "check_jsonschema", "--builtin-schema=vendor.github-workflows", str(WORKFLOW))
    assert checked(sys.executable, *argv) == "ok -- validation done\n"


def test_only_a_tag_of_a_version_starts_it() -> None:
    assert workflow()["on"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}


def test_each_job_has_only_the_permissions_that_it_needs() -> None:
    assert workflow()["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs().items()} == {
        "build": {"contents": "read"},
        "test": {},
        "sbom": {"contents": "read"},
        "attest": {"attestations": "write", "id-token": "write"},
        "publish": {"id-token": "write"},
        "github-release": {"contents": "write"},
    }


def test_only_the_job_that_publishes_is_in_the_environment_that_pypi_trusts() -> None:
    assert {name: job["environment"] for name, job in jobs().items() if "environment" in job} == {
        "publish": "pypi"
    }
    assert [step["uses"].partition("@")[0] for step in jobs()["publish"]["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]


def test_nothing_is_published_before_it_is_tested_and_attested() -> None:
    assert {name: job.get("needs") for name, job in jobs().items()} == {
        "build": None,
        "test": "build",
        "sbom": "build",
        "attest": ["build", "test", "sbom"],
        "publish": "attest",
        "github-release": "publish",
    }


def test_actions_are_pinned_as_in_the_pipelines() -> None:
    used = {
        step["uses"].partition("@")[0]: step["uses"].partition("@")[2] for step in steps() if "uses" in step
    }
    assert {name: commit for name, commit in used.items() if len(commit) != 40} == {}
    shared = used.keys() & ACTIONS.keys()
    assert shared == {"actions/checkout", "actions/upload-artifact"}
    assert {name: used[name] for name in shared} == {name: ACTIONS[name].commit for name in shared}


def test_no_checkout_leaves_its_credentials_behind() -> None:
    kept = [
        step["with"].get("persist-credentials", True)
        for step in steps()
        if "checkout" in step.get("uses", "")
    ]
    assert kept == [False, False]


def test_no_script_holds_what_github_puts_in() -> None:
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_every_pinned_requirement_that_it_installs_exists() -> None:
    scripts = " ".join(step.get("run", "") for step in steps())
    assert {word for word in scripts.split() if "requirements/" in word} == {
        "requirements/build.txt",
        '"requirements/$part.txt"',
    }
    assert "for part in run terraform test; do" in scripts
    missing = [
        part
        for part in ("build", "run", "terraform", "test")
        if not (ROOT / f"requirements/{part}.txt").is_file()
    ]
    assert missing == []


def test_this_version_has_notes() -> None:
    text = checked(sys.executable, "-I", SCRIPT, f"v{__version__}")
    assert (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").count(text) == 1


def test_the_notes_are_the_changelogs_section(tmp_path: Path) -> None:
    assert notes(tmp_path, "v1.2.3") == (0, "### Upgrade\n\n- Render again.\n", "")


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3rc1", "v1.2.3\n"])
def test_a_tag_that_is_not_a_version_is_refused(tmp_path: Path, tag: str) -> None:
    expected = f"{tag}: not a tag of a release; use a tag such as v1.2.3\n"
    assert notes(tmp_path, tag) == (1, "", expected)


def test_a_tag_of_another_version_is_refused(tmp_path: Path) -> None:
    expected = "v1.2.2: `__version__` in fleetform/__init__.py is 1.2.3; change it, or tag v1.2.3\n"
    assert notes(tmp_path, "v1.2.2") == (1, "", expected)


@pytest.mark.parametrize(
    "changelog",
    ["# Changelog\n", "## 1.2.3\n\nText.\n", "## 1.2.3 - 2026-12-01\n\n## 1.2.2 - 2026-11-01\n\nOlder.\n"],
    ids=["missing", "no date", "empty"],
)
def test_a_version_without_notes_is_refused(tmp_path: Path, changelog: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    expected = "v1.2.3: CHANGELOG.md has no section `## 1.2.3 - YYYY-MM-DD`, or it is empty; write it\n"
    assert notes(tmp_path, "v1.2.3") == (1, "", expected)
