"""What Compose runs together: started, shown and removed as one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.base.errors import InputError
from fleetform.base.processes import Output, read, run
from fleetform.base.program_name import command
from fleetform.local_runtime.inspection import ENVIRONMENT_LABEL, containers, list_containers
from fleetform.local_runtime.runner import Runner

_PROJECT_LABEL = "com.docker.compose.project"  # Compose's own, on all that it makes


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
    if running := list_containers(runner, "container", environment, "--format={{.Names}}"):
        run([runner.engine, "stop", *running], runner.variables, project.log, output)
    forced = ["--force", "--volumes", *(["--depend"] if runner.engine == "podman" else [])]
    for kind, label, options in (
        ("container", environment, forced),
        ("network", made_by_compose, []),
        ("volume", made_by_compose, []),
    ):
        if left := list_containers(runner, kind, label, "--quiet", *(["--all"] if kind == "container" else [])):
            read([runner.engine, kind, "rm", *options, *left], runner.variables)


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
        raise InputError(f"no container of {', '.join(sorted(missing))} is there; `{command('up')}` starts what is not")
    options = ["--no-color", *(["--follow"] if follow else []), *([] if tail is None else [f"--tail={tail}"])]
    keys = [container.name.removeprefix(f"{project.name}-") for container in there]
    return _compose_argv(runner, project, "logs", *options, *keys)
