"""What is ours and what is a team's in a fork of version 0.1.0."""

import re
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import InputError
from fleetform.base.git_blobs import blob_id
from fleetform.workflow.project import Project
from fleetform.workflow.upgrade import fork
from tests.workflow.upgrade import repositories

OURS = {
    "fleetform/__init__.py": b"ours\n",
    "fleetform/stacks.py": b"ours, too\n",
    "modules/cluster/cluster.tf": b"module\n",
    "templates/services/service.tf.j2": b"template\n",
    "README.md": b"read me\n",
    "docs/state.md": b"states\n",
    "tasks.py": b"tasks\n",
    "envs/catalog.yaml": b"catalog\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    known = {path: blob_id(content)[:12] for path, content in OURS.items()}
    monkeypatch.setattr(fork, "inventory", lambda: known)
    repositories.write(tmp_path, OURS)
    repositories.commit(tmp_path)
    return Project(tmp_path)


def test_the_inventory_has_every_file_of_the_first_version() -> None:
    found = fork.inventory()
    assert len(found) == 1642
    assert found["run"] == "e1a0fc783eaa"
    assert all(re.fullmatch("[0-9a-f]{12}", identifier) for identifier in found.values())


def test_what_is_ours_and_unedited_is_removed(project: Project) -> None:
    found = fork.read_fork(project)
    assert found.removed == tuple(
        map(
            PurePath,
            ["README.md", "docs/state.md", "fleetform/__init__.py", "fleetform/stacks.py", "tasks.py"],
        )
    )
    assert (found.aside, found.library) == ({}, ())


def test_edits_of_the_library_and_own_tasks_and_tests_go_aside(project: Project) -> None:
    repositories.write(
        project.root,
        {"fleetform/stacks.py": b"theirs\n", "tasks.py": b"own\n", "tests/test_own.py": b"own\n"},
    )
    repositories.commit(project.root)
    found = fork.read_fork(project)
    assert found.aside == {
        PurePath("fleetform/stacks.py"): PurePath("fork/fleetform/stacks.py"),
        PurePath("tasks.py"): PurePath("fork/tasks.py"),
        PurePath("tests/test_own.py"): PurePath("fork/tests/test_own.py"),
    }
    assert found.library == (PurePath("fleetform/stacks.py"),)


def test_a_teams_documents_catalogs_and_policies_stay(project: Project) -> None:
    repositories.write(
        project.root, {"docs/state.md": b"theirs\n", "docs/own.md": b"own\n", "policies/own.rego": b"own\n"}
    )
    repositories.commit(project.root)
    found = fork.read_fork(project)
    assert PurePath("docs/state.md") not in found.removed
    assert PurePath("envs/catalog.yaml") not in found.removed
    assert found.aside == {}


def test_modules_and_templates_are_merged_later(project: Project) -> None:
    found = fork.read_fork(project)
    assert found.modules == {"modules/cluster/cluster.tf": blob_id(b"module\n")[:12]}
    assert found.templates == {"templates/services/service.tf.j2": blob_id(b"template\n")[:12]}


def test_a_project_is_not_a_fork(tmp_path: Path) -> None:
    repositories.write(tmp_path, {"envs/catalog.yaml": b""})
    repositories.commit(tmp_path)
    with pytest.raises(InputError) as raised:
        fork.read_fork(Project(tmp_path))
    assert str(raised.value) == (
        "this is not a fork: Git tracks no file in fleetform/; `upgrade` without --from-fork upgrades a"
        " project"
    )


def test_a_fork_of_a_different_version_is_refused(project: Project) -> None:
    repositories.write(
        project.root, {"fleetform/stacks.py": b"later\n", "fleetform/__init__.py": b"later, too\n"}
    )
    repositories.commit(project.root)
    with pytest.raises(InputError) as raised:
        fork.read_fork(project)
    assert str(raised.value) == (
        "this is not a fork of version 0.1.0: only 0 of 2 files in fleetform/ are as in that version; take"
        " over version 0.1.0 first, or create a project with `init` and copy envs/, containers/ and policies/"
        " into it"
    )
