"""Vendored files: replaced where they are as they came, merged where they were edited."""

from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import InputError
from fleetform.base.git_blobs import blob_id
from fleetform.workflow.upgrade.merging import Labels, MergedFile, Outcome, merge_files

PATH = "modules/cluster/cluster.tf"
LINES = [f"line {number}\n" for number in range(9)]
BASE = "".join(LINES).encode()
FIRST = BASE.replace(b"line 0", b"first")
LAST = BASE.replace(b"line 8", b"last")
LABELS = Labels("yours", "fleetform 0.2.0", "fleetform 0.3.0")


def merge(
    root: Path, current: bytes | None, recorded: bytes | None, other: bytes | None, path: str = PATH
) -> list[MergedFile]:
    if current is not None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(current)
    recorded_ids = {} if recorded is None else {path: blob_id(recorded)}
    others = {} if other is None else {path: other}
    return merge_files(root, recorded_ids, others, lambda *_: BASE, LABELS)


def one(outcome: Outcome, content: bytes | None, clean: bytes | None = None) -> list[MergedFile]:
    return [MergedFile(PurePath(PATH), outcome, content, content if clean is None else clean)]


@pytest.mark.parametrize(
    ("current", "recorded", "other", "merged"),
    [
        pytest.param(BASE, BASE, BASE, [], id="nothing changes"),
        pytest.param(LAST, BASE, LAST, [], id="both changed it alike"),
        pytest.param(None, BASE, None, [], id="removed on both sides"),
        pytest.param(None, BASE, BASE, [], id="deleted here, unchanged upstream"),
        pytest.param(None, None, BASE, one(Outcome.ADDED, BASE), id="new upstream"),
        pytest.param(BASE, BASE, LAST, one(Outcome.UPDATED, LAST), id="unedited"),
        pytest.param(FIRST, BASE, BASE, one(Outcome.KEPT, FIRST), id="edited, unchanged upstream"),
        pytest.param(BASE, BASE, None, one(Outcome.REMOVED, None), id="removed upstream"),
        pytest.param(FIRST, BASE, None, one(Outcome.ORPHANED, FIRST), id="edited, removed upstream"),
        pytest.param(None, BASE, LAST, one(Outcome.DELETED, None), id="deleted here, changed upstream"),
        pytest.param(
            FIRST,
            BASE,
            LAST,
            one(Outcome.MERGED, FIRST.replace(b"line 8", b"last")),
            id="edited on both sides, in different places",
        ),
    ],
)
def test_a_vendored_file_is_merged(
    tmp_path: Path,
    current: bytes | None,
    recorded: bytes | None,
    other: bytes | None,
    merged: list[MergedFile],
) -> None:
    assert merge(tmp_path, current, recorded, other) == merged


def test_a_conflict_shows_all_three_versions(tmp_path: Path) -> None:
    mine = BASE.replace(b"line 8", b"mine")
    shown = (
        b"".join(line.encode() for line in LINES[:8])
        + b"<<<<<<< yours\nmine\n||||||| fleetform 0.2.0\nline 8\n=======\nlast\n>>>>>>> fleetform 0.3.0\n"
    )
    assert merge(tmp_path, mine, BASE, LAST) == one(Outcome.CONFLICT, shown, LAST)


def test_a_file_in_the_way_of_a_new_one_is_a_conflict(tmp_path: Path) -> None:
    shown = b"<<<<<<< yours\na\n||||||| fleetform 0.2.0\n=======\nb\n>>>>>>> fleetform 0.3.0\n"
    assert merge(tmp_path, b"a\n", None, b"b\n") == one(Outcome.CONFLICT, shown, b"b\n")


def test_the_first_digits_of_an_id_identify_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(BASE)
    merged = merge_files(tmp_path, {"run": blob_id(BASE)[:12]}, {"run": LAST}, lambda *_: BASE, LABELS)
    assert merged == [MergedFile(PurePath("run"), Outcome.UPDATED, LAST, LAST)]


def test_a_merge_of_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        merge(tmp_path, b"\0a", BASE, b"\0b")
    assert str(raised.value) == (
        "modules/cluster/cluster.tf: is not text, and differs here and in the new version; copy your version"
        " elsewhere, restore the recorded one with Git, and commit"
    )


def test_a_module_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "shared/cluster").mkdir(parents=True)
    (tmp_path / "shared/cluster/cluster.tf").write_bytes(BASE)
    (tmp_path / "project/modules").symlink_to("../shared")
    with pytest.raises(InputError) as raised:
        merge(tmp_path / "project", None, BASE, LAST)
    assert str(raised.value) == (
        "modules: is a symbolic link, and `upgrade` writes only files of this project; replace it by what it"
        " points to, and commit that"
    )


@pytest.mark.parametrize("path", ["../cluster.tf", "/cluster.tf", "modules/../../cluster.tf"])
def test_a_path_out_of_the_project_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError) as raised:
        merge(tmp_path, None, BASE, LAST, path)
    assert str(raised.value) == f"{path}: is outside of the project; nothing was changed"


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / PATH).mkdir(parents=True)
    with pytest.raises(InputError) as raised:
        merge(tmp_path, None, BASE, LAST)
    assert str(raised.value) == f"{PATH}: is not a file; rename or remove it"
