"""Prints an environment as YAML, with the source of each value."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleetform.base.errors import Position
from fleetform.catalog.nodes import Plain, Scalar
from fleetform.cli.screen import Screen
from fleetform.workflow.catalog import provenance
from fleetform.workflow.catalog.provenance import DEFAULT, WRITTEN, Fact, OverriddenValue, Steps
from fleetform.workflow.project import Project

_WIDEST = 60  # columns of YAML; a longer line moves only its own source to the right
_LONGEST = 40  # characters of an overridden value
# Text that the catalog's reader takes as a string without quotes, in any position.
_BARE = re.compile(
    r"(?!(?:true|false|null|-?[0-9]+)$)(?:[A-Za-z0-9_/.$]|-+\w)(?:[\w /.@%+=$-]|:(?! |$))*(?<! )", re.ASCII
)
_STYLES = {WRITTEN: "cyan", DEFAULT: "dim"}
_FOLLOWS = "green"


@dataclass(frozen=True)
class Line:
    """A line of the explanation.

    Attributes:
        text: YAML.
        source: Where the value comes from; empty for a mapping or a list of other lines.
        overrode: The values that it overrode; empty if none.
        style: Style of the source.
    """

    text: str
    source: str = ""
    overrode: str = ""
    style: str = ""


def explain(project: Project, env: str, what: str, *, as_json: bool) -> None:
    """Print the selected part of an environment, or all of it. Raise errors of its catalog at the end."""
    explanation = provenance.explain(project.root, env)
    under, facts = provenance.select(explanation, what)
    if as_json:
        sys.stdout.write(json.dumps([plain(fact) for fact in facts], indent=2) + "\n")
    else:
        _show(list(lines(under, facts)))
    if explanation.error:
        raise explanation.error


def plain(fact: Fact) -> dict[str, object]:
    """Return a fact as JSON data."""
    return {
        "key": fact.label,
        "value": fact.value,
        "origin": fact.origin,
        **_place(fact.position),
        "overrode": [{"value": earlier.value, **_place(earlier.position)} for earlier in fact.overrode],
    }


def _place(position: Position | None) -> dict[str, object]:
    if position is None:
        return {"file": None, "line": None, "column": None}
    return {"file": position.file.as_posix(), "line": position.line, "column": position.column}


def _show(shown: Sequence[Line]) -> None:
    screen = Screen()
    text_width = max((len(line.text) for line in shown if len(line.text) <= _WIDEST), default=0)
    source_width = max((len(line.source) for line in shown), default=0)
    for line in shown:
        text, source = (line.text.ljust(text_width) + "  ", line.source) if line.source else (line.text, "")
        overrode = (source_width - len(source) + 2) * " " + line.overrode if line.overrode else ""
        screen.parts((text, ""), (source, line.style), (overrode, "yellow"))


def lines(under: str, facts: Sequence[Fact]) -> Iterator[Line]:
    """Yield the facts as lines of YAML.

    Args:
        under: The label of the key that contains them all; empty for the whole environment.
        facts: At least one. Empty defaults are shown only if there is nothing else.
    """
    shown = [fact for fact in facts if not fact.is_empty_default] or facts
    depth = next(
        steps for steps in range(len(facts[0].path) + 1) if provenance.label(facts[0].path[:steps]) == under
    )
    before: Steps = ()
    for fact in shown:
        path = (under, *fact.path[depth:]) if under else fact.path
        new = _shared_steps(before, path)
        for level in range(new, len(path) - 1):
            if isinstance(path[level], str):
                yield Line(f"{_indent(path[:level], new)}{_key(path, level, under)}:")
                new = level + 1
        yield _line(fact, f"{_indent(path[:-1], new)}{_last(path, under)}")
        before = path


def _shared_steps(one: Steps, other: Steps) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(one), len(other)))


def _indent(path: Steps, new: int) -> str:
    """Return the indentation of a key, with a dash for each list item that begins here."""
    return "".join(
        "- " if isinstance(step, int) and level >= new else "  " for level, step in enumerate(path)
    )


def _key(path: Steps, level: int, under: str) -> str:
    """Return a key as YAML; the first one may be a label of several keys."""
    return under if under and level == 0 else _text(path[level])


def _last(path: Steps, under: str) -> str:
    return "- " if isinstance(path[-1], int) else f"{_key(path, len(path) - 1, under)}: "


def _line(fact: Fact, before: str) -> Line:
    place = f"{fact.position.file}:{fact.position.line}" if fact.position else ""
    source = {WRITTEN: place, DEFAULT: DEFAULT}.get(fact.origin, f"{fact.origin} at {place}")
    overrode = f"over {', '.join(map(_earlier, fact.overrode))}" if fact.overrode else ""
    return Line(before + _value(fact.value), source, overrode, _STYLES.get(fact.origin, _FOLLOWS))


def _earlier(earlier: OverriddenValue) -> str:
    value = "a mapping" if isinstance(earlier.value, dict) else _value(earlier.value)
    shown = value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    return f"{shown} at {earlier.position.file}:{earlier.position.line}"


def _value(value: Plain) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return "{}" if isinstance(value, dict) else _text(value)


def _text(scalar: Scalar) -> str:
    """Return a scalar as YAML that the catalog's reader accepts, without control characters."""
    if scalar is None or isinstance(scalar, bool):
        return {None: "null", True: "true", False: "false"}[scalar]
    if isinstance(scalar, int) or _BARE.fullmatch(scalar):
        return str(scalar)
    return f'"{"".join(map(_character, scalar))}"'


def _character(character: str) -> str:
    if character in ('"', "\\"):
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
