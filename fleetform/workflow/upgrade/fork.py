"""Tells what is ours and what is a team's in a fork of this repository, in its layout of version 0.1.0."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath

from fleetform.base.errors import InputError
from fleetform.base.git import git
from fleetform.workflow.project import Project

VERSION = "0.1.0"
"""The version of the layout."""

ASIDE = PurePath("fork")
"""The folder for files of a team that have no place in a small project."""

_INVENTORY = Path(__file__).with_name("fork_0_1_0.txt")
_LIBRARY = "fleetform/"
# Folders and files that a fork has for developing the library itself. An edit of them cannot stay in place.
_REPLACED = (
    ".ci/",
    "benchmarks/",
    "completion.bash",
    _LIBRARY,
    "pyproject.toml",
    "requirements/",
    "run",
    "tasks.py",
    "tests/",
)
# What stays although we wrote it: the team's catalogs and images, and what they generate.
_KEPT = (".github/workflows/fleetform.yml", "containers/", "envs/")
_MERGED = ("modules/", "templates/")
_KNOWN_SHARE = 0.5


@dataclass(frozen=True)
class Fork:
    """What becomes of the files of a fork, besides its modules and templates.

    Attributes:
        removed: Ours, as they came.
        aside: The team's, by their path today; their new path is in `fork/`.
        library: Those of `aside` that change the library.
        modules: The first digits of the blob IDs of version 0.1.0's modules, by path.
        templates: The same of its templates.
    """

    removed: tuple[PurePath, ...]
    aside: Mapping[PurePath, PurePath]
    library: tuple[PurePath, ...]
    modules: Mapping[str, str]
    templates: Mapping[str, str]


@cache
def inventory() -> Mapping[str, str]:
    """Return the first 12 digits of the blob ID of each file of version 0.1.0, by path."""
    lines = _INVENTORY.read_text(encoding="utf-8").splitlines()
    return {path: identifier for identifier, _, path in (line.partition(" ") for line in lines)}


def read_fork(project: Project) -> Fork:
    """Sort the tracked files of a fork.

    Raises:
        InputError: The project is not a fork of version 0.1.0.
    """
    files = _tracked(project)
    known = inventory()
    unedited = {path for path, identifier in files.items() if known.get(path, "-") == identifier[:12]}
    _require_fork(files, unedited)
    removed, aside = [], {}
    for path in files:
        if path.startswith((*_KEPT, *_MERGED)):
            continue
        if path in unedited:
            removed.append(PurePath(path))
        elif path.startswith(_REPLACED):
            aside[PurePath(path)] = ASIDE / path
    library = tuple(path for path in aside if path.parts[0] == PurePath(_LIBRARY).name)
    return Fork(tuple(removed), aside, library, _below("modules/", known), _below("templates/", known))


def _tracked(project: Project) -> dict[str, str]:
    """Return the blob ID of each tracked file by path; a clean work tree has the same content."""
    entries = git(project.root, "ls-files", "--stage", "-z").split("\0")[:-1]
    pairs = (entry.split("\t", maxsplit=1) for entry in entries)
    return {path: details.split()[1] for details, path in pairs}


def _require_fork(files: Iterable[str], unedited: Iterable[str]) -> None:
    library = [path for path in files if path.startswith(_LIBRARY)]
    same = [path for path in unedited if path.startswith(_LIBRARY)]
    if not library:
        raise InputError(
            "this is not a fork: Git tracks no file in fleetform/; `upgrade` without --from-fork upgrades a"
            " project"
        )
    if len(same) < _KNOWN_SHARE * len(library):
        raise InputError(
            f"this is not a fork of version {VERSION}: only {len(same)} of {len(library)} files in fleetform/"
            f" are as in that version; take over version {VERSION} first, or create a project with `init` and"
            " copy envs/, containers/ and policies/ into it"
        )


def _below(folder: str, known: Mapping[str, str]) -> dict[str, str]:
    return {path: identifier for path, identifier in known.items() if path.startswith(folder)}
