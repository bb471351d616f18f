"""Running a program: output streamed and logged, unexpected exit codes are errors, Ctrl-C is passed on once."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from fleetform.errors import ProgramError

_ANSWER_SECONDS = 20

Output: TypeAlias = Callable[[str], None]
"""Takes one line of output, without its line break."""


@dataclass(frozen=True)
class Result:
    """What a program that ended as expected did.

    Attributes:
        code: Its exit code.
        lines: All that it printed, standard error among it.
        seconds: How long it took.
    """

    code: int
    lines: tuple[str, ...]
    seconds: float = field(default=0.0, compare=False)


def run(
    argv: list[str],
    variables: Mapping[str, str],
    log: Path,
    output: Output | None = None,
    accepted: tuple[int, ...] = (0,),
) -> Result:
    """Runs a program to its end.

    Args:
        argv: Program and arguments.
        variables: Its process environment.
        log: File that gets all output.
        output: Gets each line as it comes.
        accepted: Exit codes that mean success.

    Raises:
        ProgramError: It could not be started or its exit code is none of the accepted ones.
        KeyboardInterrupt: Ctrl-C; raised once the program has come to its own orderly end.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    started = time.monotonic()
    process = _start(argv, variables, subprocess.DEVNULL)
    with process, log.open("w", encoding="utf-8") as file, _interrupts_passed_to(process) as interrupts:
        for line in process.stdout or ():
            _take(line.rstrip("\n"), lines, file.write, output)
        process.wait()
    if interrupts:
        raise KeyboardInterrupt
    result = _judged(process, lines, log, accepted)
    return replace(result, seconds=time.monotonic() - started)


def _start(argv: list[str], variables: Mapping[str, str], stdin: int) -> subprocess.Popen[str]:
    try:
        # A session of its own: Ctrl-C reaches it once, from us. A second one makes Terraform quit without its state.
        return subprocess.Popen(
            argv,
            env=dict(variables),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ProgramError(f"cannot run {argv[0]}: {error.strerror}; check the installation") from None


def _judged(process: subprocess.Popen[str], lines: list[str], log: Path, accepted: tuple[int, ...]) -> Result:
    argv = process.args if isinstance(process.args, list) else [process.args]
    if process.returncode not in accepted:
        message = f"`{' '.join(map(str, argv))}` ended with exit code {process.returncode}; its output is in {log}"
        raise ProgramError(message, "\n".join(lines))
    return Result(process.returncode, tuple(lines))


def _take(line: str, lines: list[str], write: Callable[[str], object], output: Output | None) -> None:
    lines.append(line)
    write(line + "\n")
    if output:
        output(line)


@contextlib.contextmanager
def _interrupts_passed_to(process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Passes the first Ctrl-C on, and lists all that came.

    A handler, not `except KeyboardInterrupt`: an exception in the middle of a read loses what was read.
    """
    received: list[int] = []

    def take(number: int, _frame: object) -> None:
        if not received and process.poll() is None:  # the whole session, as in a terminal
            os.killpg(process.pid, signal.SIGINT)
        received.append(number)

    earlier = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or earlier is signal.SIG_IGN:
        yield received
        return
    signal.signal(signal.SIGINT, take)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, earlier)


class Crew:
    """Programs that run side by side, each from a thread of its caller's, and are interrupted together.

    Ctrl-C reaches the main thread alone: it calls `interrupt`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._interrupts = 0

    def run(
        self, argv: list[str], variables: Mapping[str, str], log: Path, output: Output | None = None, stdin: str = ""
    ) -> Result:
        """Runs a program to its end.

        Args:
            argv: Program and arguments.
            variables: Its process environment.
            log: File to which all output is added.
            output: Gets each line as it comes.
            stdin: What it reads; short.

        Raises:
            ProgramError: It could not be started or its exit code is not 0.
            KeyboardInterrupt: The crew has been interrupted.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        lines: list[str] = []
        process = self._begin(argv, variables)
        try:
            with process, log.open("a", encoding="utf-8") as file:
                _feed(process, stdin)
                for line in process.stdout or ():
                    _take(line.rstrip("\n"), lines, file.write, output)
        finally:
            with self._lock:
                self._running.discard(process)
        if self._interrupts:
            raise KeyboardInterrupt
        return _judged(process, lines, log, (0,))

    def _begin(self, argv: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._lock:
            if self._interrupts:
                raise KeyboardInterrupt
            process = _start(argv, variables, subprocess.PIPE)
            self._running.add(process)
            return process

    def interrupt(self) -> None:
        """Interrupts the programs that run, and kills them the second time; none starts any more."""
        with self._lock:
            self._interrupts += 1
            for process in self._running:
                if process.poll() is None:  # the whole session: an engine's own children end with it
                    os.killpg(process.pid, signal.SIGINT if self._interrupts == 1 else signal.SIGKILL)


def _feed(process: subprocess.Popen[str], text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        if process.stdin:
            process.stdin.write(text)
            process.stdin.close()


def read(
    argv: list[str],
    variables: Mapping[str, str],
    accepted: tuple[int, ...] = (0,),
    stdin: str = "",
    seconds: float | None = None,
) -> str:
    """Runs a quick program and returns what it prints on standard output.

    Args:
        argv: Program and arguments.
        variables: Its process environment.
        accepted: Exit codes that mean success.
        stdin: What it reads.
        seconds: How long it may take; None for as long as it likes.

    Raises:
        ProgramError: It ended with another exit code than those accepted, or not in time; the message has its standard
            error, or what else it printed.
    """
    try:
        done = subprocess.run(
            argv, env=dict(variables), capture_output=True, text=True, check=False, input=stdin, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"`{' '.join(argv)}` did not end in {seconds:g} s") from None
    if done.returncode not in accepted:
        output = done.stderr.strip() or done.stdout.strip()
        raise ProgramError(f"`{' '.join(argv)}` ended with exit code {done.returncode}:\n{output}")
    return done.stdout


def complaint(argv: list[str], variables: Mapping[str, str]) -> str | None:
    """Why a program cannot be used, given a quick command that needs all that it needs; None if it answers."""
    if shutil.which(argv[0], path=variables.get("PATH")) is None:
        return "not on PATH"
    try:
        done = subprocess.run(
            argv,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_ANSWER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"does not answer in {_ANSWER_SECONDS} s"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1].rstrip(".") if lines else f"exit code {done.returncode}"
