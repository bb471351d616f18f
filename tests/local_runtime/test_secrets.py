"""Secrets: their names, and the file that holds them here."""

import subprocess
from pathlib import Path

import pytest

from fleetform.base.errors import InputError
from fleetform.local_runtime.secrets import read_secrets, required_variables
from tests.local_runtime.applied import everything, sample

NAMES = ("WEB_KEY", "WEB_PASSWORD")


def write(root: Path, text: str, mode: int = 0o600) -> Path:
    file = root / "envs/local/.env"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    file.chmod(mode)
    return file


def git(root: Path, *arguments: str) -> None:
    argv = ["git", "-C", str(root), *arguments]
    subprocess.run(argv, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that ignores the file."""
    git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text(".env\n", encoding="utf-8")
    return tmp_path


def complaint(root: Path) -> list[str]:
    """What is wrong, line by line."""
    with pytest.raises(InputError) as caught:
        read_secrets(root, "local", NAMES)
    return str(caught.value).splitlines()


def test_names_are_those_of_service_and_secret() -> None:
    assert required_variables(everything()) == ("API_API_KEY", "API_DB_PASSWORD")


def test_an_environment_without_secrets_needs_none() -> None:
    assert required_variables(sample(shared=False)) == ()


def test_values_are_read_as_they_are(checkout: Path) -> None:
    write(checkout, "# ours\nexport WEB_KEY='a b#c'\nWEB_PASSWORD=$HOME${X}\"'\nOTHER=1\n")
    assert read_secrets(checkout, "local", NAMES) == {"WEB_KEY": "a b#c", "WEB_PASSWORD": "$HOME${X}\"'"}


def test_without_secrets_there_need_be_no_file(tmp_path: Path) -> None:
    assert read_secrets(tmp_path, "local", ()) == {}


def test_outside_of_a_checkout_nothing_can_be_committed(tmp_path: Path) -> None:
    write(tmp_path, "WEB_KEY=1\nWEB_PASSWORD=2\n")
    assert read_secrets(tmp_path, "local", NAMES) == {"WEB_KEY": "1", "WEB_PASSWORD": "2"}


def test_a_file_that_is_not_there_is_reported_with_what_to_write(checkout: Path) -> None:
    assert complaint(checkout) == [
        "envs/local/.env: not found; create it, readable only by you (chmod 600), with:",
        "WEB_KEY=",
        "WEB_PASSWORD=",
    ]


def test_all_that_is_wrong_is_reported_at_once(checkout: Path) -> None:
    (checkout / ".gitignore").unlink()
    write(checkout, "WEB_KEY\nnot a line\n", mode=0o640)
    assert complaint(checkout) == [
        "envs/local/.env: line 2 cannot be read; write NAME=value, with quotes around spaces and #",
        "envs/local/.env: others can read it; run `chmod 600 envs/local/.env`",
        "envs/local/.env: Git does not ignore it; add `.env` to .gitignore",
        "envs/local/.env: WEB_KEY is missing; add a line `WEB_KEY=...`",
        "envs/local/.env: WEB_PASSWORD is missing; add a line `WEB_PASSWORD=...`",
    ]


def test_a_file_that_git_tracks_is_refused(checkout: Path) -> None:
    write(checkout, "WEB_KEY=1\nWEB_PASSWORD=2\n")
    git(checkout, "add", "--force", "envs/local/.env")
    remedy = "run `git rm --cached envs/local/.env`, and change the secrets if it was ever pushed"
    assert complaint(checkout) == [f"envs/local/.env: Git tracks it; {remedy}"]


def test_a_binary_file_is_refused(checkout: Path) -> None:
    write(checkout, "").write_bytes(b"WEB_KEY=\xff\n")
    assert complaint(checkout) == ["envs/local/.env: not UTF-8 text; save it as UTF-8"]


def test_a_folder_in_its_place_is_refused(checkout: Path) -> None:
    (checkout / "envs/local/.env").mkdir(parents=True)
    assert complaint(checkout) == ["envs/local/.env: Is a directory; make it a file that you can read"]
