import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import InputError, ProgramError
from fleetform.render.rendered_files import HEADER_START
from fleetform.render.rendering import header
from fleetform.render.writer import Change, changes, format_rendering, write

FOLDER = PurePath("envs/dev/services")
HEADER = header("dev")

Tree = dict[str, bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty stack of the project in `tmp_path`."""
    place = tmp_path / FOLDER
    place.mkdir(parents=True)
    return place


def generated(text: str) -> str:
    return f"{HEADER}{text}\n"


def update(root: Path, files: dict[str, str]) -> list[Change]:
    """Makes a stack hold the files, and returns what had to change."""
    found = changes(root, FOLDER, {PurePath(name): text for name, text in files.items()})
    write(root, found)
    return found


def tree(folder: Path) -> Tree:
    """All that is in a folder, by name; what a folder in it holds by `folder/name`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_stack_is_written(tmp_path: Path) -> None:
    assert update(tmp_path, {"b.tf": generated("b = 1"), "a.tf": generated("é")}) == [
        Change(FOLDER / "a.tf", None, generated("é")),
        Change(FOLDER / "b.tf", None, generated("b = 1")),
    ]
    assert tree(tmp_path / FOLDER) == {"a.tf": generated("é").encode(), "b.tf": generated("b = 1").encode()}


def test_a_stack_that_is_up_to_date_needs_no_changes(tmp_path: Path) -> None:
    update(tmp_path, {"a.tf": generated("1")})
    assert update(tmp_path, {"a.tf": generated("1")}) == []


def test_files_that_do_not_change_are_left_alone(tmp_path: Path, folder: Path) -> None:
    update(tmp_path, {"a.tf": generated("1"), "b.tf": generated("1")})
    before = {name: (folder / name).stat() for name in ("a.tf", "b.tf")}
    update(tmp_path, {"a.tf": generated("1"), "b.tf": generated("2")})
    after = (folder / "a.tf").stat()
    assert after.st_mtime_ns == before["a.tf"].st_mtime_ns
    assert after.st_ino == before["a.tf"].st_ino
    assert tree(folder) == {"a.tf": generated("1").encode(), "b.tf": generated("2").encode()}


def test_a_generated_file_that_is_no_longer_rendered_is_removed(tmp_path: Path, folder: Path) -> None:
    update(tmp_path, {"a.tf": generated("1"), "service_old.tf": generated("old")})
    assert update(tmp_path, {"a.tf": generated("1")}) == [
        Change(FOLDER / "service_old.tf", generated("old"), None)
    ]
    assert names(folder) == ["a.tf"]


def test_what_is_not_generated_is_never_touched(tmp_path: Path, folder: Path) -> None:
    (folder / "extra.tf").write_text("# by hand\n")
    (folder / "quotes.tf").write_text(f"# Not {HEADER_START}\n")
    (folder / "empty.tf").touch()
    (folder / "binary").write_bytes(b"\xff\x00")
    (folder / ".terraform").mkdir()
    (folder / ".terraform" / "inner.tf").write_text(generated("in a folder"))
    (folder / "link.tf").symlink_to(tmp_path / "elsewhere.tf")
    (tmp_path / "elsewhere.tf").write_text(generated("elsewhere"))
    before = tree(folder)
    update(tmp_path, {"a.tf": generated("1")})
    assert tree(folder) == before | {"a.tf": generated("1").encode()}


def by_hand(place: Path) -> None:
    place.write_text("# by hand\n")


def a_folder(place: Path) -> None:
    place.mkdir()


def a_link(place: Path) -> None:
    place.with_suffix(".target").write_text(generated("a"))
    place.symlink_to(place.with_suffix(".target"))


def a_dangling_link(place: Path) -> None:
    place.symlink_to(place.with_suffix(".nowhere"))


@pytest.mark.parametrize("put", [by_hand, a_folder, a_link, a_dangling_link])
def test_what_is_in_the_way_is_refused_and_nothing_is_written(
    tmp_path: Path, folder: Path, put: Callable[[Path], None]
) -> None:
    put(folder / "b.tf")
    before = names(folder)
    with pytest.raises(InputError) as refused:
        update(tmp_path, {"a.tf": generated("1"), "b.tf": generated("2")})
    assert str(refused.value) == (
        "envs/dev/services/b.tf:1:1: not generated, and in the way of a file that is; rename or remove it"
    )
    assert names(folder) == before


@pytest.mark.parametrize(
    ("content", "before"),
    [
        pytest.param(
            generated("1").replace("\n", "\r\n").encode(), generated("1").replace("\n", "\r\n"), id="CRLF"
        ),
        pytest.param(HEADER.encode() + b"\xff\n", f"{HEADER}\N{REPLACEMENT CHARACTER}\n", id="not UTF-8"),
        pytest.param(HEADER.encode(), HEADER, id="cut short"),
    ],
)
def test_a_generated_file_that_was_damaged_is_just_changed(
    tmp_path: Path, folder: Path, content: bytes, before: str
) -> None:
    (folder / "a.tf").write_bytes(content)
    assert update(tmp_path, {"a.tf": generated("1")}) == [Change(FOLDER / "a.tf", before, generated("1"))]
    assert tree(folder) == {"a.tf": generated("1").encode()}


# Two changed, two removed and two added files, mixed: a move for each that is new or old, two for each
# changed.
BEFORE = {name: generated(f"old {name}") for name in ("b.tf", "c.tf", "y.tf", "z.tf")}
AFTER = {name: generated(f"new {name}") for name in ("a.tf", "b.tf", "x.tf", "y.tf")}
MOVES = 8


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("last", [False, True], ids=["before the move", "after the move"])
@pytest.mark.parametrize("number", range(1, MOVES + 1))
def test_a_failure_half_way_leaves_the_old_stack_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], number: int, *, last: bool
) -> None:
    update(tmp_path, BEFORE)
    (tmp_path / FOLDER / "by_hand.tf").write_text("# by hand\n")
    whole = tree(tmp_path / FOLDER)
    found = changes(tmp_path, FOLDER, {PurePath(name): text for name, text in AFTER.items()})
    replace, moves = os.replace, []

    def failing(source: Path, target: Path) -> None:
        moves.append(source)
        if len(moves) == number and not last:
            raise error
        replace(source, target)
        if len(moves) == number:
            raise error

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(error):
        write(tmp_path, found)
    assert tree(tmp_path / FOLDER) == whole
    assert names(tmp_path / FOLDER) == sorted(whole)


def test_a_whole_change_of_a_stack_takes_as_many_moves_as_were_made_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(tmp_path, BEFORE)
    replace, moves = os.replace, []

    def counting(source: Path, target: Path) -> None:
        moves.append(source)
        replace(source, target)

    monkeypatch.setattr(os, "replace", counting)
    update(tmp_path, AFTER)
    assert len(moves) == MOVES
    assert tree(tmp_path / FOLDER) == {name: text.encode() for name, text in AFTER.items()}


@pytest.mark.parametrize(
    ("change", "kind", "diff"),
    [
        pytest.param(
            Change(PurePath("envs/a.tf"), None, "one\n"),
            "added",
            "--- a/envs/a.tf\n+++ b/envs/a.tf\n@@ -0,0 +1 @@\n+one\n",
            id="added",
        ),
        pytest.param(
            Change(PurePath("envs/a.tf"), "one\ntwo\n", "one\n2\n"),
            "changed",
            "--- a/envs/a.tf\n+++ b/envs/a.tf\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n",
            id="changed",
        ),
        pytest.param(
            Change(PurePath("envs/a.tf"), "one\n", None),
            "removed",
            "--- a/envs/a.tf\n+++ b/envs/a.tf\n@@ -1 +0,0 @@\n-one\n",
            id="removed",
        ),
    ],
)
def test_a_change_shows_as_a_diff(change: Change, kind: str, diff: str) -> None:
    assert change.kind == kind
    assert change.diff() == diff


def test_all_stacks_are_formatted_in_one_run_of_the_formatter_that_knows_every_file_by_its_ending() -> None:
    seen = []

    def shout(folder: Path) -> None:
        seen.append(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")))
        for path in folder.rglob("*.*"):
            path.write_text(path.read_text(encoding="utf-8").upper(), encoding="utf-8")

    stacks = {
        "foundation": {PurePath("a.tf"): "é\n", PurePath("backend.hcl"): "b\n"},
        "services": {PurePath("a.tf"): "c\n", PurePath("terraform.tfvars"): "d\n"},
    }
    assert format_rendering(stacks, shout) == {
        stack: {path: text.upper() for path, text in files.items()} for stack, files in stacks.items()
    }
    assert seen == [
        ["foundation/a.tf", "foundation/backend.tfvars", "services/a.tf", "services/terraform.tfvars"]
    ]


def test_a_formatter_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def failing(_folder: Path) -> None:
        raise ProgramError("it failed")

    with pytest.raises(ProgramError):
        format_rendering({"services": {PurePath("a.tf"): "x"}}, failing)
    assert names(tmp_path) == []


def test_no_staging_folder_is_left(tmp_path: Path, folder: Path) -> None:
    update(tmp_path, {"a.tf": generated("1")})
    assert names(folder) == ["a.tf"]


def test_the_staging_folder_of_a_render_that_was_killed_goes_with_the_next(
    tmp_path: Path, folder: Path
) -> None:
    """The other is of a render that goes on: the test itself."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    theirs, other = folder / f".render-{ended.pid}-x", folder / f".render-{os.getpid()}-x"
    (theirs / "stale").mkdir(parents=True)
    other.mkdir()
    update(tmp_path, {"a.tf": generated("1")})
    assert names(folder) == [other.name, "a.tf"]


def test_a_stack_whose_folder_was_deleted_is_written_again(tmp_path: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    update(tmp_path, {"a.tf": generated("1")})
    assert tree(folder) == {"a.tf": generated("1").encode()}
