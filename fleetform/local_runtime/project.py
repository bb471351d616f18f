"""Compose projects: starting and removing all containers of an environment, and showing their logs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.base.errors import InputError
from fleetform.base.processes import Output, read, run
from fleetform.base.program_name import command
from fleetform.local_runtime.inspection import ENVIRONMENT_LABEL, containers, list_objects
from fleetform.local_runtime.runner import Runner

_PROJECT_LABEL = "com.docker.compose.project"  # set by Compose on everything that it creates


@dataclass(frozen=True)
class Project:
    """A Compose project.

    Attributes:
        name: The environment's prefix, such as `shop-local`.
        file: The Compose file.
        log: The file for Compose's output.
    """

    name: str
    file: Path
    log: Path


def up(runner: Runner, project: Project, variables: Mapping[str, str], output: Output | None = None) -> None:
    """Start a project or update it to its file, without waiting until it is healthy.

    Args:
        runner: The engine to run it with.
        project: The project.
        variables: The variables that the file uses: secrets.
        output: Takes each line that Compose prints.

    Raises:
        ProgramError: Compose fails.
        KeyboardInterrupt: Ctrl-C was pressed; Compose has stopped.
    """
    argv = _compose_argv(runner, project, "up", "--detach", "--remove-orphans", "--no-build")
    run(argv, {**runner.variables, **variables}, project.log, output)


def _compose_argv(runner: Runner, project: Project, *arguments: str) -> list[str]:
    options = ["--ansi=never", f"--project-name={project.name}", f"--file={project.file}"]
    return [*runner.compose, *options, *arguments]


def down(runner: Runner, project: Project, output: Output | None = None) -> None:
    """Stop a project's containers, and remove them with its networks and volumes, if they exist.

    This needs neither the Compose file nor Compose, which with Podman fails on containers that share a
    network.

    Raises:
        ProgramError: The engine fails.
        KeyboardInterrupt: Ctrl-C was pressed; the rest is not removed.
    """
    environment, compose_project = f"{ENVIRONMENT_LABEL}={project.name}", f"{_PROJECT_LABEL}={project.name}"
    if running := list_objects(runner, "container", environment, "--format={{.Names}}"):
        run([runner.engine, "stop", *running], runner.variables, project.log, output)
    forced = ["--force", "--volumes", *(["--depend"] if runner.engine == "podman" else [])]
    for kind, label, options in (
        ("container", environment, forced),
        ("network", compose_project, []),
        ("volume", compose_project, []),
    ):
        if names := list_objects(runner, kind, label, "--quiet", *(["--all"] if kind == "container" else [])):
            read([runner.engine, kind, "rm", *options, *names], runner.variables)


def logs_argv(
    runner: Runner,
    project: Project,
    services: Iterable[str] = (),
    *,
    follow: bool = False,
    tail: int | None = None,
) -> list[str]:
    """Return the command that shows the output of containers.

    Args:
        runner: The engine that runs them.
        project: Their project.
        services: Only these services; empty for all.
        follow: Whether to follow the output until interrupted.
        tail: How many lines of each container to show; None for all.

    Raises:
        InputError: A service has no container.
        ProgramError: The engine fails.
    """
    chosen = set(services)
    shown = [
        container
        for container in containers(runner, project.name)
        if container.service in chosen or not chosen
    ]
    if missing := chosen - {container.service for container in shown} or (not shown and {project.name}):
        raise InputError(
            f"no container of {', '.join(sorted(missing))} exists; run `{command('up')}` to start it"
        )
    options = ["--no-color", *(["--follow"] if follow else []), *([] if tail is None else [f"--tail={tail}"])]
    keys = [container.name.removeprefix(f"{project.name}-") for container in shown]
    return _compose_argv(runner, project, "logs", *options, *keys)
