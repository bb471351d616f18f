"""The files that come with the package: templates, modules, the sample and the locked requirements.

In a checkout they are its top-level folders. A wheel has them in `fleetform/data`, where the build puts them
(ADR 22).
"""

from pathlib import Path
from typing import Literal

Name = Literal["containers", "envs", "modules", "requirements", "templates"]

_PACKAGE = Path(__file__).parents[1]
_INSTALLED = _PACKAGE / "data"


def folder(name: Name) -> Path:
    """Return the folder of a kind of files; `containers` and `envs` are the sample application."""
    return (_INSTALLED if is_installed() else _PACKAGE.parent) / name


def is_installed() -> bool:
    """Return whether this package was built; a checkout has no data folder."""
    return _INSTALLED.is_dir()
