"""Problems of the input and findings of the policy as remarks: with their source lines and where to read on."""

import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from fleetform.catalog.images_lock import LOCK_NAME
from fleetform.catalog.models import Environment, Service
from fleetform.catalog.nodes import Node, parse
from fleetform.errors import Position, Problem
from fleetform.reports import Remark

if TYPE_CHECKING:
    from fleetform.policy.findings import Finding

KeyPath: TypeAlias = tuple[str, ...]

# How deep the keys of services are.
_SERVICE_DEPTHS = {"services": 2, "templates": 2, "defaults": 1}
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # those of YAML 1.1, which libyaml counts


def of_problems(root: Path, problems: Sequence[Problem]) -> list[Remark]:
    """The problems of a catalog, in their order, with what their files hold now."""
    files = {problem.position.file for problem in problems}
    texts = {file: _read(root / file) for file in files}
    paths: dict[Position, KeyPath] = {}
    for file, text in texts.items():
        paths |= dict(_paths(parse(text, file)[0])) if text is not None else {}
    lines = {file: _LINE_BREAK.split(text) for file, text in texts.items() if text is not None}
    return [_remark(problem, paths.get(problem.position, ()), lines) for problem in problems]


def of_findings(root: Path, findings: "Sequence[Finding]") -> list[Remark]:
    """The findings of a policy, in their order."""
    lines = {}
    for file in {finding.file for finding in findings}:
        if (text := _read(root / file)) is not None:
            lines[file] = text.split("\n")
    return [
        Remark(
            finding.file,
            finding.line,
            column=None,
            rule=finding.rule,
            message=f"{finding.rule} {finding.address}: {finding.message}",
            source=_source(lines, finding.file, finding.line),
        )
        for finding in findings
    ]


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


def _remark(problem: Problem, path: KeyPath, lines: dict[PurePath, list[str]]) -> Remark:
    place = problem.position
    rule, documentation = _topic(place.file, path)
    return Remark(
        place.file,
        place.line,
        place.column,
        rule,
        problem.message,
        problem.remedy,
        documentation,
        source=_source(lines, place.file, place.line),
    )


def _paths(root: Node) -> Iterator[tuple[Position, KeyPath]]:
    """Where each key and value is written; of those at one place the innermost comes last, but for the root."""
    yield from _paths_below(root, ())
    yield root.position, ()


def _paths_below(node: Node, path: KeyPath) -> Iterator[tuple[Position, KeyPath]]:
    for key, child in node.value.items() if isinstance(node.value, dict) else ():
        if child.key_position:
            yield child.key_position, (*path, key)
        yield child.position, (*path, key)
        yield from _paths_below(child, (*path, key))
    for item in node.value if isinstance(node.value, list) else ():
        yield item.position, path
        yield from _paths_below(item, path)


def _topic(file: PurePath, path: KeyPath) -> tuple[str, str]:
    """The id of what a problem is about, such as `service.cpu`, and where that is documented."""
    if file.name == LOCK_NAME:
        return "images.lock", "docs/images.md#the-lock"
    for name, depth in _SERVICE_DEPTHS.items():
        if path[:1] == (name,):
            return _documented("service", Service.model_fields, path[depth:])
    return _documented("environment", Environment.model_fields, path)


def _documented(section: str, keys: Container[str], path: KeyPath) -> tuple[str, str]:
    known = path and path[0] in keys
    return f"{section}.{path[0]}" if known else section, f"docs/catalog.md#{section}"
