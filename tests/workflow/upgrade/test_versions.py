"""Versions, and the Python environment of another one."""

import subprocess
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.workflow.upgrade.versions import installed, read_pin, version_key


def test_versions_are_in_order() -> None:
    versions = ["0.2.0", "0.3.0a1", "0.3.0b1", "0.3.0rc1", "0.3.0rc2", "0.3", "0.3.1", "0.10.0", "1.0.0"]
    assert sorted(versions, key=version_key) == versions
    assert version_key("0.3") == version_key("0.3.0")


def test_the_pin_has_the_hashes_of_its_own_line(tmp_path: Path) -> None:
    hashes = [f"    --hash=sha256:{digit * 64}" for digit in "abcd"]
    text = "a==1 \\\n{}\nfleetform[aws,test]==0.2.0 \\\n{} \\\n{}\nz==1 \\\n{}\n".format(*hashes)
    (tmp_path / "requirements.txt").write_text(text, encoding="utf-8")
    assert read_pin(tmp_path) == ("0.2.0", frozenset({"b" * 64, "c" * 64}))


def test_a_python_without_venv_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setattr("venv.create", fail)
    with pytest.raises(ProgramError) as raised, installed(tmp_path, "0.3.0", []):
        pass
    assert str(raised.value) == (
        "cannot make a Python environment for the new version; on Debian and Ubuntu, run `apt-get install"
        " python3-venv`; nothing was changed"
    )
