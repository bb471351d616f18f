"""The files that an image is built from, and the content key that identifies them."""

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
# Changing how keys are computed changes every key; increase this number then.
_KEY_FORMAT = 1


@dataclass(frozen=True)
class BuildFiles:
    """The files of a build context that its `.dockerignore` does not exclude.

    Attributes:
        folder: The context's folder.
        files: Their paths in the folder, sorted: files and symbolic links. Empty folders do not count, as in
            Git.
        dockerfile: The Dockerfile, which `files` may lack if the ignore file excludes it.
    """

    folder: Path
    files: tuple[PurePosixPath, ...]
    dockerfile: Path

    def stage(self, target: Path) -> "BuildFiles":
        """Copy the context, so that engines see neither ignored files nor differences between two clones.

        Args:
            target: Where to create the folder `context` and the file `Dockerfile`.

        Returns:
            The copy. All times are the epoch, all modes 755 or 644.
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
    """Find the files of a build context. `<Dockerfile>.dockerignore` overrides `.dockerignore`, as in Docker.

    The ignore files themselves are excluded.

    Raises:
        InputError: The folder or Dockerfile does not exist, or the ignore file cannot be read.
    """
    folder = root / build.context
    dockerfile = folder / build.dockerfile
    if not folder.is_dir():
        raise InputError(f"{build.context}: no such folder; create it, or fix `build.context` in the catalog")
    if not dockerfile.is_file():
        file = f"{build.context}/{build.dockerfile}"
        raise InputError(f"{file}: no such file; create it, or fix `build.dockerfile` in the catalog")
    specific_ignore = dockerfile.with_name(f"{dockerfile.name}{_IGNORE}")
    ignore = specific_ignore if specific_ignore.is_file() else folder / _IGNORE
    patterns = (
        _patterns(ignore, PurePosixPath(build.context) / _relative(ignore, folder))
        if ignore.is_file()
        else []
    )
    ignore_files = {_relative(path, folder) for path in (specific_ignore, folder / _IGNORE)}
    return BuildFiles(folder, tuple(sorted(set(_files(folder, patterns)) - ignore_files)), dockerfile)


def _relative(path: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


def _patterns(ignore: Path, shown_as: PurePosixPath) -> list[str]:
    try:
        lines = ignore.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shown_as}: cannot be read ({error}); make it a readable UTF-8 file") from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _files(folder: Path, patterns: list[str]) -> Iterator[PurePosixPath]:
    for name in PatternMatcher(patterns).walk(str(folder)):  # type: ignore[no-untyped-call]
        path = folder / name
        if path.is_symlink() or path.is_file():
            yield PurePosixPath(name)


def content_key(context: BuildFiles, platforms: tuple[str, ...], args: Mapping[str, str]) -> str:
    """Return a hexadecimal SHA-256 of everything that an image is built from; it is the same in every clone.

    It does not cover what the Dockerfile downloads. To include a base image, name it by its digest.
    """
    hashed = hashlib.sha256()
    for part in (
        _KEY_FORMAT,
        platforms,
        sorted(args.items()),
        _hash(context.dockerfile),
        *_file_digest(context),
    ):
        hashed.update(json.dumps(part).encode() + b"\n")
    return hashed.hexdigest()


def _file_digest(context: BuildFiles) -> Iterator[tuple[str, str, str]]:
    """Return the path, kind and content digest of each file."""
    for file in context.files:
        path = context.folder / file
        if path.is_symlink():
            yield (file.as_posix(), "link", os.readlink(path))  # noqa: PTH115 - as written: Path would normalize it
        else:
            yield (file.as_posix(), "program" if _executable(path) else "file", _hash(path))


def _executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
