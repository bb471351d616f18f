"""The origins of findings: the places in the catalog from which values in generated files come."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleetform.base import gc
from fleetform.base.cache import Kind
from fleetform.base.errors import Position
from fleetform.base.serialization import JsonCodec
from fleetform.hcl.eval.library import Library, is_generated
from fleetform.hcl.places import names_at
from fleetform.policy.finding import Finding
from fleetform.validation.loading import read_environment
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.catalog.nodes import Node

Keys = tuple[str | int, ...]

_FILE_OF_SERVICE = re.compile(r"service_(?P<service>.+)\.tf")
_CALL = re.compile(r"(?P<caller>[a-z0-9-]+)->(?P<callee>[a-z0-9-]+):\d+(?:/\w+)?")


_ORIGIN: Kind[Position | None] = Kind("origin", JsonCodec(Position | None))


def add_origins(findings: Iterable[Finding], project: Project, name: str, library: Library) -> list[Finding]:
    """Return findings with their origins in the catalog, if they have one.

    Args:
        findings: The findings.
        project: The checkout.
        name: The environment's name.
        library: The files of the findings.
    """
    findings = list(findings)
    catalog = project.environment_parts(name)
    places = {finding.place for finding in findings if _is_rendered(finding, library)}
    parts = {place: (*catalog, str(place).encode(), library.digest(place.file)) for place in places}

    def find(missing: Iterable[Position]) -> dict[Position, Position | None]:
        tree = _tree(project.root, name)
        return {place: _origin(place, tree, library) for place in missing}

    origins = project.cache.memo_many(_ORIGIN, parts, find)
    return [replace(finding, origin=origins.get(finding.place)) for finding in findings]


def _tree(root: Path, name: str) -> "Node":
    with gc.paused():
        return read_environment(root, name).tree


def _is_rendered(finding: Finding, library: Library) -> bool:
    """Return whether a finding is in a file that is generated from the catalog."""
    file = finding.place.file
    return file in library.paths(file.parent) and is_generated(library.content(file))


def _origin(place: Position, tree: "Node", library: Library) -> Position | None:
    names = names_at(library.file(place.file), place.line, place.column)
    service = _FILE_OF_SERVICE.fullmatch(place.file.name)
    candidates = (
        _of_service(service["service"], names[2:])
        if service
        else _of_environment(names, place.file.stem, tree)
    )
    return next((position for keys in candidates if (position := _place(tree, keys))), None)


def _of_service(service: str, names: tuple[str, ...]) -> Iterator[Keys]:
    """Yield the keys of a service that its module's arguments come from, the nearest first."""
    if names[:1] == ("containers",):
        is_main = names[1:2] == (service,)
        names = names[2:] if is_main else ("sidecars", *names[1:])
    for length in range(len(names), -1, -1):
        yield ("services", service, *names[:length])


def _of_environment(names: tuple[str, ...], file: str, tree: "Node") -> Iterator[Keys]:
    """Yield the keys that the foundation's arguments come from.

    A call, a key of the same name, or that of the file.
    """
    for name in names:
        if call := _CALL.fullmatch(name):
            yield from _of_call(call["caller"], call["callee"], tree)
    for index in range(len(names) - 1, -1, -1):
        yield from ((key, *names[index:]) for key in ("network", "ingress"))
        yield names[index:]
    yield (file,)


def _of_call(caller: str, callee: str, tree: "Node") -> Iterator[Keys]:
    calls = tree.at(("services", caller, "calls"))
    for index, call in enumerate(calls.value if calls and isinstance(calls.value, list) else ()):
        name = call.at(("service",)) or call
        if str(name.value).partition(":")[0] == callee:
            yield ("services", caller, "calls", index)
    yield ("services", callee, "public")
    yield ("services", caller)


def _place(tree: "Node", keys: Keys) -> Position | None:
    node = tree.at(keys)
    return (node.key_position or node.position) if node and keys else None
