"""The version of Fleetform: pyproject.toml has it, beside the package in a checkout and in the metadata elsewhere."""

import importlib.metadata
import tomllib
from pathlib import Path

NAME = "fleetform"


def version() -> str:
    """Return the version, such as ``0.1.0``."""
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    if pyproject.is_file():
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        if project["name"] == NAME:
            return str(project["version"])
    return importlib.metadata.version(NAME)
