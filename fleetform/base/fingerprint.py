"""Fingerprints of what cached results depend on: our code, files, and the programs that we drive."""

import functools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from fleetform.base.cache import digest

# Files in which version managers (tenv, asdf, mise) read which Terraform the name on PATH means.
_VERSION_FILES = (".terraform-version", ".opentofu-version", ".tool-versions", "mise.toml")


_TIMESTAMP_RESOLUTION = 1_000_000_000  # nanoseconds; file systems count them in milliseconds, some in seconds
_read: dict[str, tuple[tuple[int, int, int, int], bytes]] = {}
"""Fingerprints of files by path, each with the inode's size and times."""


@functools.cache
def code() -> bytes:
    """Return a digest of this package, the interpreter and the installed libraries with their versions.

    3 ms.
    """
    libraries = sorted(name for folder in sys.path for name in _names(folder) if name.endswith(".dist-info"))
    return digest(
        sys.version.encode(), tree(Path(__file__).parents[1], (".py",)), *map(os.fsencode, libraries)
    )


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - only names are needed
    except OSError:  # an archive, or a missing folder
        return []


def program(path: str, folder: Path) -> bytes:
    """Return a digest of the program at a path: of its real path, size and time.

    Args:
        path: The program's path.
        folder: Its working directory; version managers read their files there.
    """
    status = Path(path).stat()
    choices = (content(folder / name) for name in _VERSION_FILES)
    return digest(
        os.fsencode(os.path.realpath(path)), b"%d %d" % (status.st_size, status.st_mtime_ns), *choices
    )


def tree(folder: Path, endings: tuple[str, ...] = ("",)) -> bytes:
    """Return a digest of the files below a folder, by path and content, without hidden files."""
    parts = ((os.fsencode(os.path.relpath(path, folder)), content(path)) for path in files(folder, endings))
    return digest(*(part for pair in parts for part in pair))


def files(folder: Path, endings: tuple[str, ...] = ("",)) -> Iterator[str]:
    """Yield the paths of the files below a folder, without hidden ones; links to folders are not followed."""
    for above, folders, names in os.walk(folder):
        folders[:] = _visible(folders)
        yield from (f"{above}/{name}" for name in _visible(names) if name.endswith(endings))


def _visible(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith("."))


def content(path: Path | str) -> bytes:
    """Return a digest of a file's content, or of the reason why it cannot be read.

    A file is read again only if its inode shows that it was written since this process read it. A write in
    the last moment is not trusted: two writes may have the same time on the file system.
    """
    name = os.fspath(path)
    try:
        status = os.stat(name)  # noqa: PTH116 - thousands of texts need not become paths first
        written = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        if (known := _read.get(name)) and known[0] == written:
            return known[1]
        now = time.time_ns()
        with open(name, "rb") as file:  # noqa: PTH123 - as above
            file_digest = digest(b"", file.read())
    except OSError as error:
        return digest(b"%d" % (error.errno or 0))
    if now - max(status.st_mtime_ns, status.st_ctime_ns) > _TIMESTAMP_RESOLUTION:
        _read[name] = written, file_digest
    return file_digest
