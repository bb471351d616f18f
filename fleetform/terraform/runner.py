"""Running a program: output streamed and logged, unexpected exit codes are errors, Ctrl-C is passed on once."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from fleetform.errors import ProgramError

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
    try:
        # A session of its own: Ctrl-C reaches it once, from us. A second one makes Terraform quit without its state.
        process = subprocess.Popen(
            argv,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ProgramError(f"cannot run {argv[0]}: {error.strerror}; check the installation") from None
    with process, log.open("w", encoding="utf-8") as file:
        interrupted = _drain(process, lambda line: _take(line, lines, file.write, output))
    if interrupted:
        raise KeyboardInterrupt
    if process.returncode not in accepted:
        message = f"`{' '.join(argv)}` ended with exit code {process.returncode}; its output is in {log}"
        raise ProgramError(message, "\n".join(lines))
    return Result(process.returncode, tuple(lines), time.monotonic() - started)


def _take(line: str, lines: list[str], write: Callable[[str], object], output: Output | None) -> None:
    lines.append(line)
    write(line + "\n")
    if output:
        output(line)


def _drain(process: subprocess.Popen[str], take: Output) -> bool:
    """Reads output to its end; says whether Ctrl-C came meanwhile."""
    interrupted = False
    while True:
        try:
            for line in process.stdout or ():
                take(line.rstrip("\n"))
            process.wait()
        except KeyboardInterrupt:
            if not interrupted:
                process.send_signal(signal.SIGINT)
            interrupted = True
        else:
            return interrupted
