"""The version of Fleetform."""

import tomllib
from pathlib import Path

import pytest

from fleetform.base import version


def test_the_version_of_a_checkout_is_the_one_of_its_pyproject(root: Path) -> None:
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert version.version() == declared["project"]["version"]


def test_the_version_of_an_installed_package_is_the_one_of_its_metadata(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(version, "__file__", str(tmp_path / "fleetform/base/version.py"))
    monkeypatch.setattr("importlib.metadata.version", {"fleetform": "7.8.9"}.__getitem__)
    assert version.version() == "7.8.9"
