"""The images as the catalog and the work tree have them."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.base.errors import InputError
from fleetform.catalog.images_lock import LockedImage
from fleetform.catalog.models import Build, Environment
from fleetform.images.context import BuildFiles, content_key, read_build_files

PLATFORMS: Mapping[str, str] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""What a service's `architecture` is to an engine."""

_TAG_DIGITS = 16


@dataclass(frozen=True)
class ImageSpec:
    """An image that a service is to run.

    Attributes:
        service: The service.
        repository: Its repository in the registry.
        platform: What it runs on, such as `linux/amd64`.
        args: Build arguments.
        context: What it is built from.
        content_key: What stands for all of that.
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
        """Its tag: another content has another."""
        return self.content_key[:_TAG_DIGITS]

    def locked(self, digest: str) -> LockedImage:
        """Its entry in the lock."""
        return LockedImage(self.tag, digest, (self.platform,), self.commit, self.content_key)


def image_specs(root: Path, environment: Environment, services: Iterable[str]) -> list[ImageSpec]:
    """The images of services, of those that have a `build`.

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
        raise InputError(f"{error.filename}: {error.strerror}; make it readable or list it in .dockerignore") from None
    return ImageSpec(name, environment.full_name(name), platform, build.args, context, key, _commit(context.folder))


def _commit(folder: Path) -> str:
    """The commit that is checked out, `-dirty` behind it if files in the folder differ; empty outside of Git."""
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
