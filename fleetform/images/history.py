"""The history of image locks in Git: which image a service ran before the current one."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleetform.base.errors import CatalogError, InputError
from fleetform.base.git import git, shallow_hint
from fleetform.base.suggestions import suggestion
from fleetform.catalog.files import lock_file
from fleetform.catalog.images_lock import LockedImage, load_lock


@dataclass(frozen=True)
class DeployedImage:
    """A service's entry in an earlier lock.

    Attributes:
        commit: The latest commit whose lock has the entry.
        image: The image.
    """

    commit: str
    image: LockedImage


def previous(root: Path, env: str, service: str) -> DeployedImage:
    """Return a service's newest lock entry whose image differs from the current one.

    Args:
        root: The project's root.
        env: The environment.
        service: The service.

    Raises:
        InputError: The lock is not committed, or no earlier entry exists.
        ProgramError: Git is missing or fails.
    """
    file = lock_file(env)
    lock = load_lock(root, env)
    if service not in lock:
        raise InputError(f"{file} has no image of `{service}`; {suggestion(service, sorted(lock))}")
    if git(root, "status", "--porcelain", "--", str(file)):
        raise InputError(
            f"{file} has uncommitted changes; commit it, or run `git restore {file}`, then roll back"
        )
    if entry := _previous(root, env, service, lock[service]):
        return entry
    raise InputError(f"no earlier image of `{service}` in the history of {file}" + shallow_hint(root))


def rollback_targets(root: Path, env: str) -> dict[str, LockedImage]:
    """Return the image that each locked service would roll back to, if it has one; see `previous`.

    Raises:
        InputError: Git has no history or a shallow one, so that the earlier image of a service is unknown.
        ProgramError: Git is missing or fails.
    """
    targets = {}
    for service, image in load_lock(root, env).items():
        if entry := _previous(root, env, service, image):
            targets[service] = entry.image
        elif remedy := shallow_hint(root):
            raise InputError(f"no earlier image of `{service}` in the history of {lock_file(env)}{remedy}")
    return targets


def _previous(root: Path, env: str, service: str, current: LockedImage) -> DeployedImage | None:
    """Return a service's newest entry whose image differs from the current one."""
    entries = (DeployedImage(commit, image) for commit, image in _history(root, env, service))
    return next((entry for entry in entries if entry.image.digest != current.digest), None)


def _history(root: Path, env: str, service: str) -> Iterator[tuple[str, LockedImage]]:
    """Return the commit and image of each lock that has the service, newest first."""
    for commit in git(root, "log", "--format=%H", "--", str(lock_file(env))).splitlines():
        image = _lock_at(root, env, commit).get(service)
        if image is not None:
            yield commit, image


def _lock_at(root: Path, env: str, commit: str) -> dict[str, LockedImage]:
    """Return a commit's lock.

    Empty if it was removed or is invalid, as older commits may have a valid one.
    """
    file = lock_file(env)
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        path = Path(folder, file)
        path.parent.mkdir(parents=True)
        # `./` makes the path relative to the working directory: the project may be a folder of a larger
        # repository.
        path.write_text(
            git(root, "show", f"{commit}:./{file.as_posix()}", accepted=(0, 128)), encoding="utf-8"
        )
        try:
            return load_lock(Path(folder), env)
        except CatalogError:
            return {}
