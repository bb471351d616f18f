"""Translate libyaml's syntax errors into problems with a remedy, at the position of the mistake."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from fleetform.base.errors import Position, Problem

Mark: TypeAlias = Any  # libyaml's and PyYAML's own have no common type


@dataclass(frozen=True)
class _Stop:
    """The position at which libyaml stopped.

    Attributes:
        before: The text before it on its line.
        character: The character there, empty at the end of the file.
        shown: Line and column, for people.
    """

    before: str
    character: str
    shown: str


@dataclass(frozen=True)
class _Explanation:
    """A message and a remedy.

    Attributes:
        message: What is wrong.
        remedy: How to fix it.
        at_start: Whether to report it where the broken value starts, instead of where libyaml stopped.
    """

    message: str
    remedy: str
    at_start: bool = False


def _explain_unclosed(opening: str, closing: str) -> Callable[[_Stop], _Explanation]:
    def explain(place: _Stop) -> _Explanation:
        remedy = f"add the missing `{closing}` or `,` before {place.shown}"
        return _Explanation(f"`{opening}` is not closed", remedy, at_start=True)

    return explain


def _explain_colon(place: _Stop) -> _Explanation:
    if ": " in place.before:
        return _Explanation("a second `: ` on this line", "put the text that contains it in quotes")
    remedy = "end that line with `:`, or write it as `key: value` with a space after the colon"
    return _Explanation("this key is under a line that is not a key", remedy)


def _explain_misaligned(place: _Stop) -> _Explanation:
    if place.before.strip():
        return _Explanation(
            "unexpected text after the value", "put the whole value in quotes, or remove the rest"
        )
    return _Explanation(
        "this line fits neither the keys nor the list above it", "align it with the lines that it belongs to"
    )


def _explain_character(place: _Stop) -> _Explanation:
    if place.character == "\t":
        return _explain_tab(place)
    return _Explanation(f"`{place.character}` cannot begin a value", "put the value in quotes")


def _explain_no_value(place: _Stop) -> _Explanation:
    if not place.character:
        return _Explanation("the file ends where a value should be", "close the open brackets")
    return _Explanation(
        f"`{place.character}` where a value should be", "remove it, or put the value in quotes"
    )


def _explain_tab(_: _Stop) -> _Explanation:
    return _Explanation("a tab in the indentation", "indent with spaces")


def _explain_escape(_: _Stop) -> _Explanation:
    return _Explanation("unknown escape sequence", r"write `\\` for a backslash, or use single quotes")


def _explain_missing_colon(_: _Stop) -> _Explanation:
    return _Explanation(
        "a line without `: `", "write `key: value`, with a space after the colon", at_start=True
    )


def _explain_unclosed_quote(_: _Stop) -> _Explanation:
    return _Explanation("the quote is not closed", "close it", at_start=True)


_EXPLANATIONS: Mapping[str, Callable[[_Stop], _Explanation]] = {
    "could not find expected ':'": _explain_missing_colon,
    "did not find expected ',' or ']'": _explain_unclosed("[", "]"),
    "did not find expected ',' or '}'": _explain_unclosed("{", "}"),
    "did not find expected '-' indicator": _explain_misaligned,
    "did not find expected hexdecimal number": _explain_escape,
    "did not find expected key": _explain_misaligned,
    "did not find expected node content": _explain_no_value,
    "found a tab character that violates indentation": _explain_tab,
    "found character that cannot start any token": _explain_character,
    "found unexpected end of stream": _explain_unclosed_quote,
    "found unknown escape character": _explain_escape,
    "mapping values are not allowed in this context": _explain_colon,
}
"""Explanations by libyaml's message. Other messages are rare and are shown as they are."""


def syntax_problem(error: yaml.MarkedYAMLError, text: str, end: Position) -> Problem:
    """Return the problem of a file that is not valid YAML.

    Args:
        error: libyaml's error.
        text: The file's text.
        end: The position of its end. libyaml reports it one line too far if the file does not end with a line
            break.
    """
    mark = error.problem_mark or error.context_mark
    explain = _EXPLANATIONS.get(str(error.problem))
    if mark is None or explain is None:
        message = f"not valid YAML: {error.problem}"
        return Problem(_position(mark, end), message, "check indentation, colons and quotes")
    explanation = explain(_stop_at(mark, text))
    start = error.context_mark if explanation.at_start else None
    return Problem(_position(start or mark, end), explanation.message, explanation.remedy)


def _stop_at(mark: Mark, text: str) -> _Stop:
    before = text[: mark.index].rpartition("\n")[2]
    return _Stop(before, text[mark.index : mark.index + 1], f"line {mark.line + 1}, column {mark.column + 1}")


def _position(mark: Mark, end: Position) -> Position:
    return min(Position(end.file, mark.line + 1, mark.column + 1), end) if mark else end
