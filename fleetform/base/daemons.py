"""Processes that go on when the task that started them has ended: start, watch, end."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

_PACKAGE_PARENT = Path(__file__).parents[2]
_START_SECONDS = 120
_STOP_SECONDS = 5
_LOG_TAIL_LINES = 20


@contextlib.contextmanager
def file_lock(folder: Path) -> Iterator[None]:
    """Lock a folder, so that one process at a time starts or stops its daemon; the lock leaves no file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def spawn(argv: list[str], variables: Mapping[str, str], log: Path) -> None:
    """Start a process and wait until it announces, with a line on standard output, that it is ready.

    A process that prints nothing for two minutes is killed. The caller checks whether it runs.

    Args:
        argv: Program and arguments; runs where `python -m fleetform` finds this package.
        variables: Its process environment.
        log: File that gets its standard error.
    """
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as announcement, os.fdopen(writer, "wb") as stdout, log.open("wb") as stderr:
        process = start(argv, variables, stdout, stderr)
        stdout.close()
        if not _wait_for_announcement(announcement):
            process.kill()


def announce() -> None:
    """Announce to the spawning process that this one is ready; later output goes to the log."""
    os.write(sys.stdout.fileno(), b"ready\n")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def start(
    argv: list[str], variables: Mapping[str, str], stdout: IO[bytes], stderr: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a process in its own session: Ctrl-C in the terminal does not reach it."""
    process = subprocess.Popen(
        argv,
        cwd=_PACKAGE_PARENT,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    # Collects the exit status, so that no zombie stays if it ends before we do.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def _wait_for_announcement(announcement: IO[bytes]) -> bool:
    """Wait until the process announces that it is ready; False if it ends or takes too long."""
    readable, _, _ = select.select([announcement], [], [], _START_SECONDS)
    return bool(readable and announcement.readline())


def log_tail(log: Path) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:])


def terminate(pid: int) -> None:
    """Ends a process, kindly at first, and waits until it has ended."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if _has_ended(pid):
                return
            time.sleep(0.02)


def _has_ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):  # it is our child only if we started it
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
