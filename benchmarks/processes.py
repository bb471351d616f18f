"""A program's run, measured as a whole process."""

import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_KIB_IN_MIB = 1024
_SHOWN = 2000
MEMORY = 12 * 2**30


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        seconds: Wall time, start and end included.
        mib: Peak resident memory of the largest process; no less than this script's own.
        code: Exit code; negative if a signal ended it.
        output: What it printed on standard output.
        errors: The end of what it printed on standard error.
    """

    seconds: float
    mib: float
    code: int
    output: str
    errors: str


def run(argv: Sequence[str], folder: Path, variables: Mapping[str, str], limit: float) -> Run:
    """Runs a program to its end, or kills it with its children after so many seconds.

    More address space than MEMORY is refused to it: one of the rivals would take all that a machine has.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=folder, env=dict(variables), stdout=output, stderr=errors, start_new_session=True
        )
        if hasattr(resource, "prlimit"):
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
        late = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        return Run(
            seconds, usage.ru_maxrss / _KIB_IN_MIB, process.returncode, _text(output), _text(errors)[-_SHOWN:]
        )


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
