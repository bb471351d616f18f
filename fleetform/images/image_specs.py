"""The images that the catalog and the work tree specify."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.base.errors import InputError
from fleetform.catalog.images_lock import LockedImage
from fleetform.catalog.models import Build, Environment
from fleetform.images.context import BuildFiles, content_key, read_build_files

PLATFORMS: Mapping[str, str] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""An engine's name for each `architecture` of a service."""

_TAG_DIGITS = 16


@dataclass(frozen=True)
class ImageSpec:
    """The image that a service has to run, before it is built.

    Attributes:
        service: The service.
        repository: Its repository in the registry.
        platform: The platform that it runs on, such as `linux/amd64`.
        args: Build arguments.
        context: The files that it is built from.
        content_key: The hash of platform, arguments and files.
        commit: The commit that is checked out.
    """

    service: str
    repository: str
    platform: str
    args: Mapping[str, str]
    context: BuildFiles
    content_key: str
    commit: str

    @property
    def tag(self) -> str:
        """Return its tag, which follows from its content."""
        return self.content_key[:_TAG_DIGITS]

    def locked(self, digest: str) -> LockedImage:
        """Return its lock entry."""
        return LockedImage(self.tag, digest, (self.platform,), self.commit, self.content_key)


def image_specs(root: Path, environment: Environment, services: Iterable[str]) -> list[ImageSpec]:
    """Return the images of those services that have `build`.

    Raises:
        InputError: A context or a Dockerfile is missing, or a file cannot be read.
    """
    builds = {name: build for name in services if (build := environment.services[name].build)}
    return [_image_spec(root, environment, name, build) for name, build in builds.items()]


def _image_spec(root: Path, environment: Environment, name: str, build: Build) -> ImageSpec:
    platform = PLATFORMS[environment.services[name].architecture]
    try:
        context = read_build_files(root, build)
        key = content_key(context, (platform,), build.args)
    except OSError as error:
        raise InputError(
            f"{error.filename}: {error.strerror}; make it readable or list it in .dockerignore"
        ) from None
    return ImageSpec(
        name, environment.full_name(name), platform, build.args, context, key, _commit(context.folder)
    )


def _commit(folder: Path) -> str:
    """Return the commit that is checked out, with `-dirty` if the folder has changes.

    Empty outside of Git.
    """
    try:
        head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{head}-dirty" if changed else head


def _git(folder: Path, *arguments: str) -> str:
    argv = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout.strip()
