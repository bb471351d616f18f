"""What runs containers: Docker or Podman, with Compose.

Compose makes and removes what a project needs; everything else is asked of the engine itself, which is quicker and
needs no file. A project's containers are known by the label `fleetform.environment`.
"""

import dataclasses
import json
import os
import re
import subprocess
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fleetform.compose import podman
from fleetform.errors import InputError, ProgramError
from fleetform.programs import Output, complaint, read, run

RUNNERS = ("docker", "podman")
"""In the order in which they are looked for."""

ENVIRONMENT_LABEL = "fleetform.environment"
SERVICE_LABEL = "fleetform.service"
TASK_LABEL = "fleetform.task"
CONTAINER_LABEL = "fleetform.container"
_PROJECT_LABEL = "com.docker.compose.project"  # Compose's own, on all that it makes

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

_MISSING = (0, 1, 125)  # a container that ended meanwhile: Docker's code, and Podman's
_NANOSECONDS = 1e9


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


@dataclass(frozen=True)
class Project:
    """What Compose runs together.

    Attributes:
        name: The environment's prefix, such as `shop-local`.
        file: The Compose file.
        log: File that gets what Compose prints.
    """

    name: str
    file: Path
    log: Path


@dataclass(frozen=True)
class Check:
    """A container's health check; times in seconds.

    Attributes:
        argv: Program and arguments.
        interval: Between two runs.
        timeout: Of a run.
        retries: As many failures in a row make a container unhealthy.
        start_period: Failures do not count as long as this after the start.
    """

    argv: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(frozen=True)
class Container:
    """A container of a task, as the engine has it.

    Attributes:
        name: Its name to the engine.
        service: The service.
        task: The task's number, from 1.
        container: Its name in the task definition.
        state: The engine's word, such as `running` or `exited`.
        health: `healthy`, `unhealthy`, `starting` or `none`.
        addresses: Its address in each network, by the network's name in the Compose file; none if the network is that
            of another container of its task.
        published: Ports of this machine that lead to it; likewise.
        image: The name of its image.
        essential: Whether the task needs it: Compose is to restart it always.
        started: When; long ago if it never was.
        check: Its health check.
    """

    name: str
    service: str
    task: int
    container: str
    state: str
    health: str
    addresses: Mapping[str, str]
    published: tuple[int, ...]
    image: str
    essential: bool
    started: datetime
    check: Check | None


@dataclass(frozen=True)
class Execution:
    """What a program in a container did.

    Attributes:
        code: Its exit code.
        stdout: What it printed.
        stderr: Its complaints.
    """

    code: int
    stdout: str
    stderr: str


def find_runner(name: str | None, folder: Path) -> Runner:
    """Finds what can run containers. Podman's API may have to be served for Compose: `close_runner` ends that.

    Args:
        name: The engine to use; None for the first that works.
        folder: Where the record of Podman's service is kept.

    Raises:
        InputError: There is none of this name.
        ProgramError: It does not work or lacks Compose, or none does.
    """
    if name is not None and name not in RUNNERS:
        raise InputError(f"--engine {name}: containers run in {' or '.join(RUNNERS)}")
    variables = {key: value for key, value in os.environ.items() if key not in _MISLEADING}
    complaints = []
    for engine in (name,) if name else RUNNERS:
        found, why = _compose(engine, variables)
        if found:
            return _opened(Runner(engine, found, variables), folder)
        complaints.append(f"{engine}: {why}")
    what = f"{name} cannot run containers" if name else "nothing here can run containers"
    raise ProgramError(f"{what} ({'; '.join(complaints)}); {_INSTALL}")


def _compose(engine: str, variables: Mapping[str, str]) -> tuple[tuple[str, ...] | None, str]:
    """The Compose of an engine that works; or None, and why."""
    if why := complaint([engine, *_PROBES[engine]], variables):
        return None, why
    too_old = ""
    for command in _COMPOSES:
        argv = [*command, "version", "--short"]
        if complaint(argv, variables) is None:
            version = read(argv, variables).strip()
            if _numbers(version) >= _OLDEST_COMPOSE:
                return command, ""
            too_old = f", `{' '.join(command)}` is {version} and 1.29 is needed"
    return None, f"works, but there is no Compose: neither `docker compose` nor `docker-compose`{too_old}"


def _numbers(version: str) -> tuple[int, ...]:
    """Such as (1, 29, 2) of `1.29.2` and of `v1.29.2-rc1`."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0,)


def _opened(runner: Runner, folder: Path) -> Runner:
    """A runner whose Compose finds the engine."""
    if runner.engine == "docker":
        return runner
    socket = podman.open_socket(folder, runner.variables)
    kept = {name: value for name, value in runner.variables.items() if name not in _MISLEADING_TO_PODMAN}
    return dataclasses.replace(runner, variables={**kept, "DOCKER_HOST": f"unix://{socket}"})


def close_runner(folder: Path) -> None:
    """Ends what `find_runner` started."""
    podman.close_socket(folder)


def up(runner: Runner, project: Project, variables: Mapping[str, str], output: Output | None = None) -> None:
    """Starts a project, or brings it up to its file; does not wait until it is healthy.

    Args:
        runner: What runs it.
        project: What to run.
        variables: What the file takes from the process environment: secrets.
        output: Gets each line that Compose prints.

    Raises:
        ProgramError: Compose fails.
        KeyboardInterrupt: Ctrl-C; Compose has ended.
    """
    argv = _compose_argv(runner, project, "up", "--detach", "--remove-orphans", "--no-build")
    run(argv, {**runner.variables, **variables}, project.log, output)


def _compose_argv(runner: Runner, project: Project, *arguments: str) -> list[str]:
    options = ["--ansi=never", f"--project-name={project.name}", f"--file={project.file}"]
    return [*runner.compose, *options, *arguments]


def down(runner: Runner, project: Project, output: Output | None = None) -> None:
    """Stops a project's containers and removes them, its networks and its volumes, as far as they are there.

    Needs no Compose file, and no Compose: with Podman that stumbles over containers that share a network.

    Raises:
        ProgramError: The engine fails.
        KeyboardInterrupt: Ctrl-C; the rest is still there.
    """
    environment, made_by_compose = f"{ENVIRONMENT_LABEL}={project.name}", f"{_PROJECT_LABEL}={project.name}"
    if running := _listed(runner, "container", environment, "--format={{.Names}}"):
        run([runner.engine, "stop", *running], runner.variables, project.log, output)
    forced = ["--force", "--volumes", *(["--depend"] if runner.engine == "podman" else [])]
    for kind, label, options in (
        ("container", environment, forced),
        ("network", made_by_compose, []),
        ("volume", made_by_compose, []),
    ):
        if left := _listed(runner, kind, label, "--quiet", *(["--all"] if kind == "container" else [])):
            read([runner.engine, kind, "rm", *options, *left], runner.variables)


def _listed(runner: Runner, kind: str, label: str, *options: str) -> list[str]:
    """Ids or names of what has a label."""
    argv = [runner.engine, kind, "ls", *options, f"--filter=label={label}"]
    return read(argv, runner.variables).split()


def containers(runner: Runner, name: str) -> tuple[Container, ...]:
    """The containers of a project, by service, task and name.

    Raises:
        ProgramError: The engine does not answer.
    """
    ids = _listed(runner, "container", f"{ENVIRONMENT_LABEL}={name}", "--quiet", "--all")
    if not ids:
        return ()
    facts = json.loads(read([runner.engine, "container", "inspect", *ids], runner.variables, _MISSING))
    found = [_container(fact, name) for fact in facts]
    return tuple(sorted(found, key=lambda container: (container.service, container.task, container.name)))


def _container(facts: Mapping[str, Any], project: str) -> Container:
    """A container of what `inspect` says, which Podman words as Docker does."""
    labels, state, host = facts["Config"]["Labels"], facts["State"], facts["HostConfig"]
    # Docker says nothing of a network that is another container's, Podman what it says of the other.
    network = {} if host["NetworkMode"].startswith("container:") else facts["NetworkSettings"]
    return Container(
        name=facts["Name"].removeprefix("/"),
        service=labels[SERVICE_LABEL],
        task=int(labels[TASK_LABEL]),
        container=labels[CONTAINER_LABEL],
        state=state["Status"],
        health=(state.get("Health") or {}).get("Status") or "none",
        addresses={
            key.removeprefix(f"{project}_"): joined["IPAddress"]
            for key, joined in sorted((network.get("Networks") or {}).items())
            if joined["IPAddress"]
        },
        published=_published(network.get("Ports") or {}),
        image=facts["Config"]["Image"],
        essential=host["RestartPolicy"]["Name"] == "always",
        started=datetime.fromisoformat(state["StartedAt"]),
        check=_check(facts["Config"].get("Healthcheck") or {}),
    )


def _published(ports: Mapping[str, Sequence[Mapping[str, str]] | None]) -> tuple[int, ...]:
    return tuple(sorted({int(binding["HostPort"]) for bindings in ports.values() for binding in bindings or ()}))


def _check(facts: Mapping[str, Any]) -> Check | None:
    if not facts.get("Test") or facts["Test"] == ["NONE"]:
        return None
    form, *argv = facts["Test"]
    interval, timeout, start_period = (
        (facts.get(key) or 0) / _NANOSECONDS for key in ("Interval", "Timeout", "StartPeriod")
    )
    command = ("/bin/sh", "-c", *argv) if form == "CMD-SHELL" else tuple(argv)
    return Check(command, interval or 30, timeout or 30, facts.get("Retries") or 3, start_period)


def execute(runner: Runner, container: str, argv: Sequence[str], stdin: str = "", *, timeout: float = 30) -> Execution:
    """Runs a program in a container that runs.

    Args:
        runner: What runs it.
        container: The container's name.
        argv: Program and arguments, of the container's image.
        stdin: What it reads.
        timeout: Seconds that it may take.

    Raises:
        ProgramError: It takes longer.
    """
    return _executed(runner, ["exec", "--interactive", container, *argv], stdin, timeout)


def beside(  # noqa: PLR0913 - `execute`, with an image of one's own
    runner: Runner, container: str, image: str, argv: Sequence[str], stdin: str = "", *, timeout: float = 30
) -> Execution:
    """Runs a program of another image where a container is in the network; leaves nothing.

    Raises:
        ProgramError: It takes longer than the timeout.
    """
    name = f"fleetform-{uuid.uuid4().hex}"
    program, *arguments = argv
    place = [f"--name={name}", f"--network=container:{container}", f"--entrypoint={program}"]
    try:
        return _executed(runner, ["run", "--rm", "--interactive", *place, image, *arguments], stdin, timeout)
    except BaseException:
        subprocess.run([runner.engine, "kill", name], env=dict(runner.variables), capture_output=True, check=False)
        raise


def _executed(runner: Runner, arguments: list[str], stdin: str, timeout: float) -> Execution:
    argv = [runner.engine, *arguments]
    try:
        done = subprocess.run(
            argv,
            env=dict(runner.variables),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"`{' '.join(argv[:4])} ...` has not ended after {timeout:g} s") from None
    return Execution(done.returncode, done.stdout, done.stderr)


def logs_argv(
    runner: Runner, project: Project, services: Iterable[str] = (), *, follow: bool = False, tail: int | None = None
) -> list[str]:
    """The command that shows what containers print.

    Args:
        runner: What runs them.
        project: Their project.
        services: Only these services'; none for all.
        follow: Go on until interrupted.
        tail: So many lines of each; None for all.

    Raises:
        InputError: A service runs no container.
        ProgramError: The engine does not answer.
    """
    chosen = set(services)
    there = [container for container in containers(runner, project.name) if container.service in chosen or not chosen]
    if missing := chosen - {container.service for container in there} or (not there and {project.name}):
        raise InputError(f"no container of {', '.join(sorted(missing))} is there; `invoke up` starts what is not")
    options = ["--no-color", *(["--follow"] if follow else []), *([] if tail is None else [f"--tail={tail}"])]
    keys = [container.name.removeprefix(f"{project.name}-") for container in there]
    return _compose_argv(runner, project, "logs", *options, *keys)


def replace(runner: Runner, *names: str) -> None:
    """Ends containers at once and starts them again, in the order given; they leave DNS meanwhile.

    Raises:
        ProgramError: The engine fails.
    """
    read([runner.engine, "stop", "-t", "0", *names], runner.variables)
    for name in names:
        read([runner.engine, "start", name], runner.variables)


def check_health(runner: Runner, name: str) -> subprocess.Popen[bytes]:
    """Starts the health check of a container of Podman's, which does none itself without systemd.

    Returns:
        The process; its exit code is 0 if the container is healthy.
    """
    return subprocess.Popen(
        [runner.engine, "healthcheck", "run", name],
        env=dict(runner.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
