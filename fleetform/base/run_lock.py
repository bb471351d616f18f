"""The run lock: one run at a time uses a folder, and the next one learns of a run that did not end well.

The kernel frees the lock of a process that has ended, however it ended. The record in the file stays.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from fleetform.base.errors import CheckFailedError, InputError

_FILE = "run_lock.json"
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Run:
    """A run of a task.

    Attributes:
        task: The command as it is typed, without the program.
        pid: Its process.
        since: Its start, UTC.
    """

    task: str
    pid: int
    since: str

    def __str__(self) -> str:
        """Return a description for messages."""
        return f"`{self.task}` (process {self.pid}, since {self.since} UTC)"


@contextlib.contextmanager
def hold(
    folder: Path, task: str, timeout: float, report: Callable[[str], None], recover: Callable[[Run], None]
) -> Iterator[None]:
    """Hold the run lock of a folder.

    Args:
        folder: The folder; created if necessary.
        task: The run's task; see `Run`.
        timeout: Seconds to wait for a run that holds the lock.
        report: Receives a line if it waits.
        recover: Called first if the last run was killed or interrupted, or a program of it failed; the record
            stays until this run has ended well.

    Raises:
        CheckFailedError: The other run took longer than the timeout.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A lock of the process, not of the open file: forked processes do not keep it.
    with os.fdopen(os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        _wait(file, timeout, report)
        if before := _read(file):
            recover(before)
        _write(file, json.dumps(asdict(Run(task, os.getpid(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"))))
        try:
            yield
        except (CheckFailedError, InputError):
            _write(file, "")
            raise
        _write(file, "")


def _wait(file: IO[str], timeout: float, report: Callable[[str], None]) -> None:
    deadline, reported = time.monotonic() + timeout, False
    while not _locked(file):
        other = _read(file) or "another run"
        if time.monotonic() >= deadline:
            raise CheckFailedError(
                f"{other} still runs in this checkout after {timeout:.0f} s; run it again later"
            )
        if not reported:
            report(f"waiting for {other}, which runs in this checkout")
            reported = True
        time.sleep(_POLL_SECONDS)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _read(file: IO[str]) -> Run | None:
    """Return the record; None if it is absent or incomplete."""
    file.seek(0)
    try:
        return Run(**json.loads(file.read()))
    except (ValueError, TypeError):
        return None


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
