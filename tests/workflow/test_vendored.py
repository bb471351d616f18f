"""The lock of vendored files: what it records, what it rejects, and which files differ from it."""

import json
from pathlib import Path

import pytest

from fleetform import __version__
from fleetform.base import git, package_data
from fleetform.base.errors import InputError
from fleetform.workflow import vendored
from fleetform.workflow.vendored import Difference, Lock

ID = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
LOCK = Lock("0.2.0", {"modules/a/main.tf": ID, "run": ID}, {"services/service.tf.j2": ID})


def test_a_blob_id_is_the_one_of_git(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\n\xff")
    printed = git.git(tmp_path, "hash-object", "--no-filters", "file")
    assert vendored.blob_id(b"a\r\n\xff") == printed.strip()


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    vendored.write_lock(tmp_path, LOCK)
    assert vendored.read_lock(tmp_path) == LOCK


def test_a_project_without_a_lock_has_none(tmp_path: Path) -> None:
    assert vendored.read_lock(tmp_path) is None


def test_the_lock_of_this_version_has_its_files_and_templates() -> None:
    lock = vendored.package_lock()
    assert lock.version == __version__
    assert {path.partition("/")[0] for path in lock.files} == {"envs", "modules", "run"}
    assert "modules/network/examples/basic/main.tf" in lock.files
    assert {name.partition("/")[0] for name in lock.templates} == {"ci", "common", "foundation", "services"}
    assert vendored.parse_lock(vendored.format_lock(lock).encode()) == lock


KEYS = "1:1: expected an object with `version`, `files`, `templates`"
VERSION = "1:1: `version` is not a version, such as 0.2.0"
OUTSIDE = "in `files` is not a path inside the project"
NO_ID = "is not the ID of a Git blob, 40 hexadecimal digits"


def lock_text(**changes: object) -> str:
    return json.dumps({"version": "0.2.0", "files": {}, "templates": {}, **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: not valid JSON: Expecting value"),
        ("{\n x", "2:2: not valid JSON: Expecting property name enclosed in double quotes"),
        ("\ud800", "1:1: not UTF-8"),
        ("[" * 100_000, "1:1: nested too deeply"),
        ("[]", KEYS),
        (lock_text(more=1), KEYS),
        (lock_text()[:-1] + ', "files": {}}', "1:1: not valid JSON: repeated key `files`"),
        (lock_text(version=2), VERSION),
        (lock_text(version="1.0 --index-url x"), VERSION),
        (lock_text(files=[]), "1:1: `files` is not an object"),
        (lock_text(files={"../run": ID}), f"1:1: `../run` {OUTSIDE}"),
        (lock_text(files={"/run": ID}), f"1:1: `/run` {OUTSIDE}"),
        (lock_text(files={"modules/a/../../x": ID}), f"1:1: `modules/a/../../x` {OUTSIDE}"),
        (lock_text(files={"modules/\x1b": ID}), f"1:1: `modules/\\x1b` {OUTSIDE}"),
        (
            lock_text(files={"tasks.py": ID}),
            f"1:1: `tasks.py` is not a vendored file: expected run, {vendored.SCHEMA} or a path in modules/",
        ),
        (lock_text(files={"run": "x"}), f"1:1: the value of `run` in `files` {NO_ID}"),
        (lock_text(templates={"a.j2": None}), f"1:1: the value of `a.j2` in `templates` {NO_ID}"),
    ],
)
def test_an_invalid_lock_is_rejected_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / vendored.LOCK).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError) as caught:
        vendored.read_lock(tmp_path)
    assert str(caught.value) == f"fleetform.lock.json:{message}; restore it from Git"


def test_a_lock_outside_the_project_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / vendored.LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"is a symbolic link to outside this repository"):
        vendored.read_lock(tmp_path / "project")


def test_edited_and_missing_files_differ(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/same.tf").write_bytes(b"")
    (tmp_path / "modules/edited.tf").write_bytes(b"x")
    lock = Lock("0.2.0", {f"modules/{name}.tf": ID for name in ("same", "missing", "edited")}, {})
    assert vendored.find_differences(tmp_path, lock) == [
        Difference("modules/edited.tf", is_missing=False),
        Difference("modules/missing.tf", is_missing=True),
    ]


def test_templates_of_the_same_name_are_overridden(tmp_path: Path) -> None:
    for name in ("services/service.tf.j2", "services/other.tf.j2", "project/README.md.j2"):
        (tmp_path / "templates" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "templates" / name).touch()
    assert vendored.overridden_templates(tmp_path) == ["services/service.tf.j2"]


def test_the_source_of_the_package_overrides_nothing() -> None:
    root = package_data.folder("modules").parent
    assert vendored.is_package_source(root)
    assert vendored.overridden_templates(root) == []
