"""The probe: the calls that a caller has to test, and the parser of its output.

A container may print anything, so the output is validated strictly.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from fleetform.base.errors import ProgramError
from fleetform.smoke.script import MARK

TIMEOUT = 30.0
"""Seconds that a probe may take.

It needs at most eight, and a small task on a busy machine is slow to start.
"""

REFUSED = "connection refused"
"""The probe's error for an address that it reaches but where nothing listens."""

_SCRIPT = Path(__file__).with_name("script.py")
_LONGEST_OUTPUT = 1_000_000
_LONGEST_ERROR = 10_000
_SHOWN = 2_000
_Address = Annotated[str, Field(pattern=r"^[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]{1,15})?$")]


@dataclass(frozen=True)
class Target:
    """A callee that a caller tests.

    Attributes:
        callee: The service.
        host: Its DNS name; None to test only the addresses.
        addresses: More addresses to test.
        port: Its TCP port.
        path: The HTTP path to request; None to test only the connection.
    """

    callee: str
    host: str | None
    addresses: tuple[str, ...]
    port: int
    path: str | None = None


@dataclass(frozen=True)
class Answer:
    """The result of testing a target.

    Attributes:
        callee: The service.
        resolved: The addresses that its DNS name resolved to.
        connected: Whether any address accepted a connection.
        status: The worst HTTP status of all addresses; None without a request or an answer.
        error: The errors of all addresses; empty if there were none.
        milliseconds: How long the test took.
    """

    callee: str
    resolved: tuple[str, ...]
    connected: bool
    status: int | None
    error: str
    milliseconds: int


@dataclass(frozen=True)
class ProbeRequest:
    """The command of a probe.

    Attributes:
        argv: Program and arguments; the program is `python3`.
        stdin: Its standard input.
    """

    argv: tuple[str, ...]
    stdin: str


@dataclass(frozen=True)
class _RawAnswer:
    """An answer as the script prints it."""

    resolved: Annotated[tuple[_Address, ...], Field(max_length=1000)]
    connected: bool
    status: Annotated[int, Field(ge=100, le=999)] | None
    error: Annotated[str, Field(max_length=_LONGEST_ERROR, pattern=r"^[ -~]*$")]
    milliseconds: Annotated[int, Field(ge=0, le=600_000)]


_RAW_ANSWERS = TypeAdapter(tuple[_RawAnswer, ...])


def probe_request(targets: Sequence[Target]) -> ProbeRequest:
    """Return the command that tests all targets in parallel, within eight seconds."""
    items = [[target.host, target.addresses, target.port, target.path] for target in targets]
    return ProbeRequest(("python3", "-I", "-c", _SCRIPT.read_text(encoding="utf-8")), json.dumps(items))


def answers(targets: Sequence[Target], output: str) -> tuple[Answer, ...]:
    """Parse the output of a probe.

    Args:
        targets: The targets that it tested.
        output: Its standard output.

    Raises:
        ProgramError: The output does not have an answer for each target.
    """
    lines = [line for line in output[-_LONGEST_OUTPUT:].splitlines() if MARK in line]
    try:
        raw_answers = _RAW_ANSWERS.validate_json(lines[-1].rpartition(MARK)[2], strict=True) if lines else ()
    except ValidationError:
        raw_answers = ()
    if len(raw_answers) != len(targets):
        raise invalid_output(len(targets), output)
    return tuple(
        Answer(target.callee, one.resolved, one.connected, one.status, one.error, one.milliseconds)
        for target, one in zip(targets, raw_answers, strict=True)
    )


def invalid_output(targets: int, output: str) -> ProgramError:
    """Return the error for output that does not have an answer for each target."""
    message = f"the probe of {targets} targets did not print an answer for each; run the command again"
    return ProgramError(message, sanitize(output))


def sanitize(output: str) -> str:
    """Return the end of a container's output, without characters that could control the terminal."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "?" for letter in output[-_SHOWN:].strip()
    )
