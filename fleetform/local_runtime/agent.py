"""Replaces tasks whose essential containers are unhealthy, which ECS does and Compose does not.

``python -m fleetform.local_runtime.agent --folder FOLDER --engine ENGINE --project NAME`` watches a project
until its containers are removed or SIGTERM arrives. A folder has at most one agent. The agent holds a lock on
its record while it runs, so that a locked record always belongs to a running agent, even if its process id
was reused.
"""

import argparse
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fleetform.base import daemons
from fleetform.base.errors import ProgramError
from fleetform.local_runtime.execution import check_health, replace
from fleetform.local_runtime.inspection import Check, Container, containers
from fleetform.local_runtime.runner import Runner

if TYPE_CHECKING:
    import subprocess

RECORD = "agent.pid"
LOG = "agent.log"

_ROUND_SECONDS = 2.0
# How long to wait for containers, as Compose may have to pull images, or for an engine that stopped
# answering.
_TIMEOUT_SECONDS = 600.0
_SYSTEMD = Path("/run/systemd/system")


@contextmanager
def agent_paused(folder: Path, runner: Runner, project: str) -> Iterator[None]:
    """Stop the agent while Compose runs and start it afterwards, as both stop and start containers.

    If the agent does the health checks (see `Health`), Compose waits for their results. Then a new agent runs
    beside Compose. It has not counted any failures yet, so that it does not replace containers at first.

    Raises:
        ProgramError: The agent did not start.
    """
    if _checks_health(runner):
        start_agent(folder, runner, project)
        yield
        return
    stop_agent(folder)
    try:
        yield
    finally:
        start_agent(folder, runner, project)


def _checks_health(runner: Runner) -> bool:
    return runner.engine == "podman" and not _SYSTEMD.is_dir()


def start_agent(folder: Path, runner: Runner, project: str) -> None:
    """Start a folder's agent in the background, after stopping the one that may be running.

    Args:
        folder: Folder of the record and the log; created if necessary.
        runner: The engine that runs the containers.
        project: The project's name.

    Raises:
        ProgramError: The agent did not start; the message ends with its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with daemons.file_lock(folder):
        _stop(folder)
        options = [f"--folder={folder.resolve()}", f"--engine={runner.engine}", f"--project={project}"]
        daemons.spawn(
            [sys.executable, "-m", "fleetform.local_runtime.agent", *options], runner.variables, folder / LOG
        )
        if not agent_running(folder):
            raise ProgramError(
                f"the agent did not start; the end of {folder / LOG}:\n{daemons.log_tail(folder / LOG)}"
            )


def stop_agent(folder: Path) -> bool:
    """Stop a folder's agent and remove its record; the log stays.

    Returns:
        Whether an agent was running.
    """
    if not folder.is_dir():
        return False
    with daemons.file_lock(folder):
        return _stop(folder)


def _stop(folder: Path) -> bool:
    process = agent_running(folder)
    if process:
        daemons.terminate(process)
    (folder / RECORD).unlink(missing_ok=True)
    return process is not None


def agent_running(folder: Path) -> int | None:
    """Return the process id of a folder's agent if it is running."""
    try:
        with (folder / RECORD).open(encoding="utf-8") as record:
            fcntl.flock(record, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int((folder / RECORD).read_text(encoding="utf-8"))
    return None


@dataclass
class Health:
    """The health checks of one container, which Podman does not run without systemd.

    The agent counts failures itself: Podman does not reset its count when a container restarts, and has no
    timeout.

    Attributes:
        runner: The engine that runs the container.
        check: Its health check.
        failures: How many checks failed in a row.
        run: The check that is running.
    """

    runner: Runner
    check: Check
    failures: int = 0
    run: "subprocess.Popen[bytes] | None" = None
    _started: float = field(default=0.0, repr=False)

    def update(self, container: Container) -> None:
        """Start a check if one is due, or record the result of one that has finished or takes too long."""
        now = time.monotonic()
        if self.run is None:
            if not self._started or now - self._started >= self.check.interval:
                self.run, self._started = check_health(self.runner, container.name), now
            return
        code = self.run.poll()
        if code is None and now - self._started < self.check.timeout:
            return
        self.close()
        if code == 0:
            self.failures = 0
        elif (datetime.now(UTC) - container.started).total_seconds() >= self.check.start_period:
            self.failures += 1

    def close(self) -> None:
        """Stop a running check."""
        if self.run:
            self.run.kill()
            self.run.wait()
        self.run = None

    @property
    def unhealthy(self) -> bool:
        """Return whether too many checks failed in a row."""
        return self.failures >= self.check.retries


@dataclass(frozen=True)
class Replacement:
    """Containers to replace.

    Attributes:
        names: The containers, in the order in which to start them.
        reason: Why they are replaced.
    """

    names: tuple[str, ...]
    reason: str


def replacements(project_containers: Iterable[Container], unhealthy: Collection[str]) -> list[Replacement]:
    """Return the containers of a project that ECS would replace.

    All containers of a task are replaced together. If the engine restarted the container whose network the
    others of its task share, the others still use the old network, which no longer exists; then those are
    replaced.

    Args:
        project_containers: The containers, sorted by service and task.
        unhealthy: The names of those that are unhealthy.
    """
    tasks = (
        list(task)
        for _, task in groupby(project_containers, lambda container: (container.service, container.task))
    )
    return [replacement for task in tasks for replacement in _replacement(task, unhealthy)]


def _replacement(task: list[Container], unhealthy: Collection[str]) -> Iterator[Replacement]:
    # The container that has the network has the shortest name: the others' names start with it.
    first, *others = sorted(task, key=lambda container: len(container.name))
    others = [container for container in others if container.state == "running"]
    names = [container.name for container in others]
    if failed := [
        container.name for container in task if container.essential and container.name in unhealthy
    ]:
        yield Replacement((first.name, *names), f"{', '.join(failed)} unhealthy")
    elif first.state == "running" and (
        stale := [other.name for other in others if other.started < first.started]
    ):
        yield Replacement(tuple(stale), f"{first.name} was restarted")


class Agent:
    """The agent of a project.

    Args:
        runner: The engine that runs the project.
        project: The project's name.

    Attributes:
        health: The health checks that Podman does not run, by container name and start time.
    """

    def __init__(self, runner: Runner, project: str) -> None:
        self._runner = runner
        self._project = project
        self._checks = _checks_health(runner)
        self.health: dict[tuple[str, datetime], Health] = {}
        self._last_error = ""

    def watch(self, stopping: threading.Event) -> None:
        """Replace unhealthy tasks repeatedly, until the project is removed or the event is set."""
        seen, last = False, time.monotonic()
        while not stopping.is_set() and time.monotonic() - last < _TIMEOUT_SECONDS:
            running = self._replace_or_log()
            if running:
                seen, last = True, time.monotonic()
            elif seen and running is not None:
                break
            stopping.wait(_ROUND_SECONDS)
        self.close()

    def close(self) -> None:
        """Stop all running checks."""
        self._forget(())

    def _replace_or_log(self) -> bool | None:
        """See `replace_unhealthy`; return None if the engine fails, which is logged once."""
        try:
            running = self.replace_unhealthy()
        except ProgramError as error:
            if str(error) != self._last_error:
                _log(" ".join(str(error).split()))
            self._last_error = str(error)
            return None
        self._last_error = ""
        return running

    def replace_unhealthy(self) -> bool:
        """Check health once and replace what has to be replaced.

        Return whether the project has any containers.

        Raises:
            ProgramError: The engine fails.
        """
        all_containers = containers(self._runner, self._project)
        unhealthy = self._check(all_containers) if self._checks else _unhealthy_containers(all_containers)
        for replacement in replacements(all_containers, unhealthy):
            replace(self._runner, *replacement.names)
            _log(f"replaced {', '.join(replacement.names)}: {replacement.reason}")
        return bool(all_containers)

    def _check(self, all_containers: Iterable[Container]) -> set[str]:
        """Update the health checks of running containers; return the names of the unhealthy ones."""
        checked = [(each, each.check) for each in all_containers if each.check and each.state == "running"]
        self._forget([(container.name, container.started) for container, _ in checked])
        unhealthy = set()
        for container, check in checked:
            health = self.health.setdefault((container.name, container.started), Health(self._runner, check))
            health.update(container)
            if health.unhealthy:
                unhealthy.add(container.name)
        return unhealthy

    def _forget(self, kept: Collection[tuple[str, datetime]]) -> None:
        for key in self.health.keys() - kept:
            self.health.pop(key).close()


def _unhealthy_containers(all_containers: Iterable[Container]) -> set[str]:
    """Return the names of running containers that are unhealthy.

    Docker may call stopped ones unhealthy too.
    """
    return {each.name for each in all_containers if each.state == "running" and each.health == "unhealthy"}


def _log(line: str) -> None:
    """Write a line to the log."""
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ} {line}\n")
    sys.stderr.flush()


def _write_record(folder: Path) -> IO[str]:
    """Write the record atomically. It is locked from the start, until the returned file is closed."""
    unfinished = folder / f"{RECORD}.{os.getpid()}"
    record = unfinished.open("w", encoding="utf-8")
    fcntl.flock(record, fcntl.LOCK_EX)
    record.write(str(os.getpid()))
    record.flush()
    unfinished.replace(folder / RECORD)
    return record


def main() -> None:
    """Watch until the containers are removed or SIGTERM arrives, finishing a replacement that has started."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--project", required=True)
    arguments = parser.parse_args()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with _write_record(arguments.folder):
        daemons.announce()
        Agent(Runner(arguments.engine, (), os.environ), arguments.project).watch(stopping)


if __name__ == "__main__":
    main()
