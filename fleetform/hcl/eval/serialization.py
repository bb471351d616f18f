"""How resources are cached, without their origins: see `fleetform.base.serialization`."""

from collections.abc import Mapping
from typing import Final

from fleetform.base.serialization import Converter, JsonCodec, Plain
from fleetform.hcl.eval.resource_view import Resource, Trace
from fleetform.hcl.eval.values import Document, Path, Set, Unknown, Value

# Most values are what JSON has. For the others there are mappings with one key, which begins with this sign.
_SIGN: Final = "\0"
_DICT, _DOCUMENT, _SET, _UNKNOWN = (f"{_SIGN}{name}" for name in ("dict", "document", "set", "unknown"))
_CONTAINERS = (dict, list)


def _to_plain(value: Value) -> Plain:
    match value:
        case dict():
            plain = _to_plain_mapping(value)
            return {_DICT: plain} if len(plain) == 1 and next(iter(plain)).startswith(_SIGN) else plain
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
    return {key: _to_plain(item) for key, item in values.items()}


def _from_plain(plain: Plain) -> Value:
    if type(plain) is dict:
        if len(plain) == 1 and (name := next(iter(plain))).startswith(_SIGN):
            return _special(name, plain[name])
        return _from_plain_mapping(plain)
    if type(plain) is list:
        return [_from_plain(item) if type(item) in _CONTAINERS else item for item in plain]
    return plain  # type: ignore[no-any-return]


def _from_plain_mapping(plain: dict[str, Plain]) -> dict[str, Value]:
    return {key: _from_plain(item) if type(item) in _CONTAINERS else item for key, item in plain.items()}


def _special(name: str, plain: Plain) -> Value:
    if name == _UNKNOWN:
        reference, present = plain
        if isinstance(reference, str) and isinstance(present, bool):
            return Unknown(reference, present)
    if name == _DOCUMENT:
        return Document(_from_plain(plain))
    if name == _SET and isinstance(plain, list):
        return Set(map(_from_plain, plain))
    if name == _DICT and isinstance(plain, dict):
        return _from_plain_mapping(plain)
    raise ValueError("unknown kind of value")


_TRACES = JsonCodec[dict[Path, Trace]](dict[Path, Trace]).converter


def _resource_to_plain(resource: Resource) -> Plain:
    return [
        *(resource.address, resource.kind, resource.type, resource.stack, resource.planned),
        _to_plain_mapping(resource.values),
        _TRACES.to_plain(resource.traces),
    ]


def _resource_from_plain(plain: Plain) -> Resource:
    *names, planned, values, traces = plain
    address, kind, of, stack = names
    if not all(isinstance(name, str) for name in names) or not isinstance(planned, bool):
        raise TypeError("expected four names and a flag")
    return Resource(address, kind, of, _from_plain_mapping(values), stack, _TRACES.from_plain(traces), planned=planned)


RESOURCES: JsonCodec[list[Resource]] = JsonCodec(
    list[Resource], {Resource: Converter(_resource_to_plain, _resource_from_plain)}
)
"""Resources that were detached from their origins."""
