"""A draft of a project: a copy to change at will, of which the differences are written in one go."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import NamedTuple

from fleetform.base.errors import ProgramError
from fleetform.base.git import git
from fleetform.workflow.project import Project
from fleetform.workflow.upgrade.merging import require_plain

_EXECUTABLE = 0o111
_OWN_FOLDERS = (".fleetform", ".git", ".terraform")


class FileChange(NamedTuple):
    """A file that an upgrade writes or removes.

    Attributes:
        path: The file, from the project's root.
        before: Its content; None if it does not exist.
        after: Its new content; None if it is removed.
        executable: Whether it is a program afterwards.
    """

    path: PurePath
    before: bytes | None
    after: bytes | None
    executable: bool

    @property
    def kind(self) -> str:
        """Return `added`, `changed` or `removed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def tracked_files(project: Project) -> list[PurePath]:
    """Return the files of a project that Git tracks, from its root, sorted; no submodules."""
    listed = git(project.root, "ls-files", "-z").split("\0")[:-1]
    return [PurePath(path) for path in listed if not _is_folder(project.root / path)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


@contextmanager
def draft_of(project: Project) -> Iterator[Project]:
    """A copy of the tracked files of a project, without links out of it."""
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        draft = Project(Path(folder).resolve())
        for path in tracked_files(project):
            (draft.root / path.parent).mkdir(parents=True, exist_ok=True)
            source = project.root / path
            if source.is_symlink():
                _copy_link(project.root, draft.root, path)
            else:
                shutil.copy2(source, draft.root / path)
        yield draft


def _copy_link(root: Path, draft: Path, path: PurePath) -> None:
    target = os.path.realpath(root / path)
    inside = os.path.relpath(target, os.path.realpath(root))
    if not inside.startswith(".."):
        (draft / path).symlink_to(os.path.relpath(draft / inside, (draft / path).parent))


def differences(project: Project, draft: Project) -> list[FileChange]:
    """Return how a draft differs from its project, by path.

    Raises:
        InputError: A file to write is behind a symbolic link.
    """
    before = {path for path in tracked_files(project) if not (project.root / path).is_symlink()}
    changes = []
    for path in sorted(before | set(_files(draft.root))):
        old, new = _content(project.root / path), _content(draft.root / path)
        if old != new:
            require_plain(project.root, path)
            mode = (draft.root / path).stat().st_mode if new is not None else 0
            changes.append(FileChange(path, old, new, bool(mode & _EXECUTABLE)))
    return changes


def _files(root: Path) -> Iterator[PurePath]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _OWN_FOLDERS]
        for name in names:
            if not Path(folder, name).is_symlink():
                yield PurePath(os.path.relpath(Path(folder, name), root))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(project: Project, changes: Sequence[FileChange]) -> None:
    """Make changes: all of them, or none if one fails or is interrupted.

    Raises:
        ProgramError: A file cannot be written; the others are as they were.
    """
    project.work.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="upgrade-", dir=project.work) as folder:
        fresh, stale = Path(folder, "fresh"), Path(folder, "stale")
        fresh.mkdir()
        stale.mkdir()
        try:
            for number, change in enumerate(changes):
                if change.after is not None:
                    _prepare(project.root / change.path, fresh / str(number), change)
            _swap(project.root, changes, fresh, stale)
        except OSError as error:
            file = os.path.relpath(error.filename2 or error.filename, project.root)
            raise ProgramError(
                f"{file}: cannot be written: {error.strerror}; everything is as it was: fix that"
                " and run the command again"
            ) from None
        _remove_empty_folders(project.root, changes)


def _prepare(path: Path, file: Path, change: FileChange) -> None:
    """Write the new content of a file, with the permissions of the present one."""
    file.write_bytes(change.after or b"")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    readable = (mode & 0o444) >> 2
    file.chmod(mode | readable if change.executable else mode & ~_EXECUTABLE)


def _swap(root: Path, changes: Sequence[FileChange], fresh: Path, stale: Path) -> None:
    made: list[Path] = []
    try:
        for number, change in enumerate(changes):
            place, name = root / change.path, str(number)
            if change.before is not None:
                place.replace(stale / name)
            if change.after is not None:
                for folder in reversed(place.parents):
                    if not folder.exists():
                        made.append(folder)
                        folder.mkdir()
                (fresh / name).rename(place)
    except BaseException:
        _restore(root, changes, fresh, stale)
        for folder in reversed(made):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def _restore(root: Path, changes: Sequence[FileChange], fresh: Path, stale: Path) -> None:
    """Put everything back; what has been done so far shows in what is left in our folders."""
    for number, change in enumerate(changes):
        place, name = root / change.path, str(number)
        if (stale / name).exists():
            (stale / name).replace(place)
        elif change.before is None and not (fresh / name).exists():
            place.unlink(missing_ok=True)


def _remove_empty_folders(root: Path, changes: Sequence[FileChange]) -> None:
    for change in reversed(changes):
        for folder in change.path.parents[:-1] if change.after is None else ():
            if (root / folder).is_dir() and not any((root / folder).iterdir()):
                (root / folder).rmdir()
