"""Git's index, read without running Git wherever its format allows that."""

import os
import subprocess
from functools import cache
from pathlib import Path

_HEADER = 8  # bytes: a signature and the version, https://git-scm.com/docs/index-format
_PLAIN_VERSIONS = (2, 3)  # in which every path is written in full
_SPLIT = b"link"  # the extension of an index that has its entries in a second file


@cache
def is_tracked(folder: Path) -> bool:
    """Return whether Git may track a folder or anything in it, in the repository around it.

    Case does not count.
    """
    repository = next((above for above in folder.absolute().parents if (above / ".git").exists()), None)
    if repository is None:
        return False
    try:
        index = (repository / ".git/index").read_bytes()
    except FileNotFoundError:  # nothing was ever added
        return False
    except OSError:  # `.git` is a file, which names a folder
        return _is_listed(folder)
    if int.from_bytes(index[4:_HEADER], "big") not in _PLAIN_VERSIONS or _SPLIT in index:
        return _is_listed(folder)
    path, entries = os.fsencode(folder.absolute().relative_to(repository)).lower(), index.lower()
    # The length of a path is before it, and may look like a dot: Git knows.
    return (path + b"/" in entries or path + b"\0" in entries) and _is_listed(folder)


def _is_listed(folder: Path) -> bool:
    """Ask Git; whatever it cannot answer counts as tracked."""
    argv = ["git", "ls-files", "--", f":(icase){folder.name}"]
    try:
        done = subprocess.run(argv, cwd=folder.absolute().parent, capture_output=True, check=False)
    except OSError:
        return True
    return done.returncode != 0 or done.stdout != b""
