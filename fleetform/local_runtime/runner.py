"""Finds an engine that runs containers, Docker or Podman, and a Compose that works with it."""

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
"""The engines, in the order in which they are tried."""

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
# Variables that would select a different file, profile or daemon.
_MISLEADING = ("COMPOSE_ENV_FILES", "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME")
_MISLEADING_TO_PODMAN = ("DOCKER_CERT_PATH", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY")


@dataclass(frozen=True)
class Runner:
    """An engine that runs containers, with its Compose.

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
        """Return whether networks with a route to the outside are isolated from each other.

        Podman's option for it stops working when one of the networks is removed.
        """
        return self.engine == "docker"


def find_runner(name: str | None, folder: Path) -> Runner:
    """Find an engine that runs containers. This may start Podman's API for Compose; `close_runner` stops it.

    Args:
        name: The engine to use; None for the first that works.
        folder: Folder for the record of Podman's service.

    Raises:
        InputError: The name is unknown.
        ProgramError: The engine does not work or has no Compose, or none does.
    """
    if name is not None and name not in ENGINES:
        raise InputError(f"--engine {name}: unknown engine; choose {' or '.join(ENGINES)}")
    variables = {key: value for key, value in os.environ.items() if key not in _MISLEADING}
    reasons = []
    for engine in (name,) if name else ENGINES:
        compose, reason = _compose(engine, variables)
        if compose:
            return _with_socket(Runner(engine, compose, variables), folder)
        reasons.append(f"{engine}: {reason}")
    problem = f"{name} cannot run containers" if name else "no program on this machine can run containers"
    raise ProgramError(f"{problem} ({'; '.join(reasons)}); {_INSTALL}")


def _compose(engine: str, variables: Mapping[str, str]) -> tuple[tuple[str, ...] | None, str]:
    """Return the Compose command for an engine; or None, and the reason."""
    if reason := last_error_line([engine, *_PROBES[engine]], variables):
        return None, reason
    too_old = ""
    for command in _COMPOSES:
        argv = [*command, "version", "--short"]
        if last_error_line(argv, variables) is None:
            version = read(argv, variables).strip()
            if _version_numbers(version) >= _OLDEST_COMPOSE:
                return command, ""
            too_old = f", `{' '.join(command)}` is {version} and 1.29 is needed"
    return (
        None,
        f"works, but Compose is missing: neither `docker compose` nor `docker-compose` works{too_old}",
    )


def _version_numbers(version: str) -> tuple[int, ...]:
    """Return major and minor version, such as (1, 29) for `1.29.2` and `v1.29.2-rc1`."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0,)


def _with_socket(runner: Runner, folder: Path) -> Runner:
    """Return the runner with the socket that Compose needs to reach the engine."""
    if runner.engine == "docker":
        return runner
    socket = podman.open_socket(folder, runner.variables)
    kept = {name: value for name, value in runner.variables.items() if name not in _MISLEADING_TO_PODMAN}
    return dataclasses.replace(runner, variables={**kept, "DOCKER_HOST": f"unix://{socket}"})


def close_runner(folder: Path) -> None:
    """Stop the service that `find_runner` started."""
    podman.close_socket(folder)
