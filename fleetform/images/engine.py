"""What builds and pushes images: Docker, Podman or Buildah, as argument vectors.

Images are named `<host>/<repository>:<tag>` from the start: they are built under the name that they are pushed to.
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
    """An image that is to be built and pushed.

    Attributes:
        host: The registry.
        repository: The repository in it.
        tag: The tag, never used before.
        platform: What it runs on, such as `linux/amd64`.
        args: Build arguments.
    """

    host: str
    repository: str
    tag: str
    platform: str
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Its name to an engine."""
        return f"{self.host}/{self.repository}:{self.tag}"

    def options(self, context: BuildFiles) -> list[str]:
        """What every engine's build is told of it and its context, in the same words."""
        args = [f"--build-arg={name}={value}" for name, value in sorted(self.args.items())]
        return [f"--platform={self.platform}", f"--tag={self.reference}", f"--file={context.dockerfile}", *args]


class Engine(Protocol):
    """A program that builds and pushes. Every method only says what to run."""

    @property
    def name(self) -> str:
        """The program's name."""

    def build(self, image: Image, context: BuildFiles) -> list[str]:
        """Builds an image of a context that is staged."""

    def look_up(self, image: Image) -> list[str]:
        """Looks an image up in the engine's own store; an exit code other than 0 says that it is not there."""

    def login(self, credentials: Credentials, private: Path) -> list[str]:
        """Logs in with the password from standard input; what comes of it stays in the folder `private`."""

    def push(self, image: Image, private: Path) -> list[str]:
        """Pushes an image with the login in `private`."""

    def digest(self, image: Image, private: Path, lines: Sequence[str]) -> str | None:
        """The digest that was pushed, given what the push printed."""

    def build_variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """The process environment of a build: base images are fetched with the user's own logins."""

    def push_variables(self, base: Mapping[str, str], private: Path) -> dict[str, str]:
        """The process environment of login and push."""

    def prepare(self, credentials: Credentials, private: Path, base: Mapping[str, str]) -> None:
        """Makes what `login` needs in `private`."""


@dataclass(frozen=True)
class Docker:
    """Docker, with BuildKit where the client has buildx.

    Attributes:
        buildx: Whether it has.
    """

    buildx: bool = True
    name: str = field(default="docker", init=False)

    def build(self, image: Image, context: BuildFiles) -> list[str]:
        """See `Engine`. Without attestations the digest is that of the image itself, which ECR scans and ECS runs."""
        command = ["buildx", "build", "--load", "--provenance=false", "--progress=plain"] if self.buildx else ["build"]
        return ["docker", *command, *image.options(context), str(context.folder)]

    def look_up(self, image: Image) -> list[str]:
        """See `Engine`."""
        return ["docker", "image", "inspect", image.reference]

    def login(self, credentials: Credentials, private: Path) -> list[str]:  # noqa: ARG002 - told by DOCKER_CONFIG
        """See `Engine`."""
        return ["docker", "login", f"--username={credentials.user}", "--password-stdin", credentials.host]

    def push(self, image: Image, private: Path) -> list[str]:  # noqa: ARG002 - told by DOCKER_CONFIG
        """See `Engine`."""
        return ["docker", "push", image.reference]

    def digest(self, image: Image, private: Path, lines: Sequence[str]) -> str | None:  # noqa: ARG002 - it is printed
        """See `Engine`."""
        found = [match[1] for line in lines if (match := _PUSHED.search(line))]
        return found[-1] if found else None

    def build_variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """See `Engine`."""
        return {**base, "DOCKER_BUILDKIT": "1" if self.buildx else "0"}

    def push_variables(self, base: Mapping[str, str], private: Path) -> dict[str, str]:
        """See `Engine`."""
        return {**base, "DOCKER_CONFIG": str(private)}

    def prepare(self, credentials: Credentials, private: Path, base: Mapping[str, str]) -> None:
        """See `Engine`. The user's contexts say where the daemon is, so they go on holding."""
        own = Path(base.get("DOCKER_CONFIG") or Path(base.get("HOME", "/"), ".docker"))
        text = (own / "config.json").read_text(encoding="utf-8") if (own / "config.json").is_file() else "{}"
        (private / "config.json").write_text(_docker_config(text, credentials.host), encoding="utf-8")
        if (own / "contexts").is_dir():
            (private / "contexts").symlink_to((own / "contexts").resolve())


def _docker_config(text: str, host: str) -> str:
    """A Docker configuration without the user's logins.

    The empty entry keeps Docker from putting ours into the desktop's keychain, where it would outlive us.
    """
    try:
        config = json.loads(text)
    except ValueError:
        config = {}
    kept = {key: config[key] for key in ("currentContext", "HttpHeaders", "proxies") if key in config}
    return json.dumps({**kept, "auths": {host: {}}})


@dataclass(frozen=True)
class _Containers:
    """What Buildah and Podman have in common: the containers libraries."""

    name: str = field(init=False)

    def build(self, image: Image, context: BuildFiles) -> list[str]:
        """See `Engine`.

        Without times, caches and the builder's label, and pushed as `push` does, the same content gives the same
        digest. Isolation by chroot works with and without root, whatever the machine's cgroups are.
        """
        reproducible = ["--timestamp=0", "--no-cache", "--identity-label=false"]
        # OCI's format, which would be the default, has the build ignore SHELL.
        options = ["--format=docker", "--isolation=chroot", *reproducible, *image.options(context)]
        return [self.name, "build", *options, str(context.folder)]

    def look_up(self, image: Image) -> list[str]:
        """See `Engine`."""
        return [self.name, "inspect", "--type=image", image.reference]

    def login(self, credentials: Credentials, private: Path) -> list[str]:
        """See `Engine`."""
        options = [*_authentication(private), *_transport(credentials.host)]
        return [self.name, "login", f"--username={credentials.user}", "--password-stdin", *options, credentials.host]

    def push(self, image: Image, private: Path) -> list[str]:
        """See `Engine`. Docker's format would name the build's own container; what OCI's drops, ECS ignores."""
        options = [*_authentication(private), *_transport(image.host), f"--digestfile={_digest_file(image, private)}"]
        return [self.name, "push", "--format=oci", *options, image.reference]

    def digest(self, image: Image, private: Path, lines: Sequence[str]) -> str | None:  # noqa: ARG002 - it is in a file
        """See `Engine`."""
        file = _digest_file(image, private)
        return file.read_text(encoding="utf-8").strip() if file.is_file() else None

    def build_variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """See `Engine`."""
        return dict(base)

    def push_variables(self, base: Mapping[str, str], private: Path) -> dict[str, str]:  # noqa: ARG002 - told by --authfile
        """See `Engine`."""
        return dict(base)

    def prepare(self, credentials: Credentials, private: Path, base: Mapping[str, str]) -> None:
        """See `Engine`: nothing."""


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
    """A registry on loopback speaks plain HTTP; Docker knows that by itself."""
    return ["--tls-verify=false"] if _LOOPBACK.fullmatch(host) else []


ENGINES = ("docker", "podman", "buildah")
"""In the order in which they are looked for."""

_PROBES: Mapping[str, tuple[str, ...]] = {
    "docker": ("version", "--format={{.Server.Version}}"),  # asks the daemon
    "podman": ("info", "--format={{.Version.Version}}"),
    "buildah": ("--version",),
}


def find_engine(name: str | None) -> Engine:
    """Finds an engine that works.

    Args:
        name: The one to use; None for the first that answers.

    Raises:
        InputError: There is none of this name.
        ProgramError: It does not answer, or none does.
    """
    if name is not None and name not in ENGINES:
        raise InputError(f"--engine {name}: engines are {', '.join(ENGINES)}")
    complaints = []
    for candidate in (name,) if name else ENGINES:
        why = last_error_line([candidate, *_PROBES[candidate]], os.environ)
        if why is None:
            return _engine(candidate)
        complaints.append(f"{candidate}: {why}")
    what = f"{name} cannot build images" if name else "nothing here can build images"
    raise ProgramError(f"{what} ({'; '.join(complaints)}); install and start Docker, Podman or Buildah")


def _engine(name: str) -> Engine:
    if name == "docker":
        return Docker(buildx=last_error_line(["docker", "buildx", "version"], os.environ) is None)
    return Podman() if name == "podman" else Buildah()
