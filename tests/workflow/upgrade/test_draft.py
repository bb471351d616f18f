"""A draft: a copy of a project, of which the differences are written in one go or not at all."""

from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import InputError, ProgramError
from fleetform.workflow.project import Project
from fleetform.workflow.upgrade.draft import FileChange, differences, draft_of, write
from tests.workflow.upgrade import repositories

FILES = {"modules/a/main.tf": b"a\n", "modules/b/main.tf": b"b\n", "run": b"#!/bin/sh\n"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "shop"
    repositories.write(root, FILES)
    (root / "run").chmod(0o755)
    repositories.commit(root)
    return Project(root)


def change(path: str, before: bytes | None, after: bytes | None, *, executable: bool = False) -> FileChange:
    return FileChange(PurePath(path), before, after, executable)


CHANGES = [
    change("modules/a/main.tf", b"a\n", b"new\n"),
    change("modules/b/main.tf", b"b\n", None),
    change("modules/c/d/main.tf", None, b"c\n"),
]


def test_a_draft_has_the_tracked_files_and_no_others(project: Project) -> None:
    repositories.write(project.root, {"left.txt": b"untracked\n"})
    with draft_of(project) as draft:
        found = {path for path in draft.root.rglob("*") if path.is_file()}
        assert found == {draft.root / name for name in FILES}
        assert differences(project, draft) == []


def test_links_out_of_the_project_are_not_in_a_draft(project: Project) -> None:
    (project.root / "inside").symlink_to("modules/a")
    (project.root / "outside").symlink_to("../elsewhere")
    repositories.commit(project.root)
    with draft_of(project) as draft:
        assert (draft.root / "inside/main.tf").read_bytes() == b"a\n"
        assert not (draft.root / "outside").is_symlink()
        assert differences(project, draft) == []


def test_differences_are_files_that_a_draft_adds_changes_and_removes(project: Project) -> None:
    with draft_of(project) as draft:
        repositories.write(draft.root, {"modules/a/main.tf": b"new\n", "modules/c/d/main.tf": b"c\n"})
        repositories.write(draft.root, {".fleetform/cache.sqlite": b"cache"})
        (draft.root / "modules/b/main.tf").unlink()
        assert differences(project, draft) == CHANGES


def test_a_change_behind_a_link_is_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project.root / "envs").symlink_to("../elsewhere")
    repositories.commit(project.root)
    with draft_of(project) as draft:
        repositories.write(draft.root, {"envs/prod/main.tf": b"rendered\n"})
        with pytest.raises(InputError) as raised:
            differences(project, draft)
    assert str(raised.value) == (
        "envs: is a symbolic link, and `upgrade` writes only files of this project; replace it by what it"
        " points to, and commit that"
    )


def test_writing_makes_all_changes_and_leaves_no_empty_folders(project: Project) -> None:
    write(project, CHANGES)
    found = {path.relative_to(project.root).as_posix() for path in project.root.glob("modules/**/*")}
    assert found == {"modules/a", "modules/a/main.tf", "modules/c", "modules/c/d", "modules/c/d/main.tf"}
    assert (project.root / "modules/a/main.tf").read_bytes() == b"new\n"
    assert list(project.work.iterdir()) == []


def test_a_program_stays_one(project: Project) -> None:
    write(project, [change("run", b"#!/bin/sh\n", b"#!/bin/sh\ntrue\n", executable=True)])
    assert (project.root / "run").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("method", ["replace", "rename", "mkdir"])
def test_an_interrupt_at_any_moment_leaves_everything_as_it_was(
    project: Project, monkeypatch: pytest.MonkeyPatch, method: str, number: int
) -> None:
    real, calls = getattr(Path, method), []

    def interrupted(self: Path, *args: object, **keywords: object) -> object:
        calls.append(self)
        if len(calls) == number + 1:
            raise KeyboardInterrupt
        return real(self, *args, **keywords)

    project.work.mkdir()
    monkeypatch.setattr(Path, method, interrupted)
    try:
        write(project, CHANGES)
    except KeyboardInterrupt:
        assert repositories.status(project.root) == ""
        assert not (project.root / "modules/c").exists()
    else:
        assert len(calls) <= number


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(project: Project) -> None:
    in_the_way = [*CHANGES, change("run/sub", None, b"x\n")]
    with pytest.raises(ProgramError) as raised:
        write(project, in_the_way)
    assert str(raised.value) == (
        "run/sub: cannot be written: Not a directory; everything is as it was: fix that and run"
        " the command again"
    )
    assert repositories.status(project.root) == ""
