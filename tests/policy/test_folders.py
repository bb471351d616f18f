"""Folders of Terraform files: what is read, and what is kept for the next time."""

from pathlib import Path, PurePath

import pytest

from fleetform import hcl
from fleetform.errors import CheckFailedError
from fleetform.policy.folders import Folders

STACK = PurePath("envs/dev/foundation")


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A stack's folder with one file."""
    folder = tmp_path / STACK
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text("a = 1\n", encoding="utf-8")
    return folder


def files(root: Path, cache: Path | None) -> list[hcl.File]:
    """The stack's files, kept afterwards."""
    folders = Folders(root, cache)
    found = folders.files(STACK)
    folders.keep()
    return found


def test_terraforms_files_are_read_in_the_order_of_their_names(tmp_path: Path, stack: Path) -> None:
    for name in ("backend.hcl", "terraform.tfvars", ".terraform.lock.hcl", "README.md"):
        (stack / name).write_text("b = 2\n", encoding="utf-8")
    found = [file.path.name for file in files(tmp_path, None)]
    assert found == ["backend.hcl", "main.tf", "terraform.tfvars"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert files(tmp_path, None) == []


def test_what_is_kept_is_not_parsed_again(tmp_path: Path, stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "work/parsed"
    first = files(tmp_path, cache)
    monkeypatch.delattr("fleetform.hcl.parse")
    assert files(tmp_path, cache) == first == [hcl.File(STACK / "main.tf", (), {"a": 1})]
    assert stack.is_dir()


def test_a_file_that_has_changed_is_parsed_again(tmp_path: Path, stack: Path) -> None:
    cache = tmp_path / "parsed"
    files(tmp_path, cache)
    (stack / "main.tf").write_text("a = 2\n", encoding="utf-8")
    assert files(tmp_path, cache) == [hcl.File(STACK / "main.tf", (), {"a": 2})]


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x05N."])
def test_a_cache_that_cannot_be_read_is_made_anew(tmp_path: Path, stack: Path, content: bytes) -> None:
    cache = tmp_path / "parsed"
    files(tmp_path, cache)
    good = cache.read_bytes()
    cache.write_bytes(content)
    assert files(tmp_path, cache) == [hcl.File(STACK / "main.tf", (), {"a": 1})]
    assert cache.read_bytes() == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["envs", "parsed"]
    assert stack.is_dir()


def test_a_cache_of_another_parser_is_not_used(tmp_path: Path, stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "parsed"
    files(tmp_path, cache)
    monkeypatch.setattr("fleetform.policy.folders.version", lambda _: "another")
    monkeypatch.setattr("fleetform.hcl.parse", lambda _, path: hcl.File(path, (), {"of": "another"}))
    assert files(tmp_path, cache) == [hcl.File(STACK / "main.tf", (), {"of": "another"})]
    assert stack.is_dir()


def test_what_is_not_hcl_is_refused_with_its_place(tmp_path: Path, stack: Path) -> None:
    (stack / "main.tf").write_text("a = \n", encoding="utf-8")
    with pytest.raises(CheckFailedError) as refused:
        files(tmp_path, tmp_path / "parsed")
    assert str(refused.value) == ("envs/dev/foundation/main.tf:1:5: not valid HCL; mend it, or render again")
