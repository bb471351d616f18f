"""Turns: of the runs that use one folder, one at a time; and of one that did not end well, the next one knows.

The kernel frees the lock of a process that is gone, however it went. The record in the file stays, and tells.
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

_FILE = "turn.json"
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        task: What it does: the command as it is typed, without the program.
        pid: Its process.
        since: When it began, UTC.
    """

    task: str
    pid: int
    since: str

    def __str__(self) -> str:
        """As people are told of it."""
        return f"`{self.task}` (process {self.pid}, since {self.since} UTC)"


@contextlib.contextmanager
def hold(
    folder: Path, task: str, patience: float, tell: Callable[[str], None], recover: Callable[[Run], None]
) -> Iterator[None]:
    """Takes a turn in a folder.

    Args:
        folder: What one run at a time may use; made if need be.
        task: What the run does; see `Turn`.
        patience: Seconds that it waits for the run that has its turn.
        tell: Told in a line that it waits.
        recover: Called first if the run before was killed, interrupted, or had a program fail; its record stays until
            this has ended well.

    Raises:
        CheckFailedError: The other run took longer.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Of a process, not of a file that is open: what we fork does not hold it on.
    with os.fdopen(os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        _wait(file, patience, tell)
        if before := _read(file):
            recover(before)
        _write(file, json.dumps(asdict(Run(task, os.getpid(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"))))
        try:
            yield
        except (CheckFailedError, InputError):
            _write(file, "")
            raise
        _write(file, "")


def _wait(file: IO[str], patience: float, tell: Callable[[str], None]) -> None:
    deadline, told = time.monotonic() + patience, False
    while not _locked(file):
        other = _read(file) or "another run"
        if time.monotonic() >= deadline:
            raise CheckFailedError(f"{other} has its turn in this checkout, and still had after {patience:.0f} s")
        if not told:
            tell(f"waiting for {other}, which has its turn in this checkout")
            told = True
        time.sleep(_POLL_SECONDS)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _read(file: IO[str]) -> Run | None:
    """The record; None if there is none, or half of one."""
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
