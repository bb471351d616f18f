"""The image lock is read as it was written, and nothing else is accepted."""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError, ProgramError
from fleetform.catalog.images_lock import LockedImage, format_lock, load_lock, write_lock

MEND = "restore this file from Git, or run `invoke images` to write it again"
KEY = "0123456789abcdef" * 4
WEB = LockedImage("0123456789abcdef", f"sha256:{'a' * 64}", ("linux/amd64",), "1" * 40, KEY)
STOCK = LockedImage("0123456789abcdef", f"sha256:{'b' * 64}", ("linux/amd64", "linux/arm64"), "", KEY)

TEXT = f"""\
# Written by `invoke images`. Committed: a revert is a rollback.

stock:
  tag: "0123456789abcdef"
  digest: sha256:{"b" * 64}
  platforms: [linux/amd64, linux/arm64]
  commit: ""
  content_key: "{KEY}"

web:
  tag: "0123456789abcdef"
  digest: sha256:{"a" * 64}
  platforms: [linux/amd64]
  commit: "{"1" * 40}"
  content_key: "{KEY}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "envs" / "dev").mkdir(parents=True)
    return tmp_path


def problems(project: Path, text: str) -> list[str]:
    """Return the problems of a lock."""
    (project / "envs/dev/images.lock.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_lock(project, "dev")
    return str(caught.value).splitlines()


def test_the_text_is_sorted_by_service() -> None:
    assert format_lock({"web": WEB, "stock": STOCK}) == TEXT


def test_what_is_written_is_read(project: Path) -> None:
    write_lock(project, "dev", {"web": WEB, "stock": STOCK})
    assert load_lock(project, "dev") == {"web": WEB, "stock": STOCK}


def test_without_a_file_nothing_is_locked(project: Path) -> None:
    assert load_lock(project, "dev") == {}


def test_an_empty_lock_is_one_without_images(project: Path) -> None:
    write_lock(project, "dev", {})
    assert load_lock(project, "dev") == {}


def test_writing_returns_whether_it_changed_the_file(project: Path) -> None:
    assert [write_lock(project, "dev", {"web": image}) for image in (WEB, WEB, STOCK)] == [True, False, True]


def test_a_failed_write_leaves_only_the_old_lock(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_lock(project, "dev", {"web": WEB})
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ProgramError) as caught:
        write_lock(project, "dev", {"web": STOCK})
    assert str(caught.value) == (
        "envs/dev/images.lock.yaml: cannot be written: No space left on device; fix that and run the "
        "command again; pushed images are kept"
    )
    assert [path.name for path in (project / "envs/dev").iterdir()] == ["images.lock.yaml"]
    assert load_lock(project, "dev") == {"web": WEB}


def test_every_wrong_value_is_reported_with_its_position(project: Path) -> None:
    text = """\
web:
  tag: "a b"
  digest: sha256:abc
  platforms: amd64
  commit: main
  content_key: 12
"""
    assert problems(project, text) == [
        f"envs/dev/images.lock.yaml:2:8: `web.tag` is not an image tag; {MEND}",
        "envs/dev/images.lock.yaml:3:11: `web.digest` is not `sha256:` and 64 hexadecimal digits; " + MEND,
        f"envs/dev/images.lock.yaml:4:14: `web.platforms` is not a list of platforms; {MEND}",
        f"envs/dev/images.lock.yaml:5:11: `web.commit` is not a Git commit, or nothing; {MEND}",
        f"envs/dev/images.lock.yaml:6:16: `web.content_key` is not 64 hexadecimal digits; {MEND}",
    ]


def test_a_missing_and_an_unknown_key_are_reported(project: Path) -> None:
    text = TEXT.replace("  digest: sha256:b", "  digset: sha256:b")
    assert problems(project, text) == [
        f"envs/dev/images.lock.yaml:3:1: `stock` has no `digest`; {MEND}",
        "envs/dev/images.lock.yaml:5:3: unknown key `digset` in `stock`; did you mean `digest`?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- web\n", "1:1: expected a mapping of services"),
        ("web: latest\n", "1:6: `web` is not a mapping"),
    ],
)
def test_a_value_that_is_not_a_mapping_is_refused(project: Path, text: str, expected: str) -> None:
    assert problems(project, text) == [f"envs/dev/images.lock.yaml:{expected}; {MEND}"]


def test_an_image_given_twice_is_refused(project: Path) -> None:
    (problem,) = problems(project, TEXT + TEXT.split("\n", 1)[1][TEXT.split("\n", 1)[1].index("web:") :])
    assert problem == (
        "envs/dev/images.lock.yaml:16:1: duplicate key `web`; "
        "it is already defined at envs/dev/images.lock.yaml:10:1; keep one"
    )
