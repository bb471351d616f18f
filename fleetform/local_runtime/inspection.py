"""Lists the containers on this machine by asking the engine, which is faster than Compose.

A project's containers have the label `fleetform.environment`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleetform.base.processes import read
from fleetform.local_runtime.runner import Runner

ENVIRONMENT_LABEL = "fleetform.environment"
SERVICE_LABEL = "fleetform.service"
TASK_LABEL = "fleetform.task"
CONTAINER_LABEL = "fleetform.container"

_MISSING = (0, 1, 125)  # if a container is gone, Docker exits with 1, Podman with 125
_NANOSECONDS = 1e9


@dataclass(frozen=True)
class Check:
    """A container's health check; times in seconds.

    Attributes:
        argv: Program and arguments.
        interval: Time between two runs.
        timeout: Time limit of a run.
        retries: How many failures in a row make a container unhealthy.
        start_period: Time after the start in which failures do not count.
    """

    argv: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float


@dataclass(frozen=True)
class Container:
    """A container of a task, as the engine reports it.

    Attributes:
        name: Its name in the engine.
        service: The service.
        task: The task's number, from 1.
        container: Its name in the task definition.
        state: The engine's state, such as `running` or `exited`.
        health: `healthy`, `unhealthy`, `starting` or `none`.
        addresses: Its address in each network, by the network's name in the Compose file; empty if it shares
            the network of another container of its task.
        published: Ports of this machine that are forwarded to it; empty likewise.
        image: The name of its image.
        essential: Whether the task needs it, so that Compose always restarts it.
        started: When it was started; a time long ago if it never was.
        check: Its health check, if it has one.
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


def containers(runner: Runner, name: str) -> tuple[Container, ...]:
    """Return the containers of a project, sorted by service, task and name.

    Raises:
        ProgramError: The engine fails.
    """
    ids = list_objects(runner, "container", f"{ENVIRONMENT_LABEL}={name}", "--quiet", "--all")
    if not ids:
        return ()
    documents = json.loads(read([runner.engine, "container", "inspect", *ids], runner.variables, _MISSING))
    project_containers = [_container(document, name) for document in documents]
    return tuple(
        sorted(project_containers, key=lambda container: (container.service, container.task, container.name))
    )


def list_objects(runner: Runner, kind: str, label: str, *options: str) -> list[str]:
    """Return the ids or names of objects with a label."""
    argv = [runner.engine, kind, "ls", *options, f"--filter=label={label}"]
    return read(argv, runner.variables).split()


def _container(facts: Mapping[str, Any], project: str) -> Container:
    """Return a container, given the output of `inspect`, which is the same for Podman and Docker."""
    labels, state, host = facts["Config"]["Labels"], facts["State"], facts["HostConfig"]
    # For a shared network, Docker reports nothing and Podman reports the other container's addresses.
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
    return tuple(
        sorted({int(binding["HostPort"]) for bindings in ports.values() for binding in bindings or ()})
    )


def _check(facts: Mapping[str, Any]) -> Check | None:
    if not facts.get("Test") or facts["Test"] == ["NONE"]:
        return None
    form, *argv = facts["Test"]
    interval, timeout, start_period = (
        (facts.get(key) or 0) / _NANOSECONDS for key in ("Interval", "Timeout", "StartPeriod")
    )
    command = ("/bin/sh", "-c", *argv) if form == "CMD-SHELL" else tuple(argv)
    return Check(command, interval or 30, timeout or 30, facts.get("Retries") or 3, start_period)
