"""Problems of the input and findings of the policy as diagnostics.

With their source lines and where to read on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from fleetform.base.errors import Position, Problem
from fleetform.catalog.files import EXTRA_NAME, LOCK_NAME, NETWORK_LOCK_NAME
from fleetform.catalog.keys_by_indentation import KeyPath, find_key_paths
from fleetform.catalog.reference import anchor
from fleetform.reports import Diagnostic, Level, Note, RuleText

if TYPE_CHECKING:
    from fleetform.policy.finding import Finding
    from fleetform.policy.rule import Rule

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # those of YAML 1.1, which libyaml counts


def of_problems(root: Path, problems: Sequence[Problem], level: Level = Level.ERROR) -> list[Diagnostic]:
    """The problems of a catalog, in their order, with what their files hold now."""
    places = {problem.position for problem in problems}
    lines: dict[PurePath, list[str]] = {}
    paths: dict[Position, KeyPath] = {}
    for file in {place.file for place in places}:
        if (text := _read(root / file)) is not None:
            lines[file] = _LINE_BREAK.split(text)
            if file.suffix != ".yaml":
                continue
            paths |= find_key_paths(lines[file], [place for place in places if place.file == file])
    return [
        replace(_diagnostic(problem, paths.get(problem.position, ()), lines), level=level)
        for problem in problems
    ]


def of_findings(root: Path, findings: "Sequence[Finding]", rules: "Mapping[str, Rule]") -> list[Diagnostic]:
    """The findings of a policy, in their order, with what is said of their rules."""
    lines = _Lines(root)
    topics = {name: RuleText(rule.title, rule.why, rule.link, rule.good) for name, rule in rules.items()}
    return [_found(finding, topics.get(finding.rule), lines) for finding in findings]


class _Lines(dict[PurePath, "list[str]"]):
    """The lines of the files of a project, each read when it is first asked for; none of what is no text."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __missing__(self, file: PurePath) -> list[str]:
        text = _read(self._root / file)
        self[file] = [] if text is None else text.split("\n")
        return self[file]

    def at(self, place: Position | None) -> str | None:
        """A line; None if there is no such line."""
        lines = self[place.file] if place else []
        return lines[place.line - 1].removesuffix("\r") if place and place.line <= len(lines) else None


def _found(finding: "Finding", topic: RuleText | None, lines: _Lines) -> Diagnostic:
    notes = (("in module", finding.cause), ("from the catalog", finding.origin))
    return Diagnostic(
        *finding.place,
        rule=finding.rule,
        message=finding.message,
        remedy=finding.remedy,
        level=Level.WARNING if finding.severity == "low" else Level.ERROR,
        source=lines.at(finding.place),
        severity=finding.severity,
        address=finding.address,
        stack=finding.stack,
        notes=tuple(Note(what, place, lines.at(place)) for what, place in notes if place),
        topic=topic,
    )


def _read(path: Path) -> str | None:
    """A file's text; None if there is none to show."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _source(lines: dict[PurePath, list[str]], file: PurePath, line: int) -> str | None:
    """A line of a file; a place behind the last line is shown as an empty one."""
    if file not in lines:
        return None
    return lines[file][line - 1] if line <= len(lines[file]) else ""


def _diagnostic(problem: Problem, path: KeyPath, lines: dict[PurePath, list[str]]) -> Diagnostic:
    place = problem.position
    rule, documentation = _topic(place.file, path)
    return Diagnostic(
        place.file,
        place.line,
        place.column,
        rule,
        problem.message,
        problem.remedy,
        documentation,
        source=_source(lines, place.file, place.line),
    )


def _topic(file: PurePath, path: KeyPath) -> tuple[str, str]:
    """The id of what a problem is about, such as `services-cpu`, and where that is documented."""
    if file.name == LOCK_NAME:
        return "images-lock", "docs/images.md#the-lock"
    if file.name == NETWORK_LOCK_NAME:
        return "network-lock", "docs/catalog.md#zones"
    if EXTRA_NAME in file.parts:
        return "extra", "docs/extra.md"

    key = anchor(path)
    return (key, f"docs/catalog.md#{key}") if key else ("catalog", "docs/catalog.md")
