"""Printing and asking, for all tasks."""

import json
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, TextIO

from fleetform.base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fleetform.render.writer import Change


def write(text: str) -> None:
    """Print text as it is."""
    sys.stdout.write(text)


def write_line(line: str) -> None:
    """Print a line and flush it."""
    write(line + "\n")
    sys.stdout.flush()


def write_json(value: object) -> None:
    """Print a value as JSON."""
    write(json.dumps(value, indent=2) + "\n")


def write_changes(changes: "Sequence[Change]", *, as_json: bool) -> None:
    """Print which files are changed, and how."""
    if as_json:
        write_json([{"path": change.path.as_posix(), "change": change.kind} for change in changes])
        return
    for change in changes:
        write(f"{change.kind:8} {change.path.as_posix()}\n")
    if not changes:
        write("nothing to change\n")


def fit(text: str, stream: TextIO) -> str:
    """Return text with lines no longer than a terminal is wide, broken at words.

    Unchanged if it is not a terminal.
    """
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    wrap = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
    return "\n".join(wrap.fill(line) if len(line) > width else line for line in text.split("\n"))


def count_images(count: int) -> str:
    """Return such as `2 images`."""
    return f"{count} {'image' if count == 1 else 'images'}"


def color(stream: TextIO) -> bool:
    """Return whether a stream takes colors: a terminal does, unless NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def agree(what: str) -> None:
    """Print what is about to be done, and ask.

    Raises:
        InputError: The user declines, or there is no terminal.
    """
    _ask(what, "Continue? [y/N] ", {"y", "yes"})


def confirm(what: str, word: str) -> None:
    """Print what is about to be done, and have a word typed for it.

    Raises:
        InputError: The user types a different word, or there is no terminal.
    """
    _ask(what, f"Type {word} to continue: ", {word})


def _ask(what: str, question: str, accepted: "Collection[str]") -> None:
    if not sys.stdin.isatty():
        raise InputError(f"{what}; there is no terminal to confirm it on: pass --yes")
    if input(f"\n{what}. {question}").strip() not in accepted:
        raise InputError("not confirmed; nothing was changed")


def count(number: int, one: str, several: str) -> str:
    """Return such as `1 finding` or `2 findings`."""
    return f"{number} {one if number == 1 else several}"
