"""What the catalog can say already and nothing renders yet.

It is refused by name, so that nothing is left out silently. A key leaves its table when its template, module and golden
file are there.
"""

from collections.abc import Iterator, Mapping

from fleetform.catalog.checks import label, locator
from fleetform.catalog.models import Entry, Environment, Service
from fleetform.catalog.nodes import Node
from fleetform.errors import Problem

_EACH = "*"

ENVIRONMENT: tuple[str, ...] = ()
"""Keys of an environment; `*` stands for any name or number."""

SERVICE = (
    "run_before",
    "service_connect.port",
)
"""Keys of a service."""


def unrendered_of_services(services: Mapping[str, Service], tree: Node) -> Iterator[Problem]:
    """What sound services have that is not rendered."""
    for name, service in services.items():
        yield from _problems(service, SERVICE, tree, ("services", name))


def unrendered_of_environment(environment: Environment, tree: Node) -> Iterator[Problem]:
    """What an environment has, besides its services, that is not rendered."""
    yield from _problems(environment, ENVIRONMENT, tree, ())


def _problems(entry: Entry, keys: tuple[str, ...], tree: Node, base: tuple[str, ...]) -> Iterator[Problem]:
    at = locator(tree, *base)
    given = [key.split(".") for key in keys if key.partition(".")[0] in entry.model_fields_set]
    for steps in given:
        for path in _given(entry, tuple(steps)):
            message = f"{label((*base, *path))} is not rendered yet"
            yield Problem(at(*path, key=True), message, "leave it out until it is")


def _given(value: object, keys: tuple[str, ...]) -> Iterator[tuple[str | int, ...]]:
    """The paths, among those that `keys` stands for, at which something else than the default is."""
    if not keys:
        yield ()
    elif isinstance(value, tuple) and keys[0] == _EACH:
        for index, item in enumerate(value):
            yield from ((index, *path) for path in _given(item, keys[1:]))
    elif isinstance(value, Entry) and keys[0] in value.model_fields_set:
        given = getattr(value, keys[0])
        if given != type(value).model_fields[keys[0]].default:
            yield from ((keys[0], *path) for path in _given(given, keys[1:]))
