"""The half of rendering that touches the work tree: format, compare, write whole stacks, remove orphans."""

import difflib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

from fleetform.base.errors import InputError
from fleetform.render.rendered_files import generated

Formatter: TypeAlias = Callable[[Path], None]
"""A function that formats all `.tf` and `.tfvars` files below a folder in place."""

_STAGING = ".render-"

# `terraform fmt` recognizes files by these suffixes.
_FORMATTED_NAME = {".hcl": ".tfvars"}


@dataclass(frozen=True)
class Change:
    """Change of one file by a render.

    Attributes:
        path: The file, from the project's root.
        before: Its text; None if the file does not exist.
        after: The rendered text; None if the file is an orphan.
    """

    path: PurePath
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        """Return `added`, `changed` or `removed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    def diff(self) -> str:
        """Return the change as a unified diff."""
        before, after = (text.splitlines(keepends=True) if text else [] for text in (self.before, self.after))
        name = self.path.as_posix()
        return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))


def format_rendering(
    stacks: Mapping[str, Mapping[PurePath, str]], fmt: Formatter
) -> dict[str, dict[PurePath, str]]:
    """Format rendered files, all in one run of the formatter."""
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        places = {
            (stack, path): Path(
                folder, stack, path.with_suffix(_FORMATTED_NAME.get(path.suffix, path.suffix))
            )
            for stack, files in stacks.items()
            for path in files
        }
        for (stack, path), place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(stacks[stack][path], encoding="utf-8", newline="\n")
        fmt(Path(folder))
        return {
            stack: {path: places[stack, path].read_text(encoding="utf-8") for path in files}
            for stack, files in stacks.items()
        }


def changes(root: Path, folder: PurePath, files: Mapping[PurePath, str]) -> list[Change]:
    """Compare a stack's folder with its rendered files.

    Args:
        root: The project's root.
        folder: The stack's folder, from the root.
        files: The stack's files by path in the folder, formatted.

    Returns:
        The necessary changes, by path. Files without our header are ignored.

    Raises:
        InputError: A file to write exists already, without our header.
    """
    found = []
    ours = _generated(root / folder)
    for path, text in files.items():
        place = root / folder / path
        if path not in ours and os.path.lexists(place):
            raise InputError(
                f"{folder / path}:1:1: not generated, and in the way of a file that is; rename or remove it"
            )
        if ours.get(path) != text:
            found.append(Change(folder / path, ours.get(path), text))
    found += [Change(folder / path, text, None) for path, text in ours.items() if path not in files]
    return sorted(found, key=lambda change: change.path)


def _generated(folder: Path) -> dict[PurePath, str]:
    """Return the text of the generated files in a folder."""
    return {
        PurePath(name): content.decode("utf-8", errors="replace")
        for name, content in generated(folder).items()
    }


def write(root: Path, stack_changes: list[Change]) -> None:
    """Apply the changes to one stack: all of them, or none if it fails or is interrupted."""
    if not stack_changes:
        return
    folder = root / stack_changes[0].path.parent
    folder.mkdir(parents=True, exist_ok=True)
    with _staging(folder) as staging:
        fresh, stale = staging / "fresh", staging / "stale"
        fresh.mkdir()
        stale.mkdir()
        for change in stack_changes:
            if change.after is not None:
                (fresh / change.path.name).write_text(change.after, encoding="utf-8", newline="\n")
        _swap(folder, [change.path.name for change in stack_changes], fresh, stale)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Provide a folder on the same file system, so that renames into the stack are atomic."""
    for left in folder.glob(f"{_STAGING}*"):
        if _is_orphan(left):
            shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{_STAGING}{os.getpid()}-", dir=folder))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_orphan(staging: Path) -> bool:
    """Return whether the render that a staging folder belongs to was killed."""
    try:
        os.kill(int(staging.name.removeprefix(_STAGING).partition("-")[0]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError):
        pass
    return False


def _swap(folder: Path, names: list[str], fresh: Path, stale: Path) -> None:
    added = [name for name in names if not (folder / name).exists()]
    try:
        for name in names:
            if (folder / name).exists():
                os.replace(folder / name, stale / name)  # noqa: PTH105 - Path.replace would read the same
            if (fresh / name).exists():
                os.replace(fresh / name, folder / name)  # noqa: PTH105
    except BaseException:
        for name in names:
            if (stale / name).exists():
                os.replace(stale / name, folder / name)  # noqa: PTH105
            elif name in added:
                (folder / name).unlink(missing_ok=True)
        raise
