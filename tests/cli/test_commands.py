"""The tasks' functions, which are named by text so that listing the tasks loads none of them."""

import re
from pathlib import Path

import pytest

from fleetform.cli.adapter import load

NAME = re.compile(r'"(fleetform(?:\.\w+)+:\w+)"')


def names(root: Path) -> list[str]:
    """Return every function that the package or tasks.py names by text."""
    files = [*(root / "fleetform").rglob("*.py"), root / "tasks.py"]
    return sorted({name for file in files for name in NAME.findall(file.read_text(encoding="utf-8"))})


def test_every_function_that_is_named_by_text_exists(root: Path) -> None:
    missing = []
    for name in names(root):
        try:
            load(name)
        except (AttributeError, ImportError):
            missing.append(name)
    assert missing == []


def test_an_unknown_function_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no_such_function"):
        load("fleetform.cli.catalog:no_such_function")
