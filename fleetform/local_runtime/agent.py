"""What ECS does and Compose does not: tasks whose essential containers are unhealthy are replaced.

``python -m fleetform.local_runtime.agent --folder FOLDER --engine ENGINE --project NAME`` watches a project until its
containers are gone or SIGTERM comes. A folder has at most one agent. It holds a lock on its record as long as it
lives, so that a record that is locked is that of a running agent, whatever has become of process ids.
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
# So long it waits for containers, as Compose may have images to fetch, or for an engine that has gone away.
_PATIENCE_SECONDS = 600.0
_SYSTEMD = Path("/run/systemd/system")


@contextmanager
def gone_replacements(folder: Path, runner: Runner, project: str) -> Iterator[None]:
    """Keeps the agent off while Compose works, and starts it afterwards: both would stop and start the same container.

    Where the agent does the health checks (see `Health`), Compose waits for it: a new one then works beside Compose,
    which has counted no failures yet, so that it replaces nothing soon.

    Raises:
        ProgramError: The agent did not come up.
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
    """Starts a folder's agent in the background, in place of the one that may run.

    Args:
        folder: Where the record and the log are kept; made if need be.
        runner: What runs the containers.
        project: The project's name.

    Raises:
        ProgramError: The agent did not come up; the message ends with its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with daemons.file_lock(folder):
        _end(folder)
        options = [f"--folder={folder.resolve()}", f"--engine={runner.engine}", f"--project={project}"]
        daemons.spawn([sys.executable, "-m", "fleetform.local_runtime.agent", *options], runner.variables, folder / LOG)
        if not agent_running(folder):
            raise ProgramError(f"the agent did not start; the end of {folder / LOG}:\n{daemons.log_tail(folder / LOG)}")


def stop_agent(folder: Path) -> bool:
    """Stops a folder's agent and removes its record; the log stays.

    Returns:
        Whether one was running.
    """
    if not folder.is_dir():
        return False
    with daemons.file_lock(folder):
        return _end(folder)


def _end(folder: Path) -> bool:
    process = agent_running(folder)
    if process:
        daemons.terminate(process)
    (folder / RECORD).unlink(missing_ok=True)
    return process is not None


def agent_running(folder: Path) -> int | None:
    """The process of a folder's agent, if it runs."""
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
    """The health checks of one container, which Podman does not do itself without systemd.

    What Podman counts goes on when a container is started anew, and it waits for a check for ever. So we count.

    Attributes:
        runner: What runs the container.
        check: Its health check.
        failures: How many have failed in a row.
        run: The check that runs.
    """

    runner: Runner
    check: Check
    failures: int = 0
    run: "subprocess.Popen[bytes] | None" = None
    _begun: float = field(default=0.0, repr=False)

    def go_on(self, container: Container) -> None:
        """Begins a check if one is due, or takes the outcome of one that has ended or takes too long."""
        now = time.monotonic()
        if self.run is None:
            if not self._begun or now - self._begun >= self.check.interval:
                self.run, self._begun = check_health(self.runner, container.name), now
            return
        code = self.run.poll()
        if code is None and now - self._begun < self.check.timeout:
            return
        self.close()
        if code == 0:
            self.failures = 0
        elif (datetime.now(UTC) - container.started).total_seconds() >= self.check.start_period:
            self.failures += 1

    def close(self) -> None:
        """Ends a check that runs."""
        if self.run:
            self.run.kill()
            self.run.wait()
        self.run = None

    @property
    def unhealthy(self) -> bool:
        """Whether too many have failed in a row."""
        return self.failures >= self.check.retries


@dataclass(frozen=True)
class Replacement:
    """What is to be replaced.

    Attributes:
        names: The containers, in the order in which they are to start.
        reason: Why.
    """

    names: tuple[str, ...]
    reason: str


def replacements(found: Iterable[Container], unhealthy: Collection[str]) -> list[Replacement]:
    """What ECS would replace of a project's containers.

    A task goes as a whole. Where the engine has restarted the container that the others of its task share the network
    of, they hold on to a network that is gone: those are replaced.

    Args:
        found: The containers, by service and task.
        unhealthy: The names of those that are.
    """
    tasks = (list(task) for _, task in groupby(found, lambda container: (container.service, container.task)))
    return [replacement for task in tasks for replacement in _replacement(task, unhealthy)]


def _replacement(task: list[Container], unhealthy: Collection[str]) -> Iterator[Replacement]:
    # The one whose network it is has the shortest name: the others' begin with it.
    first, *others = sorted(task, key=lambda container: len(container.name))
    others = [container for container in others if container.state == "running"]
    names = [container.name for container in others]
    if ill := [container.name for container in task if container.essential and container.name in unhealthy]:
        yield Replacement((first.name, *names), f"{', '.join(ill)} unhealthy")
    elif first.state == "running" and (stale := [other.name for other in others if other.started < first.started]):
        yield Replacement(tuple(stale), f"{first.name} was restarted")


class Agent:
    """Watches a project.

    Args:
        runner: What runs it.
        project: Its name.

    Attributes:
        health: The checks that Podman leaves to us, by container and start.
    """

    def __init__(self, runner: Runner, project: str) -> None:
        self._runner = runner
        self._project = project
        self._checks = _checks_health(runner)
        self.health: dict[tuple[str, datetime], Health] = {}
        self._complaint = ""

    def watch(self, stopping: threading.Event) -> None:
        """Looks again and again until the project is gone or somebody stops it."""
        seen, last = False, time.monotonic()
        while not stopping.is_set() and time.monotonic() - last < _PATIENCE_SECONDS:
            there = self._look_or_say()
            if there:
                seen, last = True, time.monotonic()
            elif seen and there is not None:
                break
            stopping.wait(_ROUND_SECONDS)
        self.close()

    def close(self) -> None:
        """Ends the checks that run."""
        self._forget(())

    def _look_or_say(self) -> bool | None:
        """See `look`; None if the engine does not do its work, which is told once."""
        try:
            there = self.look()
        except ProgramError as error:
            if str(error) != self._complaint:
                _log(" ".join(str(error).split()))
            self._complaint = str(error)
            return None
        self._complaint = ""
        return there

    def look(self) -> bool:
        """Checks health and replaces what is to be; says whether there are containers.

        Raises:
            ProgramError: The engine does not do its work.
        """
        found = containers(self._runner, self._project)
        ill = self._check(found) if self._checks else _unhealthy_services(found)
        for replacement in replacements(found, ill):
            replace(self._runner, *replacement.names)
            _log(f"replaced {', '.join(replacement.names)}: {replacement.reason}")
        return bool(found)

    def _check(self, found: Iterable[Container]) -> set[str]:
        """Goes on with the health checks of what runs; returns the names of what is unhealthy."""
        checked = [(one, one.check) for one in found if one.check and one.state == "running"]
        self._forget([(container.name, container.started) for container, _ in checked])
        ill = set()
        for container, check in checked:
            health = self.health.setdefault((container.name, container.started), Health(self._runner, check))
            health.go_on(container)
            if health.unhealthy:
                ill.add(container.name)
        return ill

    def _forget(self, kept: Collection[tuple[str, datetime]]) -> None:
        for key in self.health.keys() - kept:
            self.health.pop(key).close()


def _unhealthy_services(found: Iterable[Container]) -> set[str]:
    """The names of what the engine calls unhealthy, without what has ended: Docker calls that so too."""
    return {one.name for one in found if one.state == "running" and one.health == "unhealthy"}


def _log(line: str) -> None:
    """Writes a line into the log."""
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ} {line}\n")
    sys.stderr.flush()


def _write_record(folder: Path) -> IO[str]:
    """Writes the record as a whole, locked from the first moment on: as long as what is returned stays open."""
    unfinished = folder / f"{RECORD}.{os.getpid()}"
    record = unfinished.open("w", encoding="utf-8")
    fcntl.flock(record, fcntl.LOCK_EX)
    record.write(str(os.getpid()))
    record.flush()
    unfinished.replace(folder / RECORD)
    return record


def main() -> None:
    """Watches until the containers are gone or SIGTERM comes; a replacement that has begun is finished first."""
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
