"""The errors that Fleetform reports: each message has what is wrong, where, and how to fix it.

They are raised deep in the library and become exit codes in one place, ``tasks.py``. Anything else that
escapes is a bug.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple


def printable(text: str) -> str:
    """Text on one line.

    Whatever a terminal would act on or not show is written as an escape, as Python does.
    """
    return text if text.isprintable() else "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


class Position(NamedTuple):
    """A place in a text file. A tuple, as every value of a catalog has one or two.

    Attributes:
        file: Path as shown to people, relative to the project where it can be.
        line: 1-based.
        column: 1-based, in characters.
    """

    file: PurePath
    line: int
    column: int

    def __str__(self) -> str:
        """``file:line:column``, as editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input.

    Quoted input may hold anything: line breaks and control characters become escapes, so that a problem
    is one line and does nothing to a terminal.

    Attributes:
        position: Where it is written.
        message: What is wrong.
        remedy: How to fix it; empty if the message has it.
    """

    position: Position
    message: str
    remedy: str = field(default="")

    def __post_init__(self) -> None:
        """Escape unprintable characters."""
        object.__setattr__(self, "message", printable(self.message))
        object.__setattr__(self, "remedy", printable(self.remedy))

    def __str__(self) -> str:
        """One line: position, message, remedy."""
        return printable(f"{self.position}: {self.message}" + (f"; {self.remedy}" if self.remedy else ""))


class FleetformError(Exception):
    """An expected failure, with the exit code that it ends the program with."""

    exit_code = 1


class CheckFailedError(FleetformError):
    """A check fails: findings, drift, a stale render."""

    exit_code = 1


class InputError(FleetformError):
    """The input is wrong: nothing was written."""

    exit_code = 2


class CatalogError(InputError):
    """The catalog has problems, all of them reported together.

    Args:
        problems: At least one problem, in any order.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.position, problem.message))
        super().__init__("\n".join(map(str, self.problems)))


class ProgramError(FleetformError):
    """A program that Fleetform drives failed or is missing.

    Args:
        message: What failed and how to fix it.
        output: The program's output, if it has not been printed yet.
    """

    exit_code = 3

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def raise_all(errors: Sequence[FleetformError]) -> None:
    """Reports errors at once, if there are any.

    Raises:
        FleetformError: There are; of the kind of the first.
    """
    if errors:
        raise type(errors[0])("\n".join(map(str, errors)))
