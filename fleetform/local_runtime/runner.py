"""What runs containers: Docker or Podman, and the Compose that drives it."""

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.base.errors import InputError, ProgramError
from fleetform.base.processes import last_error_line, read
from fleetform.local_runtime import podman

ENGINES = ("docker", "podman")
"""In the order in which they are looked for."""

_PROBES: Mapping[str, tuple[str, ...]] = {
    "docker": ("version", "--format={{.Server.Version}}"),  # asks the daemon
    "podman": ("info", "--format={{.Version.Version}}"),
}
_COMPOSES = (("docker", "compose"), ("docker-compose",))
_OLDEST_COMPOSE = (1, 29)
_INSTALL = (
    "install and start Docker with Compose (on Debian: apt-get install docker.io docker-compose),"
    " or Podman with Compose (on Debian: apt-get install podman netavark aardvark-dns docker-compose)"
)
# Another file, profile or daemon than the ones that are meant here.
_MISLEADING = ("COMPOSE_ENV_FILES", "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME")
_MISLEADING_TO_PODMAN = ("DOCKER_CERT_PATH", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY")


@dataclass(frozen=True)
class Runner:
    """An engine that runs containers, and the Compose that drives it.

    Attributes:
        engine: `docker` or `podman`.
        compose: Compose's command.
        variables: The process environment of both.
    """

    engine: str
    compose: tuple[str, ...]
    variables: Mapping[str, str]

    @property
    def isolates(self) -> bool:
        """Whether networks that lead out do not lead to each other. Podman's option for it holds until one goes."""
        return self.engine == "docker"


def find_runner(name: str | None, folder: Path) -> Runner:
    """Finds what can run containers. Podman's API may have to be served for Compose: `close_runner` ends that.

    Args:
        name: The engine to use; None for the first that works.
        folder: Where the record of Podman's service is kept.

    Raises:
        InputError: There is none of this name.
        ProgramError: It does not work or lacks Compose, or none does.
    """
    if name is not None and name not in ENGINES:
        raise InputError(f"--engine {name}: containers run in {' or '.join(ENGINES)}")
    variables = {key: value for key, value in os.environ.items() if key not in _MISLEADING}
    complaints = []
    for engine in (name,) if name else ENGINES:
        found, why = _compose(engine, variables)
        if found:
            return _with_socket(Runner(engine, found, variables), folder)
        complaints.append(f"{engine}: {why}")
    what = f"{name} cannot run containers" if name else "nothing here can run containers"
    raise ProgramError(f"{what} ({'; '.join(complaints)}); {_INSTALL}")


def _compose(engine: str, variables: Mapping[str, str]) -> tuple[tuple[str, ...] | None, str]:
    """The Compose of an engine that works; or None, and why."""
    if why := last_error_line([engine, *_PROBES[engine]], variables):
        return None, why
    too_old = ""
    for command in _COMPOSES:
        argv = [*command, "version", "--short"]
        if last_error_line(argv, variables) is None:
            version = read(argv, variables).strip()
            if _version_numbers(version) >= _OLDEST_COMPOSE:
                return command, ""
            too_old = f", `{' '.join(command)}` is {version} and 1.29 is needed"
    return None, f"works, but there is no Compose: neither `docker compose` nor `docker-compose`{too_old}"


def _version_numbers(version: str) -> tuple[int, ...]:
    """Such as (1, 29, 2) of `1.29.2` and of `v1.29.2-rc1`."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0,)


def _with_socket(runner: Runner, folder: Path) -> Runner:
    """A runner whose Compose finds the engine."""
    if runner.engine == "docker":
        return runner
    socket = podman.open_socket(folder, runner.variables)
    kept = {name: value for name, value in runner.variables.items() if name not in _MISLEADING_TO_PODMAN}
    return dataclasses.replace(runner, variables={**kept, "DOCKER_HOST": f"unix://{socket}"})


def close_runner(folder: Path) -> None:
    """Ends what `find_runner` started."""
    podman.close_socket(folder)
