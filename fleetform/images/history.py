"""The locks that Git remembers: which image a service ran before this one."""

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
        commit: The last commit whose lock had it.
        image: The image.
    """

    commit: str
    image: LockedImage


def previous(root: Path, env: str, service: str) -> DeployedImage:
    """The newest entry of a service whose image is not the one that is locked now.

    Args:
        root: The project's root.
        env: The environment.
        service: The service.

    Raises:
        InputError: The lock is not committed, or there is no such entry.
        ProgramError: Git is missing or fails.
    """
    file = lock_file(env)
    lock = load_lock(root, env)
    if service not in lock:
        raise InputError(f"{file} has no image of `{service}`; {suggestion(service, sorted(lock))}")
    if git(root, "status", "--porcelain", "--", str(file)):
        raise InputError(f"{file} is not committed; commit it, or take it from Git again, and then go back")
    if entry := _previous(root, env, service, lock[service]):
        return entry
    raise InputError(f"no earlier image of `{service}` in the history of {file}" + shallow_hint(root))


def rollback_targets(root: Path, env: str) -> dict[str, LockedImage]:
    """The image that each locked service can go back to, where there is one; see `previous`.

    Raises:
        InputError: There is no history, or not all of it: what a service can go back to is not known.
        ProgramError: Git is missing or fails.
    """
    targets = {}
    for service, image in load_lock(root, env).items():
        if entry := _previous(root, env, service, image):
            targets[service] = entry.image
        elif remedy := shallow_hint(root):
            raise InputError(f"no earlier image of `{service}` in the history of {lock_file(env)}{remedy}")
    return targets


def _previous(root: Path, env: str, service: str, present: LockedImage) -> DeployedImage | None:
    """The newest entry of a service with another image than the present one."""
    entries = (DeployedImage(commit, image) for commit, image in _history(root, env, service))
    return next((entry for entry in entries if entry.image.digest != present.digest), None)


def _history(root: Path, env: str, service: str) -> Iterator[tuple[str, LockedImage]]:
    """The commit and the image of each lock that had the service, newest first."""
    for commit in git(root, "log", "--format=%H", "--", str(lock_file(env))).splitlines():
        image = _lock_at(root, env, commit).get(service)
        if image is not None:
            yield commit, image


def _lock_at(root: Path, env: str, commit: str) -> dict[str, LockedImage]:
    """The lock of a commit; empty where it was removed, or cannot be read: another commit's can."""
    file = lock_file(env)
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        path = Path(folder, file)
        path.parent.mkdir(parents=True)
        # `./` makes it a path from where we are: the project may be a folder of a larger repository.
        path.write_text(git(root, "show", f"{commit}:./{file.as_posix()}", accepted=(0, 128)), encoding="utf-8")
        try:
            return load_lock(Path(folder), env)
        except CatalogError:
            return {}
