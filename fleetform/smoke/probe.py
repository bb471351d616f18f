"""A probe: what a caller is asked to try, and what it says came of it.

What comes back was printed inside a container, which may print anything: it is read as data of a known shape, or not at
all.
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
"""Seconds that a probe may take: it needs eight at most, and a small task on a busy machine some to begin."""

REFUSED = "connection refused"
"""What the probe says of an address that is reached and has nobody who listens."""

_SCRIPT = Path(__file__).with_name("script.py")
_LONGEST_OUTPUT = 1_000_000
_LONGEST_ERROR = 10_000
_SHOWN = 2_000
_Address = Annotated[str, Field(pattern=r"^[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]{1,15})?$")]


@dataclass(frozen=True)
class Target:
    """What a caller tries.

    Attributes:
        callee: The service.
        host: Its DNS name; None to try the addresses alone.
        addresses: Further addresses, which are tried as they are.
        port: Its TCP port.
        path: The HTTP path that it should answer; None for a connection alone.
    """

    callee: str
    host: str | None
    addresses: tuple[str, ...]
    port: int
    path: str | None = None


@dataclass(frozen=True)
class Answer:
    """What came of a target.

    Attributes:
        callee: The service.
        resolved: The addresses that its DNS name led to.
        connected: Whether any address took a connection.
        status: The HTTP status, of several the worst; None if nothing was asked or nothing answered.
        error: What went wrong with any address, empty if nothing did.
        milliseconds: What all of it took.
    """

    callee: str
    resolved: tuple[str, ...]
    connected: bool
    status: int | None
    error: str
    milliseconds: int


@dataclass(frozen=True)
class ProbeRequest:
    """A probe to run inside a caller.

    Attributes:
        argv: Program and arguments; the program is `python3`.
        stdin: What it reads.
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
    """The probe that tries all targets side by side, within eight seconds."""
    asked = [[target.host, target.addresses, target.port, target.path] for target in targets]
    return ProbeRequest(("python3", "-I", "-c", _SCRIPT.read_text(encoding="utf-8")), json.dumps(asked))


def answers(targets: Sequence[Target], output: str) -> tuple[Answer, ...]:
    """Reads what a probe printed.

    Args:
        targets: What it was asked.
        output: All of its standard output.

    Raises:
        ProgramError: That is no answer to them.
    """
    lines = [line for line in output[-_LONGEST_OUTPUT:].splitlines() if MARK in line]
    try:
        told = _RAW_ANSWERS.validate_json(lines[-1].rpartition(MARK)[2], strict=True) if lines else ()
    except ValidationError:
        told = ()
    if len(told) != len(targets):
        raise invalid_output(len(targets), output)
    return tuple(
        Answer(target.callee, one.resolved, one.connected, one.status, one.error, one.milliseconds)
        for target, one in zip(targets, told, strict=True)
    )


def invalid_output(targets: int, output: str) -> ProgramError:
    """The error for output that does not answer so many targets."""
    message = f"the probe of {targets} targets printed something else than an answer for each; run it again"
    return ProgramError(message, sanitize(output))


def sanitize(output: str) -> str:
    """The end of what a container printed, without what could move a terminal's cursor."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in output[-_SHOWN:].strip())
