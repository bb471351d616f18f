"""Commands that build and push images with Docker, Podman or Buildah, as argument vectors.

Images are built under the name that they are pushed to: `<host>/<repository>:<tag>`.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fleetform.base.errors import InputError, ProgramError
from fleetform.base.processes import last_error_line
from fleetform.images.context import BuildFiles
from fleetform.images.registry import Credentials

_LOOPBACK = re.compile(r"(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?")
_PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64}) size: [0-9]+")


@dataclass(frozen=True)
class Image:
    """An image to build and push.

    Attributes:
        host: The registry's host.
        repository: Its repository in the registry.
        tag: Its tag, which was never used before.
        platform: The platform that it runs on, such as `linux/amd64`.
        args: Build arguments.
    """

    host: str
    repository: str
    tag: str
    platform: str
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Return its full name, as engines use it."""
        return f"{self.host}/{self.repository}:{self.tag}"

    def options(self, context: BuildFiles) -> list[str]:
        """Return the build options that all engines share."""
        args = [f"--build-arg={name}={value}" for name, value in sorted(self.args.items())]
        return [
            f"--platform={self.platform}",
            f"--tag={self.reference}",
            f"--file={context.dockerfile}",
            *args,
        ]


class Engine(Protocol):
    """A program that builds and pushes images. Its methods only return commands; they do not run them."""

    @property
    def name(self) -> str:
        """Return the program's name."""

    def build(self, image: Image, context: BuildFiles) -> list[str]:
        """Return the command that builds an image from a staged context."""

    def look_up(self, image: Image) -> list[str]:
        """Return the command that looks up an image in the local store.

        Its exit code is 0 if the image is there.
        """

    def login(self, credentials: Credentials, private: Path) -> list[str]:
        """Return the command that logs in, with the password on standard input, and keeps it in `private`."""

    def push(self, image: Image, private: Path) -> list[str]:
        """Return the command that pushes an image with the login in `private`."""

    def digest(self, image: Image, private: Path, lines: Sequence[str]) -> str | None:
        """Return the digest that was pushed, given the output of the push."""

    def build_variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the process environment of a build, with the user's logins for base images."""

    def push_variables(self, base: Mapping[str, str], private: Path) -> dict[str, str]:
        """Return the process environment of login and push."""

    def prepare(self, credentials: Credentials, private: Path, base: Mapping[str, str]) -> None:
        """Create the files that `login` needs in `private`."""


@dataclass(frozen=True)
class Docker:
    """Docker, with BuildKit if the client has buildx.

    Attributes:
        buildx: Whether the client has buildx.
    """

    buildx: bool = True
    name: str = field(default="docker", init=False)

    def build(self, image: Image, context: BuildFiles) -> list[str]:
        """See `Engine`.

        Attestations are off, so that the digest is the image's own, which ECR scans and ECS runs.
        """
        command = (
            ["buildx", "build", "--load", "--provenance=false", "--progress=plain"]
            if self.buildx
            else ["build"]
        )
        return ["docker", *command, *image.options(context), str(context.folder)]

    def look_up(self, image: Image) -> list[str]:
        """See `Engine`."""
        return ["docker", "image", "inspect", image.reference]

    def login(self, credentials: Credentials, private: Path) -> list[str]:  # noqa: ARG002 - set by DOCKER_CONFIG
        """See `Engine`."""
        return ["docker", "login", f"--username={credentials.user}", "--password-stdin", credentials.host]

    def push(self, image: Image, private: Path) -> list[str]:  # noqa: ARG002 - set by DOCKER_CONFIG
        """See `Engine`."""
        return ["docker", "push", image.reference]

    def digest(self, image: Image, private: Path, lines: Sequence[str]) -> str | None:  # noqa: ARG002 - from the output
        """See `Engine`."""
        digests = [match[1] for line in lines if (match := _PUSHED.search(line))]
        return digests[-1] if digests else None

    def build_variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """See `Engine`."""
        return {**base, "DOCKER_BUILDKIT": "1" if self.buildx else "0"}

    def push_variables(self, base: Mapping[str, str], private: Path) -> dict[str, str]:
        """See `Engine`."""
        return {**base, "DOCKER_CONFIG": str(private)}

    def prepare(self, credentials: Credentials, private: Path, base: Mapping[str, str]) -> None:
        """See `Engine`. The user's Docker contexts stay in use, as they say where the daemon is."""
        folder = Path(base.get("DOCKER_CONFIG") or Path(base.get("HOME", "/"), ".docker"))
        text = (
            (folder / "config.json").read_text(encoding="utf-8")
            if (folder / "config.json").is_file()
            else "{}"
        )
        (private / "config.json").write_text(_docker_config(text, credentials.host), encoding="utf-8")
        if (folder / "contexts").is_dir():
            (private / "contexts").symlink_to((folder / "contexts").resolve())


def _docker_config(text: str, host: str) -> str:
    """Return a Docker configuration without the user's logins.

    The empty entry keeps Docker from storing our login in the desktop's keychain, where it would stay.
    """
    try:
        config = json.loads(text)
    except ValueError:
        config = {}
    kept = {key: config[key] for key in ("currentContext", "HttpHeaders", "proxies") if key in config}
    return json.dumps({**kept, "auths": {host: {}}})


@dataclass(frozen=True)
class _Containers:
    """The common base of Buildah and Podman, which share the containers libraries."""

    name: str = field(init=False)

    def build(self, image: Image, context: BuildFiles) -> list[str]:
        """See `Engine`.

        Without times, caches and the builder's label, and with the options of `push`, the same content gets
        the same digest. Isolation by chroot works with and without root, and with any cgroup setup.
        """
        reproducible = ["--timestamp=0", "--no-cache", "--identity-label=false"]
        # In the OCI format, which is the default, builds ignore SHELL.
        options = ["--format=docker", "--isolation=chroot", *reproducible, *image.options(context)]
        return [self.name, "build", *options, str(context.folder)]

    def look_up(self, image: Image) -> list[str]:
        """See `Engine`."""
        return [self.name, "inspect", "--type=image", image.reference]

    def login(self, credentials: Credentials, private: Path) -> list[str]:
        """See `Engine`."""
        options = [*_authentication(private), *_transport(credentials.host)]
        return [
            self.name,
            "login",
            f"--username={credentials.user}",
            "--password-stdin",
            *options,
            credentials.host,
        ]

    def push(self, image: Image, private: Path) -> list[str]:
        """See `Engine`. The Docker format would name the build's container.

        ECS ignores what the OCI format drops.
        """
        options = [
            *_authentication(private),
            *_transport(image.host),
            f"--digestfile={_digest_file(image, private)}",
        ]
        return [self.name, "push", "--format=oci", *options, image.reference]

    def digest(self, image: Image, private: Path, lines: Sequence[str]) -> str | None:  # noqa: ARG002 - from a file
        """See `Engine`."""
        file = _digest_file(image, private)
        return file.read_text(encoding="utf-8").strip() if file.is_file() else None

    def build_variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """See `Engine`."""
        return dict(base)

    def push_variables(self, base: Mapping[str, str], private: Path) -> dict[str, str]:  # noqa: ARG002 - set by --authfile
        """See `Engine`."""
        return dict(base)

    def prepare(self, credentials: Credentials, private: Path, base: Mapping[str, str]) -> None:
        """See `Engine`. Nothing is needed."""


@dataclass(frozen=True)
class Buildah(_Containers):
    """Buildah."""

    name: str = field(default="buildah", init=False)


@dataclass(frozen=True)
class Podman(_Containers):
    """Podman."""

    name: str = field(default="podman", init=False)


def _authentication(private: Path) -> list[str]:
    return [f"--authfile={private / 'auth.json'}"]


def _digest_file(image: Image, private: Path) -> Path:
    return private / f"{image.repository.replace('/', '.')}.digest"


def _transport(host: str) -> list[str]:
    """Allow plain HTTP for a registry on loopback; Docker allows it without an option."""
    return ["--tls-verify=false"] if _LOOPBACK.fullmatch(host) else []


ENGINES = ("docker", "podman", "buildah")
"""The engines, in the order in which they are tried."""

_PROBES: Mapping[str, tuple[str, ...]] = {
    "docker": ("version", "--format={{.Server.Version}}"),  # asks the daemon
    "podman": ("info", "--format={{.Version.Version}}"),
    "buildah": ("--version",),
}


def find_engine(name: str | None) -> Engine:
    """Find an engine that works.

    Args:
        name: The engine to use; None for the first that works.

    Raises:
        InputError: The name is unknown.
        ProgramError: The engine does not work, or none does.
    """
    if name is not None and name not in ENGINES:
        raise InputError(f"--engine {name}: unknown engine; choose one of {', '.join(ENGINES)}")
    reasons = []
    for candidate in (name,) if name else ENGINES:
        reason = last_error_line([candidate, *_PROBES[candidate]], os.environ)
        if reason is None:
            return _engine(candidate)
        reasons.append(f"{candidate}: {reason}")
    problem = f"{name} cannot build images" if name else "no program on this machine can build images"
    raise ProgramError(f"{problem} ({'; '.join(reasons)}); install and start Docker, Podman or Buildah")


def _engine(name: str) -> Engine:
    if name == "docker":
        return Docker(buildx=last_error_line(["docker", "buildx", "version"], os.environ) is None)
    return Podman() if name == "podman" else Buildah()
