"""How problems and findings are told: to a person, as JSON, to GitHub, as SARIF. Pure functions to text."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from rich.cells import cell_len

from fleetform.errors import printable

_TAB = 4
# Of a longer source line, so many characters are shown, and so many of them before the place.
_WIDTH = 110
_BEFORE = 60
# What the caret underlines: a quoted text, or a word as YAML and HCL have them.
_TOKEN = re.compile(r""""(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s,\[\]{}]+(?<!:)(?: +[^\s,\[\]{}#][^\s,\[\]{}]*)*|.""")
_STYLES = {"place": "\033[1m", "error": "\033[1;31m", "warning": "\033[1;33m", "gutter": "\033[34m", "off": "\033[0m"}


class Level(StrEnum):
    """How bad it is: in GitHub's words, which are SARIF's too."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Remark:
    """Something to mend: a problem of the input or a finding of the policy.

    Attributes:
        file: From the project's root.
        line: 1-based.
        column: 1-based, in characters; None for the whole line.
        rule: Id of what is not kept to, such as `services-cpu` or `FF001`.
        message: What is wrong.
        remedy: How to mend it, empty if the message says so itself.
        documentation: Where to read on, from the project's root; empty for nowhere.
        level: How bad it is.
        source: The line as it is in the file; None if it cannot be shown.
    """

    file: PurePath
    line: int
    column: int | None
    rule: str
    message: str
    remedy: str = ""
    documentation: str = ""
    level: Level = Level.ERROR
    source: str | None = None

    @property
    def place(self) -> str:
        """``file:line:column``, as editors and terminals make clickable."""
        return f"{self.file.as_posix()}:{self.line}" + (f":{self.column}" if self.column else "")

    @property
    def sentence(self) -> str:
        """Message and remedy on one line."""
        return printable("; ".join(filter(None, (self.message, self.remedy))))


def counted(remarks: Sequence[Remark]) -> str:
    """Such as `2 problems`."""
    return f"{len(remarks)} {'problem' if len(remarks) == 1 else 'problems'}"


def text(remarks: Sequence[Remark], *, color: bool) -> str:
    """For a person: each with its source line and a mark under the place."""

    def paint(style: str, shown: str) -> str:
        return f"{_STYLES[style]}{shown}{_STYLES['off']}" if color else shown

    return "\n".join(_block(remark, paint) for remark in remarks)


def _block(remark: Remark, paint: Callable[[str, str], str]) -> str:
    warning = paint("warning", "warning: ") if remark.level == Level.WARNING else ""
    head = paint("place", printable(f"{remark.place}:")) + f" {warning}"
    if remark.source is None:
        return f"{head}{remark.sentence}\n"
    number = f"{remark.line:>4}"
    bar, end = (f"{' ' * len(number)} {paint('gutter', sign)} " for sign in "|=")
    line, indent, width = _excerpt(remark.source, remark.column)
    rows = [head + printable(remark.message), f"{paint('gutter', f'{number} |')} {line}".rstrip()]
    if remark.column:
        rows.append(f"{bar}{' ' * indent}{paint(remark.level, '^' * width)}")
    rows += [end + printable(row) for row in (remark.remedy, remark.documentation) if row]
    return "\n".join(rows) + "\n"


def _excerpt(source: str, column: int | None) -> tuple[str, int, int]:
    """What is shown of a source line, how far the marks are indented, and how many they are, in terminal columns."""
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
    """A source line without anything that moves a terminal's cursor; what a beginning becomes begins the whole."""
    return printable(source.expandtabs(_TAB))


def as_json(remarks: Sequence[Remark]) -> str:
    """For scripts."""
    problems = [{**asdict(remark), "file": remark.file.as_posix()} for remark in remarks]
    for problem in problems:
        del problem["source"]  # whoever has the file has its lines, which may be long
    return json.dumps({"problems": problems}, indent=2) + "\n"


def github(remarks: Sequence[Remark]) -> str:
    """GitHub's workflow commands, which put each at its line of a pull request."""
    return "".join(map(_command, remarks))


def _command(remark: Remark) -> str:
    """https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message."""
    properties = {"file": remark.file.as_posix(), "line": remark.line, "col": remark.column, "title": remark.rule}
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    return f"::{remark.level} {given}::{_data(remark.sentence)}\n"


def _data(value: str) -> str:
    """What may stand behind a command: `escapeData` of GitHub's toolkit."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    """What may stand as a command's property: `escapeProperty` of GitHub's toolkit."""
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def sarif(remarks: Sequence[Remark]) -> str:
    """SARIF 2.1.0, which code scanning services read."""
    documentation = {remark.rule: remark.documentation for remark in remarks}
    rules = sorted(documentation)
    driver = {"name": "Fleetform", "rules": [_rule(rule, documentation[rule]) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(remark, rules.index(remark.rule)) for remark in remarks],
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: str, documentation: str) -> dict[str, Any]:
    return {"id": rule, **({"help": {"text": documentation}} if documentation else {})}


def _result(remark: Remark, index: int) -> dict[str, Any]:
    region = {"startLine": remark.line, **({"startColumn": remark.column} if remark.column else {})}
    location = {"artifactLocation": {"uri": quote(remark.file.as_posix())}, "region": region}
    return {
        "ruleId": remark.rule,
        "ruleIndex": index,
        "level": str(remark.level),
        "message": {"text": remark.sentence},
        "locations": [{"physicalLocation": location}],
    }


FORMATS: Mapping[str, Callable[[Sequence[Remark]], str]] = {"json": as_json, "github": github, "sarif": sarif}
"""What programs read; a person reads `text`."""
