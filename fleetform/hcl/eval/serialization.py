"""How resources are cached, without their origins: see `fleetform.base.serialization`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from fleetform.base.errors import Position
from fleetform.base.serialization import Converter, JsonCodec, Plain
from fleetform.hcl.eval.resource_view import Resource, Trace
from fleetform.hcl.eval.values import Document, Path, Set, Unknown, Value

# Most values are what JSON has. For the others there are mappings with one key, which begins with this sign.
_SIGN: Final = "\0"
_DICT, _DOCUMENT, _SET, _UNKNOWN = (f"{_SIGN}{name}" for name in ("dict", "document", "set", "unknown"))


def _to_plain(value: Value) -> Plain:
    match value:
        case dict():
            return _to_plain_mapping(value)
        case Set():
            return {_SET: [_to_plain(item) for item in value]}
        case list():
            return [_to_plain(item) for item in value]
        case Unknown(reference, present):
            return {_UNKNOWN: [reference, present]}
        case Document(inner):
            return {_DOCUMENT: _to_plain(inner)}
        case str() | int() | float() | None:
            return value
        case _:
            raise TypeError(f"expected a known value, not {type(value).__name__}")


def _to_plain_mapping(values: Mapping[str, Value]) -> dict[str, Plain]:
    plain = {key: _to_plain(item) for key, item in values.items()}
    if len(plain) == 1 and next(iter(plain)).startswith(_SIGN):
        return {_DICT: [[key, item] for key, item in plain.items()]}
    return plain


def _from_mapping(plain: dict[str, Plain]) -> Value:
    """Convert a mapping whose items are converted already, as JSON's reader gives them."""
    if len(plain) == 1:
        ((name, inner),) = plain.items()
        if name.startswith(_SIGN):
            return _from_special(name, inner)
    return plain


def _from_special(name: str, inner: Plain) -> Value:
    if name == _DOCUMENT:
        return Document(inner)
    if name == _SET and isinstance(inner, list):
        return Set(inner)
    if name == _DICT:
        ((key, item),) = inner
        return {key: item} if isinstance(key, str) else {}
    reference, present = inner
    if name != _UNKNOWN or not isinstance(reference, str) or not isinstance(present, bool):
        raise ValueError("unknown kind of value")
    return Unknown(reference, present)


_TRACES = JsonCodec[dict[Path, Trace]](dict[Path, Trace]).converter
_POSITION = JsonCodec[Position](Position).converter


def _traces_from_plain(plain: Plain) -> dict[Path, Trace]:
    """Convert traces back like `_TRACES`, in half the time, because a large project has tens of thousands."""
    traces = {}
    for path, (place, cause) in plain:
        if not all(isinstance(step, str | int) for step in path):
            raise TypeError("expected keys and indices")
        traces[tuple(path)] = Trace(_position(place), None if cause is None else _position(cause))
    return traces


@lru_cache(1 << 14)
def _known_position(file: str, line: int, column: int) -> Position:
    return _POSITION.from_plain([file, line, column])  # type: ignore[no-any-return]


def _position(plain: Plain) -> Position:
    file, line, column = plain
    return _known_position(file, line, column)


def _resource_to_plain(resource: Resource) -> Plain:
    return [
        *(resource.address, resource.kind, resource.type, resource.stack, resource.planned),
        _to_plain_mapping(resource.values),
        _TRACES.to_plain(resource.traces),
    ]


def _resource_from_plain(plain: Plain) -> Resource:
    *names, planned, values, traces = plain
    address, kind, of, stack = names
    if (
        not all(isinstance(name, str) for name in names)
        or not isinstance(planned, bool)
        or type(values) is not dict
    ):
        raise TypeError("expected four names, a flag and a mapping")
    return Resource(address, kind, of, values, stack, _traces_from_plain(traces), planned=planned)


RESOURCES: JsonCodec[list[Resource]] = JsonCodec(
    list[Resource], {Resource: Converter(_resource_to_plain, _resource_from_plain)}, _from_mapping
)
"""Resources that were detached from their origins."""
