"""The vendored files of a project and their lock, `fleetform.lock.json`.

`init` and `upgrade` copy modules, the catalog's schema and `run` from the package into the project, and they
record the version and of each file the ID of its Git blob. So a file that a team edited is known, and its
original is `git cat-file blob ID` if it was ever committed. The lock also has the IDs of the package's
templates, so that `upgrade` can report which of those that the project overrides have changed.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from fleetform import __version__
from fleetform.base import fingerprint, package_data
from fleetform.base.errors import InputError, ProgramError, printable
from fleetform.catalog.repository import reject_outside
from fleetform.catalog.writer import write_atomically
from fleetform.workflow.project import TEMPLATES

LOCK = "fleetform.lock.json"
"""The lock's name, in the project's root."""

MODULES: Final = "modules"
SCHEMA = "envs/catalog.schema.json"
RUN = "run"
"""The program of a project, the only vendored file that is executable."""

PROJECT_TEMPLATES = "project"
"""The folder of the package's templates that `init` writes a project from; a project cannot override them."""

_VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,3}((a|b|rc)[0-9]+)?(\.post[0-9]+)?(\.dev[0-9]+)?", re.ASCII)
_BLOB_ID = re.compile(r"[0-9a-f]{40}", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*", re.ASCII)
_LONGEST_VERSION = 40
_LARGEST = 4 * 1024 * 1024  # bytes; ours is 20 KB
_MODULE_SUFFIXES = (".tf", ".md")
_REMEDY = "restore it from Git"


@dataclass(frozen=True)
class Lock:
    """What was vendored.

    Attributes:
        version: Version of Fleetform that the files are from.
        files: Blob IDs of the vendored files by path from the project's root: `modules/...`, the catalog's
            schema and `run`.
        templates: Blob IDs of that version's templates by name, such as `services/service.tf.j2`.
    """

    version: str
    files: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """A vendored file that is not as its version has it.

    Attributes:
        path: From the project's root.
        is_missing: Whether the project does not have it; otherwise it was edited.
    """

    path: str
    is_missing: bool


def blob_id(content: bytes) -> str:
    """Return the ID of a Git blob, as `git hash-object` prints it."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def read_lock(root: Path) -> Lock | None:
    """Read a project's lock; None if it has none.

    Raises:
        InputError: The lock is unreadable or invalid, or a link to outside the repository.
    """
    path = root / LOCK
    reject_outside(root, PurePosixPath(LOCK))
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{LOCK}: cannot be read: {error.strerror}; make it a readable file") from None
    if len(content) > _LARGEST:
        raise _error(f"larger than {_LARGEST} bytes")
    return parse_lock(content)


def parse_lock(content: bytes) -> Lock:
    """Parse the content of a lock.

    Raises:
        InputError: It is invalid.
    """
    try:
        plain = json.loads(content.decode(), object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise _error(f"not valid JSON: {error.msg}", error.lineno, error.colno) from None
    except UnicodeDecodeError:
        raise _error("not UTF-8") from None
    except ValueError as error:
        raise _error(f"not valid JSON: {error}") from None
    except RecursionError:
        raise _error("nested too deeply") from None
    keys = ("version", "files", "templates")
    if not isinstance(plain, dict) or plain.keys() != {*keys}:
        raise _error(f"expected an object with {', '.join(f'`{key}`' for key in keys)}")
    version = plain["version"]
    if not (isinstance(version, str) and len(version) <= _LONGEST_VERSION and _VERSION.fullmatch(version)):
        raise _error("`version` is not a version, such as 0.2.0")
    files, templates = (_parse_ids(key, plain[key]) for key in keys[1:])
    for path in files:
        if path not in {RUN, SCHEMA} and not path.startswith(f"{MODULES}/"):
            raise _error(f"`{path}` is not a vendored file: expected {RUN}, {SCHEMA} or a path in {MODULES}/")
    return Lock(version, files, templates)


def format_lock(lock: Lock) -> str:
    """Format a lock; the same lock gives the same text, one file a line."""
    plain = {
        "version": lock.version,
        "files": dict(sorted(lock.files.items())),
        "templates": dict(sorted(lock.templates.items())),
    }
    return json.dumps(plain, indent=2) + "\n"


def write_lock(root: Path, lock: Lock) -> None:
    """Write a project's lock completely or not at all.

    Raises:
        ProgramError: It cannot be written.
    """
    try:
        write_atomically(root / LOCK, format_lock(lock))
    except OSError as error:
        raise ProgramError(
            f"{LOCK}: cannot be written: {error.strerror}; fix that and run the command again"
        ) from None


def package_files() -> dict[str, bytes]:
    """Return the files that this version vendors, by path from the project's root.

    Modules come with their examples and READMEs, for their reviewers.
    """
    modules = package_data.folder(MODULES)
    schema = package_data.folder("envs") / PurePosixPath(SCHEMA).name
    run = package_data.folder(TEMPLATES) / PROJECT_TEMPLATES / RUN
    return {
        SCHEMA: schema.read_bytes(),
        **_contents(modules, f"{MODULES}/", _MODULE_SUFFIXES),
        RUN: run.read_bytes(),
    }


def package_templates() -> dict[str, bytes]:
    """Return the templates of this version that a project can override, by name."""
    contents = _contents(package_data.folder(TEMPLATES), "", (".j2",))
    return {
        name: content for name, content in contents.items() if not name.startswith(f"{PROJECT_TEMPLATES}/")
    }


def package_lock() -> Lock:
    """Return the lock of a project that has this version's files."""
    files, templates = (
        {name: blob_id(content) for name, content in contents.items()}
        for contents in (package_files(), package_templates())
    )
    return Lock(__version__, files, templates)


def is_package_source(root: Path) -> bool:
    """Return whether a project is the checkout that this package runs from, which vendors nothing."""
    return package_data.folder(MODULES) == root / MODULES


def find_differences(root: Path, lock: Lock) -> list[Difference]:
    """Return the vendored files of a project that are edited or missing, by path."""
    return [
        Difference(path, is_missing=current is None)
        for path, original in sorted(lock.files.items())
        if (current := _current_id(root / path)) != original
    ]


def overridden_templates(root: Path) -> list[str]:
    """Return the names of the package's templates that a project overrides, sorted.

    Copies of them do not count.
    """
    package = package_data.folder(TEMPLATES)
    if package == root / TEMPLATES:
        return []
    own = root / TEMPLATES
    names = sorted(Path(path).relative_to(own).as_posix() for path in fingerprint.files(own, (".j2",)))
    return [
        name
        for name in names
        if (package / name).is_file()
        and not name.startswith(f"{PROJECT_TEMPLATES}/")
        and fingerprint.content(own / name) != fingerprint.content(package / name)
    ]


def _current_id(path: Path) -> str | None:
    """Return the blob ID of a file; None if it is missing, empty text if it is anything but a file."""
    try:
        return blob_id(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ""


def _contents(folder: Path, prefix: str, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    """Read the files below a folder, without hidden ones, by path from it with a prefix."""
    paths = sorted(map(Path, fingerprint.files(folder, suffixes)))
    return {f"{prefix}{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}


def _parse_ids(key: str, plain: object) -> dict[str, str]:
    """Parse a mapping from paths to blob IDs."""
    if not isinstance(plain, dict):
        raise _error(f"`{key}` is not an object")
    for path, value in plain.items():
        if not _PATH.fullmatch(path):
            raise _error(f"`{path}` in `{key}` is not a path inside the project")
        if not (isinstance(value, str) and _BLOB_ID.fullmatch(value)):
            raise _error(
                f"the value of `{path}` in `{key}` is not the ID of a Git blob, 40 hexadecimal digits"
            )
    return plain


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON without repeated keys.

    Raises:
        ValueError: A key is repeated.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"repeated key `{repeated}`")
    return found


def _error(message: str, line: int = 1, column: int = 1) -> InputError:
    return InputError(printable(f"{LOCK}:{line}:{column}: {message}; {_REMEDY}"))
