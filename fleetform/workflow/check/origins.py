"""Where the catalog says what became a value of a generated file."""

import pickle
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleetform.base import gc
from fleetform.base.cache import digest
from fleetform.base.errors import Position
from fleetform.hcl.eval.library import Library, is_generated
from fleetform.hcl.places import names_at
from fleetform.policy.finding import Finding
from fleetform.validation.loading import read_environment
from fleetform.workflow import environments
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.catalog.nodes import Node

Keys = tuple[str | int, ...]

_FILE_OF_SERVICE = re.compile(r"service_(?P<service>.+)\.tf")
_CALL = re.compile(r"(?P<caller>[a-z0-9-]+)->(?P<callee>[a-z0-9-]+):\d+(?:/\w+)?")


def with_origins(findings: Iterable[Finding], project: Project, name: str, library: Library) -> list[Finding]:
    """Findings with the places in the catalog that they come from, as far as they come from one.

    Args:
        findings: The findings.
        project: The checkout.
        name: The environment's name.
        library: The files of the findings.
    """
    found = list(findings)
    catalog_key = environments.key(project, name)
    keys = {
        finding.place: _key(finding.place, catalog_key, library) for finding in found if _is_rendered(finding, library)
    }
    known = project.store.get_many(keys.values())
    if missing := {place: key for place, key in keys.items() if key not in known}:
        tree = _tree(project.root, name)
        made = {key: pickle.dumps(_origin(place, tree, library)) for place, key in missing.items()}
        project.store.put_many(made)
        known |= made
    origins = {place: pickle.loads(known[key]) for place, key in keys.items()}  # noqa: S301 - our own work folder, trusted as the code is
    return [replace(finding, origin=origins.get(finding.place)) for finding in found]


def _key(place: Position, catalog_key: bytes, library: Library) -> bytes:
    return digest(b"origin", catalog_key, str(place).encode(), library.digest(place.file))


def _tree(root: Path, name: str) -> "Node":
    with gc.paused():
        return read_environment(root, name).tree


def _is_rendered(finding: Finding, library: Library) -> bool:
    """Whether it is in a file that is made of the catalog."""
    file = finding.place.file
    return file in library.paths(file.parent) and is_generated(library.content(file))


def _origin(place: Position, tree: "Node", library: Library) -> Position | None:
    names = names_at(library.file(place.file), place.line, place.column)
    service = _FILE_OF_SERVICE.fullmatch(place.file.name)
    candidates = (
        _of_service(service["service"], names[2:]) if service else _of_environment(names, place.file.stem, tree)
    )
    return next((position for keys in candidates if (position := _place(tree, keys))), None)


def _of_service(service: str, names: tuple[str, ...]) -> Iterator[Keys]:
    """The keys of a service that its module's arguments come from, the nearest first."""
    if names[:1] == ("containers",):
        own = names[1:2] == (service,)
        names = names[2:] if own else ("sidecars", *names[1:])
    for length in range(len(names), -1, -1):
        yield ("services", service, *names[:length])


def _of_environment(names: tuple[str, ...], file: str, tree: "Node") -> Iterator[Keys]:
    """The keys that the foundation's arguments come from: a call, a key of the same name, or that of the file."""
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
        named = call.at(("service",)) or call
        if str(named.value).partition(":")[0] == callee:
            yield ("services", caller, "calls", index)
    yield ("services", callee, "public")
    yield ("services", caller)


def _place(tree: "Node", keys: Keys) -> Position | None:
    node = tree.at(keys)
    return (node.key_position or node.position) if node and keys else None
