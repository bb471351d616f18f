"""What each run did to an environment: who, what, when, from which commit. It is kept while the run goes on."""

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
"""Of a record's form: it is raised where a key goes or changes its meaning."""

_MAX_RECORDS = 50
_REVISION = "moment"  # the key in records since version 1


class State(StrEnum):
    """How far a run, or a stack in it, has come."""

    WAITING = "waiting"
    PLANNING = "planning"
    PLANNED = "planned"
    APPLYING = "applying"
    UNCHANGED = "unchanged"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    RUNNING = "running"
    DONE = "done"
    KILLED = "killed"


SETTLED = frozenset({State.UNCHANGED, State.APPLIED})
"""What a stack is that a run has nothing left to do to."""


@dataclass(frozen=True)
class Revision:
    """What plans are made of.

    Attributes:
        commit: The commit that is checked out; empty outside of a repository.
        files: A digest of the environment's files and of all modules.
    """

    commit: str
    files: str


@dataclass(frozen=True)
class StackRun:
    """What a run did to one stack.

    Attributes:
        state: How far it came.
        counts: What was planned or, once it is applied, done: ``3 added, 0 changed, 1 destroyed``.
        seconds: How long its last command took.
        error: Why it failed, in a line.
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
        process: The number of its process on that machine.
        revision: What its first plans were made of.
        changed: Whether the work tree had what is not committed.
        started: When, in UTC, as ISO 8601 has it.
        ended: The same; empty if its end was not recorded.
        state: How it ended.
        stacks: What it did to each stack.
        version: Of this form.
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
        """The stacks that it has left something to do to."""
        return tuple(name for name, stack in self.stacks.items() if stack.state not in SETTLED)


class Recorder:
    """Keeps the record of a run as it goes on.

    Args:
        path: The record's file.
        run: What is known at its start.
    """

    def __init__(self, path: Path, run: Run) -> None:
        self._path = path
        self._run = run
        self._lock = threading.Lock()
        self._write()

    @property
    def stacks(self) -> Mapping[str, StackRun]:
        """What has been done to each stack so far, by name."""
        return self._run.stacks

    def note(self, stack: str, state: State, counts: str = "", seconds: float = 0.0, error: str = "") -> None:
        """Notes how far a stack has come."""
        with self._lock:
            entry = StackRun(state, counts, round(seconds, 1), error)
            self._run = replace(self._run, stacks={**self._run.stacks, stack: entry})
            self._write()

    def end(self, state: State) -> None:
        """Notes how the run has ended."""
        with self._lock:
            self._run = replace(self._run, state=state, ended=_now())
            self._write()

    def _write(self) -> None:
        made = self._path.with_suffix(".new")
        made.write_text(json.dumps(document(self._run), indent=2) + "\n", encoding="utf-8")
        made.replace(self._path)


@contextmanager
def record_run(workspace: Workspace, task: str) -> Iterator[Recorder]:
    """Keeps a record of what is done to an environment; those of the last fifty runs are there."""
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
    """The runs that there are records of, the last one last.

    A run whose process is gone without a recorded end was killed. Processes of other machines are not known.

    Args:
        work: What is kept of the environment.
    """
    return [_with_killed_state(_read(path)) for path in sorted(_folder(work).glob("*.json"))]


def document(run: Run) -> dict[str, Any]:
    """Return a run as JSON has it."""
    return {_REVISION if key == "revision" else key: value for key, value in asdict(run).items()}


def _read(path: Path) -> Run:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    stacks = {name: StackRun(**{**stack, "state": State(stack["state"])}) for name, stack in found["stacks"].items()}
    revision = Revision(**found.pop(_REVISION))
    return Run(**{**found, "revision": revision, "state": State(found["state"]), "stacks": stacks})


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
    """What plans would be made of now; what is hidden, such as Terraform's lock file, is left out: it writes it."""
    root = workspace.folder.parents[1]
    paths = sorted(path for folder in (workspace.folder, root / "modules") for path in folder.rglob("[!.]*"))
    parts = (part for path in paths if path.is_file() for part in (str(path).encode(), path.read_bytes()))
    return Revision(_git(root, "rev-parse", "--verify", "--quiet", "HEAD"), digest(*parts).hex())


def _is_changed(workspace: Workspace) -> bool:
    root = workspace.folder.parents[1]
    return bool(_git(root, "status", "--porcelain", "--", "envs", "modules", "templates"))


def _git(root: Path, *arguments: str) -> str:
    """What Git says; nothing where there is no repository, no commit, or no Git."""
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
