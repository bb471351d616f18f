"""What libyaml says of a file that is no YAML, in words that say how to mend it, where the mistake was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from fleetform.errors import Position, Problem

Mark: TypeAlias = Any  # libyaml's and PyYAML's own have no common type


@dataclass(frozen=True)
class _Place:
    """Where libyaml gave up.

    Attributes:
        before: What is on the line before it.
        character: What is there, empty at the end of the file.
        shown: Line and column, for people.
    """

    before: str
    character: str
    shown: str


@dataclass(frozen=True)
class _Said:
    """What is wrong and how to mend it; at the place where it began, or where libyaml gave up."""

    message: str
    remedy: str
    where_it_began: bool = False


def _unclosed(opening: str, closing: str) -> Callable[[_Place], _Said]:
    def say(place: _Place) -> _Said:
        remedy = f"close it, or put a `,` between its items: before {place.shown} there is neither"
        return _Said(f"`{opening}` without its `{closing}`", remedy, where_it_began=True)

    return say


def _colon(place: _Place) -> _Said:
    if ": " in place.before:
        return _Said("a second `: ` on this line", "put the text that holds it in quotes")
    remedy = "end that line in `:`, or write it as `key: value` with a space behind the colon"
    return _Said("a key below a line that has none", remedy)


def _misaligned(place: _Place) -> _Said:
    if place.before.strip():
        return _Said("the value is complete before this", "put the whole value in quotes, or remove the rest")
    return _Said("this belongs neither to the keys nor to the list above it", "align it with those that it belongs to")


def _character(place: _Place) -> _Said:
    if place.character == "\t":
        return _tab(place)
    return _Said(f"`{place.character}` cannot begin a value", "put the value in quotes")


def _no_value(place: _Place) -> _Said:
    if not place.character:
        return _Said("the file ends where a value is expected", "close the brackets that are open")
    return _Said(f"`{place.character}` where a value is expected", "remove it, or put the value in quotes")


def _tab(_: _Place) -> _Said:
    return _Said("a tab where only spaces may indent", "indent with spaces")


def _escape(_: _Place) -> _Said:
    return _Said(r"an escape that YAML does not have", r"write `\\` for a backslash, or use single quotes")


def _colonless(_: _Place) -> _Said:
    return _Said("a line without `: `", "write `key: value`, with a space behind the colon", where_it_began=True)


def _unquoted(_: _Place) -> _Said:
    return _Said("a quote that is not closed", "close it", where_it_began=True)


_SAYINGS: Mapping[str, Callable[[_Place], _Said]] = {
    "could not find expected ':'": _colonless,
    "did not find expected ',' or ']'": _unclosed("[", "]"),
    "did not find expected ',' or '}'": _unclosed("{", "}"),
    "did not find expected '-' indicator": _misaligned,
    "did not find expected hexdecimal number": _escape,
    "did not find expected key": _misaligned,
    "did not find expected node content": _no_value,
    "found a tab character that violates indentation": _tab,
    "found character that cannot start any token": _character,
    "found unexpected end of stream": _unquoted,
    "found unknown escape character": _escape,
    "mapping values are not allowed in this context": _colon,
}
"""By libyaml's words; what else it says is rare, and told as it is."""


def syntax_problem(error: yaml.MarkedYAMLError, text: str, end: Position) -> Problem:
    """The problem of a file that is no YAML.

    Args:
        error: What libyaml says.
        text: The file.
        end: Its end: libyaml sees that of a file without a line break on the next line.
    """
    mark = error.problem_mark or error.context_mark
    say = _SAYINGS.get(str(error.problem))
    if mark is None or say is None:
        message = f"not valid YAML: {error.problem}"
        return Problem(_position(mark, end), message, "check indentation, colons and quotes")
    said = say(_place(mark, text))
    began = error.context_mark if said.where_it_began else None
    return Problem(_position(began or mark, end), said.message, said.remedy)


def _place(mark: Mark, text: str) -> _Place:
    before = text[: mark.index].rpartition("\n")[2]
    return _Place(before, text[mark.index : mark.index + 1], f"line {mark.line + 1}, column {mark.column + 1}")


def _position(mark: Mark, end: Position) -> Position:
    return min(Position(end.file, mark.line + 1, mark.column + 1), end) if mark else end
