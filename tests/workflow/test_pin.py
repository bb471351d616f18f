"""The pinned requirements of a project, and where the wheel of Fleetform is found."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetform import __version__
from fleetform.base import package_data
from fleetform.base.errors import ProgramError
from fleetform.workflow import pin

NAME = f"fleetform-{__version__}-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel that was installed, in a path with spaces."""
    folder = tmp_path / "my wheels"
    folder.mkdir()
    (folder / NAME).write_bytes(b"wheel")
    return folder / NAME


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The folder that the wheel is put into."""
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What pip is asked for; it has a wheel."""
    calls: list[tuple[str, ...]] = []

    def pip(folder: Path, *words: object) -> Path:
        calls.append(tuple(str(each) for each in words if each))
        return folder / NAME

    monkeypatch.setattr(package_data, "is_installed", lambda: True)
    monkeypatch.setattr(pin, "_pip", pip)
    return calls


def installed_from(monkeypatch: pytest.MonkeyPatch, source: dict[str, Any]) -> None:
    monkeypatch.setattr(pin, "_direct_url", lambda: source)


def with_hash(wheel: Path) -> dict[str, Any]:
    digest = hashlib.sha256(b"wheel").hexdigest()
    return {"url": wheel.as_uri(), "archive_info": {"hashes": {"sha256": digest}}}


def as_uv_writes_it(wheel: Path) -> dict[str, Any]:
    return {"url": wheel.as_uri(), "archive_info": {}}


@pytest.mark.parametrize("source", [with_hash, as_uv_writes_it])
def test_the_file_that_was_installed_is_copied(
    monkeypatch: pytest.MonkeyPatch,
    wheel: Path,
    target: Path,
    asked: list[tuple[str, ...]],
    source: Callable[[Path], dict[str, Any]],
) -> None:
    installed_from(monkeypatch, source(wheel))
    assert pin.find_wheel(target).read_bytes() == b"wheel"
    assert asked == []
    assert not pin.is_published()


def test_a_file_that_has_changed_since_is_not_used(
    monkeypatch: pytest.MonkeyPatch, wheel: Path, target: Path, asked: list[tuple[str, ...]]
) -> None:
    installed_from(monkeypatch, with_hash(wheel))
    wheel.write_bytes(b"a later build")
    pin.find_wheel(target)
    assert asked == [("download", f"fleetform=={__version__}")]


def test_a_folder_that_was_installed_is_built_again(
    monkeypatch: pytest.MonkeyPatch, wheel: Path, target: Path, asked: list[tuple[str, ...]]
) -> None:
    installed_from(monkeypatch, {"url": wheel.parent.as_uri(), "dir_info": {}})
    pin.find_wheel(target)
    assert asked == [("wheel", str(wheel.parent))]


def test_a_published_wheel_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, target: Path, asked: list[tuple[str, ...]]
) -> None:
    installed_from(monkeypatch, {})
    pin.find_wheel(target)
    assert asked == [("download", f"fleetform=={__version__}")]
    assert pin.is_published()


def test_a_wheel_that_pip_does_not_find_is_an_error_that_names_the_variables(
    monkeypatch: pytest.MonkeyPatch, target: Path
) -> None:
    monkeypatch.setattr(package_data, "is_installed", lambda: True)
    installed_from(monkeypatch, {})
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(target),
        "PIP_CONFIG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProgramError, match="set PIP_FIND_LINKS or PIP_INDEX_URL, and run the command again"):
        pin.find_wheel(target)


def test_an_environment_without_pip_gets_a_temporary_one(
    monkeypatch: pytest.MonkeyPatch, wheel: Path, target: Path
) -> None:
    monkeypatch.setattr(package_data, "is_installed", lambda: True)
    monkeypatch.setattr(pin, "find_spec", lambda _: None)
    installed_from(monkeypatch, {})
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheel.parent.as_uri()}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProgramError, match=r"fleetform-.*\.whl"):  # pip reads it: a few bytes are not a wheel
        pin.find_wheel(target)
    assert (target / "venv/bin/python").exists()


def test_the_requirements_are_the_wheel_and_the_locked_versions(wheel: Path) -> None:
    locked = (package_data.folder("requirements") / "project.txt").read_text(encoding="utf-8")
    digest = hashlib.sha256(b"wheel").hexdigest()
    header, _, rest = pin.format_requirements(wheel).partition("\n")
    assert header.startswith("# Fleetform and what it needs")
    pinned = f"fleetform[aws,containers,emulator,test]=={__version__} \\\n    --hash=sha256:{digest}\n"
    assert rest == pinned + locked
