"""Diagnostics for people: each with its source line and a mark under the position."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from rich.cells import cell_len

from fleetform.base.errors import printable
from fleetform.reports.diagnostic import Level, Remark, by_severity

_TAB = 4
# Characters that are shown of a longer source line, and how many of them before the position.
_WIDTH = 110
_BEFORE = 60
# The text that carets underline: a quoted string, or a word in YAML or HCL.
_TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s,\[\]{}]+(?<!:)(?: +[^\s,\[\]{}#][^\s,\[\]{}]*)*|.""")
_STYLES = {"place": "\033[1m", "error": "\033[1;31m", "warning": "\033[1;33m", "gutter": "\033[34m", "off": "\033[0m"}

_Paint: TypeAlias = Callable[[str, str], str]


def text(remarks: Sequence[Remark], *, color: bool) -> str:
    """Return a report for people: the worst findings first, by rule, with its reason at the first."""

    def paint(style: str, shown: str) -> str:
        return f"{_STYLES[style]}{shown}{_STYLES['off']}" if color else shown

    ordered = by_severity(remarks)
    firsts = {remark.rule: remark for remark in reversed(ordered)}
    return "\n".join(_block(remark, paint, is_first=firsts[remark.rule] is remark) for remark in ordered)


def _block(remark: Remark, paint: _Paint, *, is_first: bool) -> str:
    head = f"{paint('place', printable(f'{remark.place}:'))} {_kind(remark, paint)}"
    if remark.source is None:
        return f"{head}{remark.sentence}\n"
    number = f"{remark.line:>4}"
    bar, end = (f"{' ' * len(number)} {paint('gutter', sign)} " for sign in "|=")
    line, indent, width = _excerpt(remark.source, remark.column)
    rows = [head + remark.subject, f"{paint('gutter', f'{number} |')} {line}".rstrip()]
    if remark.column:
        rows.append(f"{bar}{' ' * indent}{paint(remark.level, '^' * width)}")
    rows += [end + printable(row) for row in _details(remark, is_first=is_first) if row]
    return "\n".join(rows) + "\n"


def _kind(remark: Remark, paint: _Paint) -> str:
    """Return the severity and rule of a finding, or the level of a warning."""
    if remark.severity:
        return f"{paint(remark.level, f'{remark.severity}:')} {remark.rule} "
    return paint("warning", "warning: ") if remark.level == Level.WARNING else ""


def _details(remark: Remark, *, is_first: bool) -> Iterator[str]:
    yield remark.remedy
    for note in remark.notes:
        yield f"{note.what}: {note.place}" + (f": {_excerpt(note.source.strip(), None)[0]}" if note.source else "")
    if remark.topic and is_first:
        yield remark.topic.why
        yield remark.topic.link
    yield remark.documentation


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
