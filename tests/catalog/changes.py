"""Environments that together have every key, with their values changed one at a time."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from fleetform.catalog.models import CatalogModel, Environment, Port
from fleetform.catalog.nodes import read_yaml
from fleetform.catalog.reference import key_paths
from fleetform.catalog.schema import definitions

_EVERYTHING = Path(__file__).parent / "everything.yaml"
_FOUND = {
    "image": "web:1",
    "port": 80,
    "public": True,
    "discovery": {"record_type": "SRV", "ttl": 60},
    "calls": [{"host": "api.example.com", "cidr": "198.51.100.0/24", "port": 443, "variable": "API_URL"}],
}
_LEFT_OUT = {"adopt", "name_prefix", "namespace", "state"}
_SUBNETS = {kind: [f"subnet-{kind}{number}".ljust(24, "0") for number in (1, 2)] for kind in ("a", "b")}

# Values that cannot be removed or replaced by other values of their type without breaking the render.
_OTHER: Mapping[tuple[str, str], object] = {
    ("AdoptedResources", "vpc"): "vpc-0123456789abcdef1",
    ("CallTarget", "namespace"): "test.bank.internal",
    ("CallTarget", "port"): None,
    ("CallTarget", "service"): "web",
    ("Ingress", "port"): None,
    ("Network", "cidr"): "10.1.0.0/16",
    ("Service", "ports"): {"admin": Port(container_port=9999)},
    ("ServiceConnect", "port"): None,
}


def environments() -> Iterator[Environment]:
    """Yield environments that together have every key; conflicting keys are in different ones."""
    tree, _ = read_yaml(_EVERYTHING, PurePath(_EVERYTHING.name))
    plain: Any = tree.plain()
    everything = {**plain, "name": "prod"}
    few = {key: value for key, value in everything.items() if key not in _LEFT_OUT} | {
        "services": {"web": _FOUND}
    }
    recorded = {**everything["network"], "flow_logs": True}
    by_id = {"id": "vpc-0123456789abcdef0", "public_subnets": _SUBNETS["a"], "private_subnets": _SUBNETS["b"]}
    by_tags = {"tags": {"a": "b"}, "public_subnet_tags": {"c": "d"}, "private_subnet_tags": {"e": "f"}}
    for changed in (
        everything,
        {**few, "discovery": "dns", "network": recorded},
        {**few, "network": {"subnets": "public"}, "ingress": {"cidrs": ["192.0.2.0/24"]}},
        {**few, "network": {"subnets": "private", "vpc": by_id}},
        {**few, "network": {"subnets": "private", "vpc": by_tags}},
    ):
        yield Environment.model_validate(changed)


def changes(environment: Environment) -> Iterator[tuple[str, Environment]]:
    """Yield every value of an environment changed, one at a time, each with its key as the reference has it.

    What comes out need not be sound: a value is another one of its type, or what is there when it is left
    out.
    """
    for key, changed in _changed(environment):
        assert isinstance(changed, Environment)
        yield key, changed


def _changed(entry: CatalogModel) -> Iterator[tuple[str, CatalogModel]]:
    known = key_paths()
    for name, value in entry:
        place = (type(entry).__name__, name)
        if place not in known:  # an environment's name is not a key
            continue
        for other in _others(entry, name):
            if other != value:
                yield known[place], entry.model_copy(update={name: other})
        for key, inner in _inside(value):
            yield key, entry.model_copy(update={name: inner})


def _inside(value: object) -> Iterator[tuple[str, object]]:
    """Yield a value with one thing in it changed."""
    if isinstance(value, CatalogModel):
        yield from _changed(value)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from ((key, {**value, name: inner}) for key, inner in _inside(item))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from ((key, (*value[:index], inner, *value[index + 1 :])) for key, inner in _inside(item))


def _others(entry: CatalogModel, name: str) -> Iterator[object]:
    """Yield other values of a key: a different one if it has one, and its default."""
    kind, value = type(entry), getattr(entry, name)
    place = (kind.__name__, name)
    if place in _OTHER:
        if value is not None:
            yield _OTHER[place]
        return
    yield from _of_same_type(place, value)
    if not kind.model_fields[name].is_required():
        yield kind.model_fields[name].default


def _of_same_type(place: tuple[str, str], value: object) -> Iterator[object]:
    legal = definitions()[place[0]]["properties"][place[1]].get("enum", ())
    match value:
        case bool():
            yield not value
        case str() | int() if legal:
            yield next(other for other in legal if other != value)
        case int():
            yield value + 1
        case str():
            yield value + "x"
        case Mapping():
            yield dict(list(value.items())[1:])
        case tuple():
            yield value[:-1]
