"""The command `upgrade`: what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest

from fleetform.base.errors import FleetformError
from fleetform.cli.upgrade import upgrade
from fleetform.workflow.project import Project
from tests.workflow.upgrade import projects, repositories
from tests.workflow.upgrade.projects import FILES, MODULE

FLAGS = {"to": "", "plan": False, "from_fork": False, "yes": True, "as_json": False}

SUMMARY = """\
Fleetform 0.2.0 -> 0.3.0
  modules/cluster  changed variables.tf
  .                added requirements-terraform.txt; changed fleetform.lock.json, requirements.txt
"""
NEXT = """
next:
  git add --all && git diff --cached
  invoke plan
  git commit -m "Upgrade Fleetform to 0.3.0"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of version 0.2.0; the running package is version 0.3.0 with a changed module."""
    return projects.make(tmp_path, monkeypatch)


def run(project: Project, **flags: str | bool) -> None:
    upgrade(project, **{**FLAGS, **flags})  # type: ignore[arg-type]


def refused(project: Project, **flags: str | bool) -> str:
    """Exit code and message of an upgrade that writes nothing."""
    with pytest.raises(FleetformError) as raised:
        run(project, **flags)
    assert repositories.status(project.root) == ""
    return f"{raised.value.exit_code}: {raised.value}"


def test_it_prints_changes_by_stack_and_module_and_the_next_commands(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project)
    assert capsys.readouterr().out == SUMMARY + NEXT


def test_without_a_terminal_it_asks_for_yes(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(project, yes=False) == (
        "2: 4 files of shop will change; there is no terminal to confirm it on: pass --yes"
    )
    assert capsys.readouterr().out == SUMMARY


def test_an_upgrade_with_nothing_to_change_ends_there(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(project)
    repositories.commit(project.root)
    text = (project.root / "requirements.txt").read_text(encoding="utf-8")
    monkeypatch.setattr("fleetform.workflow.pin.format_requirements", lambda _: text)
    projects.edit(project, "requirements.txt", text.replace("==0.2.0", "==0.3.0", 1).encode())
    monkeypatch.setattr(
        "fleetform.workflow.pin.format_requirements", lambda _: text.replace("==0.2.0", "==0.3.0", 1)
    )
    capsys.readouterr()
    run(project)
    assert capsys.readouterr().out == "Fleetform 0.3.0 -> 0.3.0: nothing to change\n"


def test_a_conflict_fails_with_what_to_do(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    projects.edit(project, MODULE, FILES[MODULE] + b"\n# Ours.\n")
    with pytest.raises(FleetformError) as raised:
        run(project)
    assert f"{raised.value.exit_code}: {raised.value}" == (
        "1: 1 file has conflicts: modules/cluster/variables.tf\n"
        "next: edit them, then `git diff --check` finds no marker, `invoke check` passes, and commit; or undo"
        " the upgrade with `git reset --hard && git clean -d --force`"
    )
    edited = "\nedited modules and files:\n  modules/cluster/variables.tf: conflict\n"
    assert capsys.readouterr().out == SUMMARY + edited


def test_json_has_all_files(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    run(project, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "from": "0.2.0",
        "to": "0.3.0",
        "files": [
            {"path": "fleetform.lock.json", "change": "changed"},
            {"path": MODULE, "change": "changed"},
            {"path": "requirements-terraform.txt", "change": "added"},
            {"path": "requirements.txt", "change": "changed"},
        ],
        "vendored": [{"path": MODULE, "outcome": "updated"}],
        "conflicts": [],
        "templates": [],
        "aside": {},
        "plans": {},
    }


def test_an_unknown_version_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert refused(project, to="9.9.9") == (
        "2: unknown version 9.9.9: No matching distribution found for fleetform==9.9.9; nothing was changed;"
        " `pip index versions fleetform` lists the known ones"
    )


def test_an_index_that_is_not_reachable_is_reported(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert refused(project, to="9.9.9") == (
        "3: pip cannot reach the package index for fleetform 9.9.9: No matching distribution found for"
        " fleetform==9.9.9; nothing was changed; connect to your package index, or put the wheel into"
        " .fleetform/wheels/, then run it again"
    )


@pytest.mark.parametrize("version", ["latest", "../0.3.0", "0.3.0; true", "-r"])
def test_what_is_no_version_is_refused(project: Project, version: str) -> None:
    assert refused(project, to=version) == (f"2: `{version}` is not a version; give one such as 0.3.0")


def test_an_older_version_is_refused_before_it_is_installed(project: Project) -> None:
    assert refused(project, to="0.1.0") == (
        "2: 0.1.0 is older than 0.2.0, which this project uses: an older version may not know what the"
        " catalogs use today; revert the commit of the upgrade with Git instead"
    )
