"""Git repositories of projects, for tests of upgrades."""

from collections.abc import Mapping
from pathlib import Path

from fleetform.base.git import git

_IDENTITY = {
    "GIT_AUTHOR_NAME": "team",
    "GIT_AUTHOR_EMAIL": "team@example.com",
    "GIT_COMMITTER_NAME": "team",
    "GIT_COMMITTER_EMAIL": "team@example.com",
}


def write(root: Path, files: Mapping[str, bytes]) -> None:
    """Write files by path."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def commit(root: Path) -> None:
    """Commit everything in a folder, which becomes a repository."""
    if not (root / ".git").exists():
        git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--no-verify", "--message", "Commit", variables=_IDENTITY)


def status(root: Path) -> str:
    """Return what Git lists as changed."""
    return git(root, "status", "--porcelain", "--untracked-files=all")


def files(root: Path) -> dict[str, bytes]:
    """Return the content of all files that Git tracks or would track, by path."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")[:-1]
    return {path: (root / path).read_bytes() for path in sorted({*listed}) if (root / path).is_file()}
