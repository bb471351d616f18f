"""Diagnostics for people: each with its source line and a mark under the position."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from rich.cells import cell_len

from fleetform.base.errors import printable
from fleetform.reports.diagnostic import Diagnostic, Level, sort_by_severity

_TAB = 4
# Characters that are shown of a longer source line, and how many of them before the position.
_WIDTH = 110
_BEFORE = 60
# The text that carets underline: a quoted string, or a word in YAML or HCL.
_TOKEN = re.compile(
    r""""(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s,\[\]{}]+(?<!:)(?: +[^\s,\[\]{}#][^\s,\[\]{}]*)*|."""
)
_STYLES = {
    "place": "\033[1m",
    "error": "\033[1;31m",
    "warning": "\033[1;33m",
    "gutter": "\033[34m",
    "off": "\033[0m",
}

_Paint: TypeAlias = Callable[[str, str], str]


def text(diagnostics: Sequence[Diagnostic], *, color: bool) -> str:
    """Return a report for people: the worst findings first, by rule, with its reason at the first."""

    def paint(style: str, words: str) -> str:
        return f"{_STYLES[style]}{words}{_STYLES['off']}" if color else words

    ordered = sort_by_severity(diagnostics)
    firsts = {diagnostic.rule: diagnostic for diagnostic in reversed(ordered)}
    return "\n".join(
        _block(diagnostic, paint, is_first=firsts[diagnostic.rule] is diagnostic) for diagnostic in ordered
    )


def _block(diagnostic: Diagnostic, paint: _Paint, *, is_first: bool) -> str:
    head = f"{paint('place', printable(f'{diagnostic.place}:'))} {_kind(diagnostic, paint)}"
    if diagnostic.source is None:
        return f"{head}{diagnostic.sentence}\n"
    number = f"{diagnostic.line:>4}"
    bar, end = (f"{' ' * len(number)} {paint('gutter', sign)} " for sign in "|=")
    line, indent, width = _excerpt(diagnostic.source, diagnostic.column)
    rows = [head + diagnostic.subject, f"{paint('gutter', f'{number} |')} {line}".rstrip()]
    if diagnostic.column:
        rows.append(f"{bar}{' ' * indent}{paint(diagnostic.level, '^' * width)}")
    rows += [end + printable(row) for row in _details(diagnostic, is_first=is_first) if row]
    return "\n".join(rows) + "\n"


def _kind(diagnostic: Diagnostic, paint: _Paint) -> str:
    """Return the severity and rule of a finding, or the level of a warning."""
    if diagnostic.severity:
        return f"{paint(diagnostic.level, f'{diagnostic.severity}:')} {diagnostic.rule} "
    return paint("warning", "warning: ") if diagnostic.level == Level.WARNING else ""


def _details(diagnostic: Diagnostic, *, is_first: bool) -> Iterator[str]:
    yield diagnostic.remedy
    for note in diagnostic.notes:
        yield f"{note.what}: {note.place}" + (
            f": {_excerpt(note.source.strip(), None)[0]}" if note.source else ""
        )
    if diagnostic.topic and is_first:
        yield diagnostic.topic.why
        yield diagnostic.topic.link
    yield diagnostic.documentation


def _excerpt(source: str, column: int | None) -> tuple[str, int, int]:
    """Return the visible part of a source line, and indent and number of its marks, in columns."""
    at = (column or 1) - 1
    token = _TOKEN.match(source, at, at + _WIDTH)
    end = token.end() if token else at
    start = max(0, at - _BEFORE) if len(source) > _WIDTH else 0
    stop = min(len(source), start + _WIDTH)
    left, right = "…" * (start > 0), "…" * (stop < len(source))
    before, through, whole = (_visible(left + source[start : min(until, stop)]) for until in (at, end, stop))
    indent = cell_len(before)
    return whole + right, indent, max(1, cell_len(through) - indent)


def _visible(source: str) -> str:
    """Return a source line without cursor movements; a prefix of it becomes a prefix of the result."""
    return printable(source.expandtabs(_TAB))
