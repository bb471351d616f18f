"""What an image is built from: the files of its build context, and the key that stands for all of it."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from docker.utils.build import PatternMatcher

from fleetform.base.errors import InputError
from fleetform.catalog.models import Build

_IGNORE = ".dockerignore"
# Changing how a key is made makes every key a new one; so does this number.
_KEY_FORMAT = 1


@dataclass(frozen=True)
class BuildFiles:
    """The files of a build context that its `.dockerignore` leaves.

    Attributes:
        folder: Where they are.
        files: Their paths in the folder, sorted: files and symbolic links. Empty folders are none of it: Git has none.
        dockerfile: The Dockerfile, which the ignore file may well have left out of `files`.
    """

    folder: Path
    files: tuple[PurePosixPath, ...]
    dockerfile: Path

    def stage(self, target: Path) -> "BuildFiles":
        """Copies the context, so that engines see neither what is ignored nor what differs between two clones.

        Args:
            target: Gets a folder `context` and a file `Dockerfile`.

        Returns:
            The copy: times are the epoch, modes 755 or 644.
        """
        staged = BuildFiles(target / "context", self.files, target / "Dockerfile")
        staged.folder.mkdir(parents=True)
        shutil.copyfile(self.dockerfile, staged.dockerfile)
        for path in self.files:
            (staged.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / path, staged.folder / path, follow_symlinks=False)
            if not (staged.folder / path).is_symlink():
                (staged.folder / path).chmod(0o755 if _executable(self.folder / path) else 0o644)
        for folder, _, names in os.walk(staged.folder, topdown=False):
            Path(folder).chmod(0o755)
            for name in (*names, "."):
                os.utime(Path(folder, name), (0, 0), follow_symlinks=False)
        return staged


def read_build_files(root: Path, build: Build) -> BuildFiles:
    """Finds the files of a build context; `<Dockerfile>.dockerignore` goes before `.dockerignore`, as in Docker.

    The ignore files themselves are left out: they have had their effect.

    Raises:
        InputError: There is no such folder or Dockerfile, or the ignore file cannot be read.
    """
    folder = root / build.context
    dockerfile = folder / build.dockerfile
    if not folder.is_dir():
        raise InputError(f"{build.context}: no such folder; it is a `build.context` of the catalog")
    if not dockerfile.is_file():
        raise InputError(f"{build.context}/{build.dockerfile}: no such file; it is a `build.dockerfile` of the catalog")
    own_ignore = dockerfile.with_name(f"{dockerfile.name}{_IGNORE}")
    ignore = own_ignore if own_ignore.is_file() else folder / _IGNORE
    patterns = _patterns(ignore, PurePosixPath(build.context) / _relative(ignore, folder)) if ignore.is_file() else []
    files = sorted(set(_files(folder, patterns)) - {_relative(path, folder) for path in (own_ignore, folder / _IGNORE)})
    return BuildFiles(folder, tuple(files), dockerfile)


def _relative(path: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


def _patterns(ignore: Path, shown_as: PurePosixPath) -> list[str]:
    try:
        lines = ignore.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shown_as}: cannot be read ({error}); make it a readable file in UTF-8") from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _files(folder: Path, patterns: list[str]) -> Iterator[PurePosixPath]:
    for found in PatternMatcher(patterns).walk(str(folder)):  # type: ignore[no-untyped-call]
        path = folder / found
        if path.is_symlink() or path.is_file():
            yield PurePosixPath(found)


def content_key(context: BuildFiles, platforms: tuple[str, ...], args: Mapping[str, str]) -> str:
    """A SHA-256, in hexadecimal, of all that an image is made of; the same in every clone.

    It tells nothing of what the Dockerfile fetches: a base image that is to be known by it is named by its digest.
    """
    hashed = hashlib.sha256()
    for part in (_KEY_FORMAT, platforms, sorted(args.items()), _hash(context.dockerfile), *_file_digest(context)):
        hashed.update(json.dumps(part).encode() + b"\n")
    return hashed.hexdigest()


def _file_digest(context: BuildFiles) -> Iterator[tuple[str, str, str]]:
    """Path, kind and content of each file."""
    for file in context.files:
        path = context.folder / file
        if path.is_symlink():
            yield (file.as_posix(), "link", os.readlink(path))  # noqa: PTH115 - as written, not as Path tidies it
        else:
            yield (file.as_posix(), "program" if _executable(path) else "file", _hash(path))


def _executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
