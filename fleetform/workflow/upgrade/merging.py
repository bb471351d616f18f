"""Merges the vendored files of a project with those of a different version of the package."""

import stat
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path, PurePath
from typing import NamedTuple, TypeAlias

from fleetform.base.errors import InputError, printable
from fleetform.base.git_blobs import Side, blob_id, merge

Base: TypeAlias = Callable[[str, str], bytes]
"""Returns the content of a vendored file before anybody edited it, from its path and its blob ID."""


class Outcome(StrEnum):
    """What an upgrade does to a vendored file. Its value is printed."""

    ADDED = "added"
    UPDATED = "updated"
    MERGED = "merged with your edit"
    CONFLICT = "conflict"
    REMOVED = "removed"
    KEPT = "kept: edited here, unchanged upstream"
    ORPHANED = "kept: edited here, removed upstream"
    DELETED = "not restored: deleted here, changed upstream"


class MergedFile(NamedTuple):
    """A vendored file after a merge.

    Attributes:
        path: The file, from the project's root.
        outcome: What happens to it.
        content: Its new content; None if it does not exist afterwards.
        clean: Its content without conflict markers, which Terraform can read: of a conflict, the new
            version's.
    """

    path: PurePath
    outcome: Outcome
    content: bytes | None
    clean: bytes | None


class Labels(NamedTuple):
    """How conflict markers name the three versions of a file."""

    current: str
    base: str
    other: str


def merge_files(
    root: Path, recorded: Mapping[str, str], other: Mapping[str, bytes], base: Base, labels: Labels
) -> list[MergedFile]:
    """Merge all vendored files that differ from the recorded ones, in the project or in the new version.

    Args:
        root: The project's root; nothing in it is changed.
        recorded: The blob ID of each vendored file, or its first digits, by path from the root.
        other: The content of each file in the new version.
        base: Finds the content of a recorded file.
        labels: Names for conflict markers.

    Raises:
        InputError: A file is behind a symbolic link, or is not a file.
    """
    paths = sorted({*recorded, *other})
    for path in paths:
        require_plain(root, PurePath(path))
    merged = _Merger(root, recorded, other, base, labels)
    return [file for path in paths for file in merged.files(path)]


def require_plain(root: Path, path: PurePath) -> None:
    """Require that a path to write is inside the project, without symbolic links.

    Raises:
        InputError: It is not; or it is a folder, a pipe or a device.
    """
    shown = printable(path.as_posix())
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise InputError(f"{shown}: is outside of the project; nothing was changed")
    for part in (*reversed(path.parents), path):
        if (root / part).is_symlink():
            raise InputError(
                f"{printable(part.as_posix())}: is a symbolic link, and `upgrade` writes only files of this"
                " project; replace it by what it points to, and commit that"
            )
    try:
        mode = (root / path).lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(mode):
        raise InputError(f"{shown}: is not a file; rename or remove it")


class _Merger(NamedTuple):
    root: Path
    recorded: Mapping[str, str]
    other: Mapping[str, bytes]
    base: Base
    labels: Labels

    def files(self, path: str) -> Iterator[MergedFile]:
        """Yield a file, unless there is nothing to do and nothing to report about it."""
        current, recorded, other = self._current(path), self.recorded.get(path), self.other.get(path)
        if current == other:
            return
        if recorded is None:
            yield self._three_way(path, current, b"", other)
        elif current is None:
            if not _is(other, recorded):
                yield _file(path, Outcome.DELETED, None)
        elif other is None:
            edited = not _is(current, recorded)
            yield _file(path, *((Outcome.ORPHANED, current) if edited else (Outcome.REMOVED, None)))
        elif _is(current, recorded):
            yield _file(path, Outcome.UPDATED, other)
        elif _is(other, recorded):
            yield _file(path, Outcome.KEPT, current)
        else:
            yield self._three_way(path, current, self.base(path, recorded), other)

    def _three_way(self, path: str, current: bytes | None, base: bytes, other: bytes | None) -> MergedFile:
        if current is None or other is None:
            return _file(path, Outcome.ADDED, other)
        sides = zip(self.labels, (current, base, other), strict=True)
        result = merge(*(Side(*side) for side in sides))
        if result is None:
            raise InputError(
                f"{printable(path)}: is not text, and differs here and in the new version; copy your version"
                " elsewhere, restore the recorded one with Git, and commit"
            )
        if result.conflicts:
            return MergedFile(PurePath(path), Outcome.CONFLICT, result.content, other)
        return _file(path, Outcome.MERGED, result.content)

    def _current(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _file(path: str, outcome: Outcome, content: bytes | None) -> MergedFile:
    return MergedFile(PurePath(path), outcome, content, content)


def _is(content: bytes | None, identifier: str) -> bool:
    """Return whether a content has a blob ID, of which only the first digits may be given."""
    return content is not None and blob_id(content).startswith(identifier)
