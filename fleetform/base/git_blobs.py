"""Git's blobs and its three-way merge, on bytes."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from fleetform.base.errors import ProgramError

_FAILED = 128
"""`git merge-file` ends with the number of conflicts, at most 127, or with more if it fails."""

_VARIABLES = {"LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1"}


class Merge(NamedTuple):
    """A merged file.

    Attributes:
        content: Its text, with markers where both sides changed the same lines.
        conflicts: The number of such places.
    """

    content: bytes
    conflicts: int


class Side(NamedTuple):
    """One of the three versions of a file in a merge.

    Attributes:
        label: Names it in conflict markers.
        content: Its content.
    """

    label: str
    content: bytes


def blob_id(content: bytes) -> str:
    """Return the ID of a file's content, as `git hash-object` prints it (40 hexadecimal digits)."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def read_blob(root: Path, identifier: str) -> bytes | None:
    """Return the content of a blob; None if the repository does not have it.

    Args:
        root: A folder in the repository.
        identifier: The blob's ID, or at least its first 12 digits.
    """
    done = _git(root, "cat-file", "blob", identifier)
    if done.returncode or not blob_id(done.stdout).startswith(identifier):
        return None
    return done.stdout


def merge(current: Side, base: Side, other: Side) -> Merge | None:
    """Merge two changes of a file as `git merge-file` does; None if it is not text."""
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        names = ("current", "base", "other")
        sides = (current, base, other)
        for name, side in zip(names, sides, strict=True):
            Path(folder, name).write_bytes(side.content)
        labels = [word for side in sides for word in ("-L", side.label)]
        done = _git(Path(folder), "merge-file", "-p", "--diff3", *labels, *names)
    return None if done.returncode >= _FAILED else Merge(done.stdout, done.returncode)


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    argv = ["git", *arguments]
    try:
        return subprocess.run(
            argv, cwd=folder, env={**os.environ, **_VARIABLES}, capture_output=True, check=False
        )
    except OSError as error:
        raise ProgramError(f"cannot run git: {error.strerror}; install it") from None
