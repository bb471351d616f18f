"""Git's plumbing commands: commits, their trees, and checkouts of them in temporary folders."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath

from fleetform.base.errors import InputError, ProgramError

_DEEPER = "; this clone is shallow: `git fetch --unshallow` brings the rest"


def git(
    folder: Path,
    *arguments: str,
    accepted: tuple[int, ...] = (0,),
    variables: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Run a Git command and return its output.

    Args:
        folder: Where it is run.
        arguments: Its arguments.
        accepted: Exit codes that mean success.
        variables: Added to its process environment.
        stdin: What it reads.

    Raises:
        InputError: The folder is in no repository.
        ProgramError: Git is missing or fails.
    """
    argv = ["git", *arguments]
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env={**os.environ, **(variables or {}), "LC_ALL": "C"},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError as error:
        raise ProgramError(f"cannot run git: {error.strerror}; install it") from None
    if done.returncode and "not a git repository" in done.stderr:
        raise InputError(
            "this checkout is not a Git repository; without its history nothing earlier is known"
        )
    if done.returncode not in accepted:
        raise ProgramError(
            f"`{' '.join(argv)}` ended with exit code {done.returncode}:\n{done.stderr.strip()}"
        )
    return done.stdout


def shallow_hint(root: Path) -> str:
    """Return a hint for messages about a missing commit: the clone may be shallow; empty if it is not."""
    return _DEEPER if git(root, "rev-parse", "--is-shallow-repository") == "true\n" else ""


def commit(root: Path, reference: str) -> str:
    """Return the hash of the commit that a name refers to.

    Raises:
        InputError: The name is unknown, or this is not a repository.
        ProgramError: Git is missing or fails.
    """
    argv = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if found := git(root, *argv, accepted=(0, 1, 128)).strip():
        return found
    shallow = shallow_hint(root)
    remedy = f"{shallow}, in GitHub Actions `fetch-depth: 0`" if shallow else "; `git fetch` may bring it"
    raise InputError(f"no commit `{reference}` in this repository{remedy}")


def tree(root: Path, commit_hash: str) -> str:
    """Return the tree's hash of the project in a commit.

    Empty if it is absent. The project may be a subfolder.
    """
    inside = git(root, "rev-parse", "--show-prefix").rstrip("\n")
    return git(
        root, "rev-parse", "--verify", "--quiet", f"{commit_hash}:{inside}", accepted=(0, 1, 128)
    ).strip()


@contextmanager
def checkout_of(
    root: Path, tree_hash: str, select: Callable[[list[PurePath]], list[PurePath]]
) -> Iterator[Path]:
    """A folder with files of a tree as Git itself checks them out; the repository's own index stays as it is.

    Args:
        root: The project's root.
        tree_hash: The tree; empty for one without files.
        select: Chooses of all paths in it those that are laid out.
    """
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        laid = Path(folder, "tree")
        laid.mkdir()
        if tree_hash:
            variables = {
                "GIT_DIR": git(root, "rev-parse", "--absolute-git-dir").rstrip("\n"),
                "GIT_WORK_TREE": str(laid),
                "GIT_INDEX_FILE": str(Path(folder, "index")),
            }
            git(laid, "read-tree", "--no-sparse-checkout", tree_hash, variables=variables)
            listed = git(laid, "ls-files", "-z", variables=variables).split("\0")[:-1]
            paths = "".join(f"{path}\0" for path in select([PurePath(path) for path in listed]))
            git(laid, "checkout-index", "--quiet", "-z", "--stdin", variables=variables, stdin=paths)
        yield laid
