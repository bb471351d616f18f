"""Running a program: output streamed and logged, unexpected exit codes are errors, Ctrl-C is passed on."""

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
from typing import IO, TypeAlias

from fleetform.errors import ProgramError

_ANSWER_SECONDS = 20
_GLANCE_SECONDS = 0.1
_INTERRUPTS = 2
_STANDARD_ERROR = 2
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a request to end, and a terminal that closes."""

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

    It writes to its log itself, and goes on if we are killed: the end of a pipe that nobody reads would kill it too.

    Args:
        argv: Program and arguments.
        variables: Its process environment.
        log: File that gets all output.
        output: Gets each line as it comes.
        accepted: Exit codes that mean success.

    Raises:
        ProgramError: It could not be started or its exit code is none of the accepted ones.
        KeyboardInterrupt: Ctrl-C, or a request to end; raised once the program has come to its own orderly end.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    started = time.monotonic()
    with log.open("wb") as written, log.open("rb") as file:
        process = _start(argv, variables, subprocess.DEVNULL, written)
        with process, _interrupts_passed_to(process) as interrupts:
            for line in _followed(file, process):
                lines.append(line)
                if output:
                    output(line)
    if interrupts:
        raise KeyboardInterrupt
    result = _judged(process, lines, log, accepted)
    return replace(result, seconds=time.monotonic() - started)


def _followed(file: IO[bytes], process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of a log while a process writes them, to its end."""
    rest, ended = b"", False
    while not ended:
        ended = _ended(process)  # before we read: all is written then
        *whole, rest = (rest + file.read()).split(b"\n")
        yield from map(_decoded, whole)
    if rest:
        yield _decoded(rest)


def _ended(process: subprocess.Popen[str]) -> bool:
    """Whether a process has ended, or does so in a moment."""
    try:
        process.wait(_GLANCE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").removesuffix("\r")


def _start(
    argv: list[str], variables: Mapping[str, str], stdin: int, stdout: IO[bytes] | int = subprocess.PIPE
) -> subprocess.Popen[str]:
    try:
        # A session of its own: Ctrl-C reaches it from us alone, and a terminal that closes does not end it.
        return subprocess.Popen(
            argv,
            env=dict(variables),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ProgramError(f"cannot run {argv[0]}: {error.strerror}; check the installation") from None


def _judged(process: subprocess.Popen[str], lines: list[str], log: Path, accepted: tuple[int, ...]) -> Result:
    if process.returncode not in accepted:
        message = f"`{' '.join(_argv(process))}` ended with exit code {process.returncode}; its output is in {log}"
        raise ProgramError(message, "\n".join(lines))
    return Result(process.returncode, tuple(lines))


def _take(line: str, lines: list[str], write: Callable[[str], object], output: Output | None) -> None:
    lines.append(line)
    write(line + "\n")
    if output:
        output(line)


@contextlib.contextmanager
def _interrupts_passed_to(process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Passes Ctrl-C on, twice at most, and lists all that came; a request to end us counts as the first.

    Terraform finishes what it has begun at the first and saves its state; at the second it quits at once.
    Handlers, not `except KeyboardInterrupt`: an exception in the middle of a read loses what was read.
    """
    received: list[int] = []

    def take(number: int, _frame: object) -> None:
        received.append(number)
        again = len(received) > 1 and number == signal.SIGINT and received.count(signal.SIGINT) <= _INTERRUPTS
        if (again or len(received) == 1) and process.poll() is None:
            _tell_interrupt(process, again=again)
            os.killpg(process.pid, signal.SIGINT)  # the whole session, as in a terminal

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    earlier = {number: signal.getsignal(number) for number in _ENDING}
    heeded = {number: handler for number, handler in earlier.items() if handler is not signal.SIG_IGN}
    for number in heeded:
        signal.signal(number, take)
    try:
        yield received
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)


def _tell_interrupt(process: subprocess.Popen[str], *, again: bool) -> None:
    name = Path(_argv(process)[0]).name
    told = (
        f"{name} ends at once; what it made last may be lost"
        if again
        else f"waiting until {name} has finished what it has begun; Ctrl-C once more ends it at once"
    )
    with contextlib.suppress(OSError):  # a terminal that has closed takes nothing
        os.write(_STANDARD_ERROR, f"\ninterrupted: {told}\n".encode())  # a handler may not write to what is buffered


def _argv(process: subprocess.Popen[str]) -> list[str]:
    return [str(word) for word in process.args] if isinstance(process.args, list) else [str(process.args)]


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
