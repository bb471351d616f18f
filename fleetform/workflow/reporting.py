"""Problems of the input and findings of the policy as remarks: with their source lines and where to read on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from fleetform.catalog.images_lock import LOCK_NAME
from fleetform.catalog.models import Environment
from fleetform.catalog.places import KeyPath, keys_at
from fleetform.errors import Position, Problem
from fleetform.reports import Level, Remark

if TYPE_CHECKING:
    from fleetform.policy.findings import Finding

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # those of YAML 1.1, which libyaml counts


def of_problems(root: Path, problems: Sequence[Problem], level: Level = Level.ERROR) -> list[Remark]:
    """The problems of a catalog, in their order, with what their files hold now."""
    places = {problem.position for problem in problems}
    lines: dict[PurePath, list[str]] = {}
    paths: dict[Position, KeyPath] = {}
    for file in {place.file for place in places}:
        if (text := _read(root / file)) is not None:
            lines[file] = _LINE_BREAK.split(text)
            paths |= keys_at(lines[file], [place for place in places if place.file == file])
    return [replace(_remark(problem, paths.get(problem.position, ()), lines), level=level) for problem in problems]


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


def _topic(file: PurePath, path: KeyPath) -> tuple[str, str]:
    """The id of what a problem is about, such as `services-cpu`, and where that is documented."""
    if file.name == LOCK_NAME:
        return "images-lock", "docs/images.md#the-lock"
    key = _anchor(path)
    return (key, f"docs/catalog.md#{key}") if key else ("catalog", "docs/catalog.md")


def _anchor(path: KeyPath) -> str:
    """What a link to a key's row in the reference ends in; empty for no key of the catalog."""
    model: type[BaseModel] | None = Environment
    keys: list[str] = []
    named = False
    for step in path:
        if named or model is None or step not in model.model_fields or (model, step) == (Environment, "name"):
            named = False  # a name that is given freely, an index, or a mistake
            continue
        kind = model.model_fields[str(step)].annotation
        keys.append(str(step))
        model, named = _model(kind), _is_mapping(kind)
    return "-".join(keys)


def _model(kind: Any) -> type[BaseModel] | None:  # noqa: ANN401 - type expressions have no common type
    """The model that a type is or holds."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next(filter(None, map(_model, get_args(kind))), None)


def _is_mapping(kind: Any) -> bool:  # noqa: ANN401 - type expressions have no common type
    """Whether a type is, or may be, a mapping by names that are given freely."""
    return get_origin(kind) is Mapping or any(map(_is_mapping, get_args(kind)))
