"""Running programs: output streamed and logged, unexpected exit codes are errors, Ctrl-C is passed on."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TypeAlias, TypeVar

from fleetform.base.errors import ProgramError

_ANSWER_SECONDS = 20
_WAKE_SECONDS = 0.1
_STANDARD_ERROR = 2
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask a program to end."""
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

Output: TypeAlias = Callable[[str], None]
"""Takes one line of output, without its line break."""


@dataclass(frozen=True)
class Result:
    """The result of a program that ended with an accepted exit code.

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
    """Run one program to its end; see `ProcessGroup.run`. Standard error reports the first two interrupts.

    Args:
        argv: Program and arguments.
        variables: Its process environment.
        log: File that gets all output.
        output: Receives each line as it is printed.
        accepted: Exit codes that mean success.

    Raises:
        ProgramError: It could not be started, or its exit code is not accepted.
        KeyboardInterrupt: Ctrl-C; raised after the program has ended by itself.
    """
    log.unlink(missing_ok=True)
    name = Path(argv[0]).name
    processes = ProcessGroup(again=signal.SIGINT, on_interrupt=lambda count: report_interrupt(name, count))
    with processes.listening():
        return processes.run(argv, variables, log, output, accepted=accepted)


def explain_interrupt(name: str, count: int) -> str:
    """Return the effect of an interrupt, by its number; empty from the third on."""
    return {
        1: f"waiting for {name} to finish what it has started; press Ctrl-C again to end it at once",
        2: f"{name} ends at once; its last changes may be lost",
    }.get(count, "")


def report_interrupt(name: str, count: int) -> None:
    """Report the effect of an interrupt, unbuffered: it may have come in the middle of a print."""
    if text := explain_interrupt(name, count):
        with contextlib.suppress(OSError):  # the terminal may have closed
            os.write(_STANDARD_ERROR, f"\n{text}\n".encode())


def _start(argv: list[str], variables: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[str]:
    try:
        # Its own session: Ctrl-C reaches it only through us. A second one makes Terraform quit without
        # saving.
        return subprocess.Popen(
            argv,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ProgramError(f"cannot run {argv[0]}: {error.strerror}; check the installation") from None


def _check_exit_code(
    process: subprocess.Popen[str], lines: list[str], log: Path, accepted: tuple[int, ...]
) -> Result:
    argv = process.args if isinstance(process.args, list) else [process.args]
    if process.returncode not in accepted:
        message = (
            f"`{' '.join(map(str, argv))}` ended with exit code {process.returncode}; its output is in {log}"
        )
        raise ProgramError(message, "\n".join(lines))
    return Result(process.returncode, tuple(lines))


def _follow(file: IO[bytes], process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of a log while a process writes them, to its end."""
    rest, ended = b"", False
    while not ended:
        ended = _ends(process)  # before we read: then all is written
        *whole, rest = (rest + file.read()).split(b"\n")
        yield from map(_decode, whole)
    if rest:
        yield _decode(rest)


def _ends(process: subprocess.Popen[str]) -> bool:
    """Whether a process has ended, or does so in a moment."""
    try:
        process.wait(_WAKE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _decode(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").removesuffix("\r")


class ProcessGroup:
    """Programs that run in parallel, each from its own thread, and are interrupted together.

    Only the main thread receives signals: while it is `listening`, it passes them on.

    Args:
        again: The signal that the programs get from the second interrupt on. A second SIGINT ends Terraform
            at once.
        on_interrupt: Receives the count of interrupts so far; it must be quick.
    """

    def __init__(
        self, again: signal.Signals = signal.SIGKILL, on_interrupt: Callable[[int], None] = lambda _: None
    ) -> None:
        self._on_interrupt = on_interrupt
        self._again = again
        # Reentrant: a signal may come while its own thread holds the lock.
        self._lock = threading.RLock()
        self._running: set[subprocess.Popen[str]] = set()
        self._interrupts = 0

    def run(  # noqa: PLR0913 - what a program is made of
        self,
        argv: list[str],
        variables: Mapping[str, str],
        log: Path,
        output: Output | None = None,
        stdin: str = "",
        *,
        accepted: tuple[int, ...] = (0,),
    ) -> Result:
        """Run a program to its end.

        It writes to its log directly, and continues if we are killed: a pipe without a reader would end it
        too.

        Args:
            argv: Program and arguments.
            variables: Its process environment.
            log: File to which all output is appended.
            output: Receives each line as it is printed.
            stdin: Its standard input; short.
            accepted: Exit codes that mean success.

        Raises:
            ProgramError: It could not be started, or its exit code is not accepted.
            KeyboardInterrupt: The group has been interrupted; raised after the program has ended by itself.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        lines: list[str] = []
        started = time.monotonic()
        with log.open("ab") as written, log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            process = self._begin(argv, variables, written)
            try:
                with process:
                    _feed(process, stdin)
                    for line in _follow(file, process):
                        lines.append(line)
                        if output:
                            output(line)
            finally:
                with self._lock:
                    self._running.discard(process)
        if self._interrupts:
            raise KeyboardInterrupt
        return replace(_check_exit_code(process, lines, log, accepted), seconds=time.monotonic() - started)

    def _begin(
        self, argv: list[str], variables: Mapping[str, str], written: IO[bytes]
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self._interrupts:
                raise KeyboardInterrupt
            process = _start(argv, variables, written)
            self._running.add(process)
        # One that came while it was being started, in this very thread, has not reached it.
        if self._interrupts:
            _signal(process, signal.SIGINT)
        return process

    def interrupt(self) -> None:
        """Interrupt the running programs and start no more."""
        with self._lock:
            self._interrupts += 1
            for process in self._running:
                _signal(process, signal.SIGINT if self._interrupts == 1 else self._again)
        self._on_interrupt(self._interrupts)

    @contextlib.contextmanager
    def reporting(self, on_interrupt: Callable[[int], None]) -> Iterator[None]:
        """Report interrupts to a function; see the class."""
        earlier, self._on_interrupt = self._on_interrupt, on_interrupt
        try:
            yield
        finally:
            self._on_interrupt = earlier

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Treat Ctrl-C, and the end of a session or machine, as interrupts of the group.

        Only in the main thread.

        After the first, only another Ctrl-C counts: a pipeline that is cancelled sends SIGINT and then
        SIGTERM. Handlers, not `except KeyboardInterrupt`: an exception in the middle of a read loses what was
        read.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        earlier = {number: signal.getsignal(number) for number in END_SIGNALS}
        ours = [number for number, handler in earlier.items() if handler is not signal.SIG_IGN]

        def take(number: int, _frame: object) -> None:
            if number == signal.SIGINT or not self._interrupts:
                self.interrupt()

        for number in ours:
            signal.signal(number, take)
        try:
            yield
        finally:
            for number in ours:
                signal.signal(number, earlier[number])

    def at_once(
        self, workers: int, work: Callable[[_Item], _Answer], items: Sequence[_Item]
    ) -> list[Future[_Answer]]:
        """Do work on every item in threads, `workers` at a time.

        Raises:
            KeyboardInterrupt: The group has been interrupted; everything has ended.
        """
        with self.listening(), ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(work, item) for item in items]
            while not all(future.done() for future in futures):
                # With a timeout: if a different thread gets the signal, this one notices it only when it
                # wakes.
                wait(futures, timeout=_WAKE_SECONDS)
                for future in futures if self._interrupts else ():
                    future.cancel()
        if self._interrupts:
            raise KeyboardInterrupt
        return futures


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    if process.poll() is None:  # the whole session: its own children end with it
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


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
    """Run a quick program and return its standard output.

    Args:
        argv: Program and arguments.
        variables: Its process environment.
        accepted: Exit codes that mean success.
        stdin: Its standard input.
        seconds: Its time limit; None for no limit.

    Raises:
        ProgramError: It ended with another exit code than those accepted, or not in time; the message has its
            standard error, or what else it printed.
    """
    try:
        done = subprocess.run(
            argv,
            env=dict(variables),
            capture_output=True,
            text=True,
            check=False,
            input=stdin,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"`{' '.join(argv)}` did not end in {seconds:g} s") from None
    return _terminal_text(argv, done, accepted)


def _terminal_text(argv: list[str], done: subprocess.CompletedProcess[str], accepted: tuple[int, ...]) -> str:
    if done.returncode not in accepted:
        output = done.stderr.strip() or done.stdout.strip()
        raise ProgramError(f"`{' '.join(argv)}` ended with exit code {done.returncode}:\n{output}")
    return done.stdout


@contextlib.contextmanager
def reading(
    argv: list[str], variables: Mapping[str, str], accepted: tuple[int, ...] = (0,)
) -> Iterator[Callable[[], str]]:
    """Start a quick program and yield a function that waits for its output; it raises what `read` raises.

    Leaving the context without a call ends the program.
    """
    with subprocess.Popen(
        argv,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:

        def printed() -> str:
            output, errors = process.communicate()
            return _terminal_text(
                argv, subprocess.CompletedProcess(argv, process.returncode, output, errors), accepted
            )

        try:
            yield printed
        finally:
            process.kill()


def last_error_line(argv: list[str], variables: Mapping[str, str]) -> str | None:
    """Return why a quick command of a program fails; None if it succeeds."""
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
