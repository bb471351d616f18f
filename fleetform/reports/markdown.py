"""Diagnostics as Markdown for a pull request comment: a table, with folded details of each rule."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from fleetform.base.errors import printable
from fleetform.base.program_name import command
from fleetform.reports.diagnostic import Remark, by_severity, counted
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


def markdown(remarks: Sequence[Remark]) -> str:
    """Return a comment; what exceeds GitHub's limit is only counted."""
    if not remarks:
        return f"{MARK}\n### No findings\n"
    ordered = by_severity(remarks)
    head = f"{MARK}\n### {counted(ordered)[:1].upper()}{counted(ordered)[1:]}\n\n"
    head += "| severity | rule | location | finding |\n| --- | --- | --- | --- |\n"
    rows = fitting((_row(remark) for remark in ordered), _ROOM_OF_TABLE - len(head))
    table = head + "".join(rows) + _omitted(len(ordered) - len(rows), "{} more are omitted")
    details = list(_details(ordered))
    shown = fitting(details, LIMIT - len(table) - _ROOM_OF_ENDING)
    return table + "".join(shown) + _omitted(len(details) - len(shown), "The details of {} are omitted")


def fitting(parts: Iterable[str], room: int) -> list[str]:
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


def _row(remark: Remark) -> str:
    kind = remark.severity or str(remark.level)
    link = remark.topic.link if remark.topic else ""
    rule = f"[{prose(remark.rule)}]({link})" if link.startswith("https://") else prose(remark.rule)
    what = "<br>".join(prose(part) for part in (remark.message, remark.remedy) if part)
    about = f"{code(remark.address)}<br>" if remark.address else ""
    return f"| {kind} | {rule} | {code(remark.place)} | {about}{what} |\n"


def _details(ordered: Sequence[Remark]) -> Iterator[str]:
    for rule, group in groupby(ordered, key=lambda remark: remark.rule):
        remarks = list(group)
        topic = remarks[0].topic
        title = f": {prose(topic.title.removesuffix('.'))}" if topic else ""
        blocks = text(remarks, color=False)
        yield folded(f"{prose(rule)}{title} ({len(remarks)})", blocks)


def folded(summary: str, lines: str) -> str:
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
