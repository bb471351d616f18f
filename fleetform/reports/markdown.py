"""Diagnostics as Markdown for a pull request comment: a table, with folded details of each rule."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from fleetform.base.errors import printable
from fleetform.base.program_name import command
from fleetform.reports.diagnostic import Diagnostic, sort_by_severity, summarize
from fleetform.reports.text import text

LIMIT = 65_536
"""The maximum number of characters of a comment on GitHub."""
MARK = "<!-- fleetform -->"
"""Begins the comment, so that a pipeline finds its earlier one."""

_ROOM_OF_TABLE = LIMIT // 2
_ROOM_OF_ENDING = 200
_PLAIN = re.compile(r"[^\w ./,;=()'\"-]|_")
_CODE = re.compile("`([^`]*)`")
_FENCE = re.compile("`+")


def markdown(diagnostics: Sequence[Diagnostic]) -> str:
    """Return a comment; what exceeds GitHub's limit is only counted."""
    if not diagnostics:
        return f"{MARK}\n### No findings\n"
    ordered = sort_by_severity(diagnostics)
    head = f"{MARK}\n### {summarize(ordered)[:1].upper()}{summarize(ordered)[1:]}\n\n"
    head += "| severity | rule | location | finding |\n| --- | --- | --- | --- |\n"
    rows = take_fitting((_row(diagnostic) for diagnostic in ordered), _ROOM_OF_TABLE - len(head))
    table = head + "".join(rows) + _omitted(len(ordered) - len(rows), "{} more are omitted")
    details = list(_details(ordered))
    fitted_details = take_fitting(details, LIMIT - len(table) - _ROOM_OF_ENDING)
    return (
        table
        + "".join(fitted_details)
        + _omitted(len(details) - len(fitted_details), "The details of {} are omitted")
    )


def take_fitting(parts: Iterable[str], room: int) -> list[str]:
    """Return as many parts from the beginning as fit."""
    fitted = []
    for part in parts:
        room -= len(part)
        if room < 0:
            break
        fitted.append(part)
    return fitted


def _omitted(count: int, what: str) -> str:
    return f"\n*{what.format(count)}: `{command('check')}` lists all.*\n" if count else ""


def _row(diagnostic: Diagnostic) -> str:
    kind = diagnostic.severity or str(diagnostic.level)
    link = diagnostic.topic.link if diagnostic.topic else ""
    rule = f"[{prose(diagnostic.rule)}]({link})" if link.startswith("https://") else prose(diagnostic.rule)
    what = "<br>".join(prose(part) for part in (diagnostic.message, diagnostic.remedy) if part)
    about = f"{code(diagnostic.address)}<br>" if diagnostic.address else ""
    return f"| {kind} | {rule} | {code(diagnostic.place)} | {about}{what} |\n"


def _details(ordered: Sequence[Diagnostic]) -> Iterator[str]:
    for rule, group in groupby(ordered, key=lambda diagnostic: diagnostic.rule):
        diagnostics = list(group)
        topic = diagnostics[0].topic
        title = f": {prose(topic.title.removesuffix('.'))}" if topic else ""
        blocks = text(diagnostics, color=False)
        yield fold(f"{prose(rule)}{title} ({len(diagnostics)})", blocks)


def fold(summary: str, lines: str) -> str:
    """Return lines as a code block that their content cannot close, folded below a summary in Markdown."""
    fence = "`" * max(3, 1 + max(map(len, _FENCE.findall(lines)), default=0))
    return f"\n<details><summary>{summary}</summary>\n\n{fence}text\n{lines}{fence}\n\n</details>\n"


def prose(words: str) -> str:
    """Return text that Markdown, HTML and GitHub leave as it is; words in code quotes stay code."""
    parts = _CODE.split(printable(words))
    return "".join(code(part) if index % 2 else _literal(part) for index, part in enumerate(parts))


def code(words: str) -> str:
    """Return code that its content cannot close; GitHub makes no links or mentions in it."""
    return f"<code>{_literal(printable(words))}</code>" if words else ""


def _literal(words: str) -> str:
    """Return each special character as its number; GitHub still finds mentions and issues behind that."""
    numbered = _PLAIN.sub(lambda sign: f"&#{ord(sign[0])};", words)
    return numbered.replace("&#64;", "&#64;<!-- -->").replace("&#35;", "&#35;<!-- -->")
