"""Records of runs: who did what to an environment, when, and from which commit.

Each is written while its run lasts.
"""

import getpass
import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from fleetform.base import git
from fleetform.base.cache import digest
from fleetform.base.errors import FleetformError
from fleetform.workflow.workspace import Workspace

VERSION = 1
"""Of the record's format: it increases when a key is removed or changes its meaning."""

_MAX_RECORDS = 50
_REVISION = "moment"  # the key in records since version 1


class State(StrEnum):
    """The progress of a run, or of a stack in it."""

    WAITING = "waiting"
    PLANNING = "planning"
    PLANNED = "planned"
    APPLYING = "applying"
    ADDED = "added"
    UNCHANGED = "unchanged"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    RUNNING = "running"
    DONE = "done"
    KILLED = "killed"


# `ADDED`: its additions are applied, and its removals are not.
SETTLED = frozenset({State.UNCHANGED, State.APPLIED})
"""The states of a stack that needs nothing more from a run."""


@dataclass(frozen=True)
class Revision:
    """The version of the files that plans are made from.

    Attributes:
        commit: The commit that is checked out; empty outside of a repository.
        files: Digest of the environment's files and of all modules.
    """

    commit: str
    files: str


@dataclass(frozen=True)
class StackRun:
    """The result of a run for one stack.

    Attributes:
        state: Its progress.
        counts: What is planned or, after the apply, done: ``3 added, 0 changed, 1 destroyed``.
        seconds: Duration of its last command.
        error: Why it failed, in one line.
    """

    state: State = State.WAITING
    counts: str = ""
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Run:
    """A run of a task.

    Attributes:
        task: ``apply`` or ``destroy``.
        environment: The environment's name.
        account: The AWS account.
        who: User and machine.
        process: Its process ID on that machine.
        revision: The files that its first plans were made from.
        changed: Whether the work tree had uncommitted changes.
        started: Start time in UTC, ISO 8601.
        ended: End time in the same format; empty if it was not recorded.
        state: How it ended.
        stacks: Its result for each stack.
        version: Version of this format.
    """

    task: str
    environment: str
    account: str
    who: str
    process: int
    revision: Revision
    changed: bool
    started: str
    ended: str = ""
    state: State = State.RUNNING
    stacks: dict[str, StackRun] = field(default_factory=dict)
    version: int = VERSION

    @property
    def unsettled(self) -> tuple[str, ...]:
        """The stacks that it did not finish."""
        return tuple(name for name, stack in self.stacks.items() if stack.state not in SETTLED)


class Recorder:
    """Writes the record of a run while it lasts.

    Args:
        path: The record's file.
        run: The record at its start.
    """

    def __init__(self, path: Path, run: Run) -> None:
        self._path = path
        self._run = run
        self._lock = threading.Lock()
        self._write()

    @property
    def stacks(self) -> Mapping[str, StackRun]:
        """The result for each stack so far, by name."""
        return self._run.stacks

    def note(self, stack: str, state: State, counts: str = "", seconds: float = 0.0, error: str = "") -> None:
        """Record the progress of a stack."""
        with self._lock:
            entry = StackRun(state, counts, round(seconds, 1), error)
            self._run = replace(self._run, stacks={**self._run.stacks, stack: entry})
            self._write()

    def end(self, state: State) -> None:
        """Record how the run has ended."""
        with self._lock:
            self._run = replace(self._run, state=state, ended=_now())
            self._write()

    def _write(self) -> None:
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(document(self._run), indent=2) + "\n", encoding="utf-8")
        temporary.replace(self._path)


@contextmanager
def record_run(workspace: Workspace, task: str) -> Iterator[Recorder]:
    """Record what is done to an environment. The records of the last fifty runs are kept."""
    folder = _folder(workspace.work)
    folder.mkdir(exist_ok=True)
    environment = workspace.environment
    run = Run(
        task=task,
        environment=environment.name,
        account=environment.account,
        who=_current_user(),
        process=os.getpid(),
        revision=current_revision(workspace),
        changed=_is_changed(workspace),
        started=_now(),
        stacks={stack.name: StackRun() for stack in (*workspace.emptied, *workspace.stacks)},
    )
    recorder = Recorder(folder / f"{run.started.replace(':', '')}-{run.process}.json", run)
    for old in sorted(folder.glob("*.json"))[:-_MAX_RECORDS]:
        old.unlink(missing_ok=True)
    try:
        yield recorder
    except FleetformError:
        recorder.end(State.FAILED)
        raise
    except BaseException:
        recorder.end(State.INTERRUPTED)
        raise
    recorder.end(State.DONE)


def read_runs(work: Path) -> list[Run]:
    """Return the recorded runs, the newest last.

    A run whose process is gone without a recorded end was killed. Processes of other machines are not known.

    Args:
        work: The environment's work folder.
    """
    return [_with_killed_state(_read(path)) for path in sorted(_folder(work).glob("*.json"))]


def document(run: Run) -> dict[str, Any]:
    """Return a run as JSON data."""
    return {_REVISION if key == "revision" else key: value for key, value in asdict(run).items()}


def _read(path: Path) -> Run:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    stacks = {
        name: StackRun(**{**stack, "state": State(stack["state"])})
        for name, stack in record["stacks"].items()
    }
    revision = Revision(**record.pop(_REVISION))
    return Run(**{**record, "revision": revision, "state": State(record["state"]), "stacks": stacks})


def _with_killed_state(run: Run) -> Run:
    if run.state != State.RUNNING or run.who != _current_user():
        return run
    try:
        os.kill(run.process, 0)
    except ProcessLookupError:
        return replace(run, state=State.KILLED)
    except PermissionError:
        pass
    return run


def current_revision(workspace: Workspace) -> Revision:
    """Return the revision of the files, without hidden ones such as Terraform's lock file."""
    root = workspace.folder.parents[1]
    paths = sorted(path for folder in (workspace.folder, root / "modules") for path in folder.rglob("[!.]*"))
    parts = (part for path in paths if path.is_file() for part in (str(path).encode(), path.read_bytes()))
    return Revision(_git(root, "rev-parse", "--verify", "--quiet", "HEAD"), digest(*parts).hex())


def _is_changed(workspace: Workspace) -> bool:
    root = workspace.folder.parents[1]
    return bool(_git(root, "status", "--porcelain", "--", "envs", "modules", "templates"))


def _git(root: Path, *arguments: str) -> str:
    """Return Git's output; empty if there is no repository, no commit or no Git."""
    try:
        return git.git(root, *arguments).strip()
    except FleetformError:
        return ""


def _folder(work: Path) -> Path:
    return work / "runs"


def _current_user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
