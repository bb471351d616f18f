"""Typed serialization: values as JSON, and back only into the types that are declared here or by the caller.

Reading creates nothing but what a form allows, and executes nothing. Whatever has a different shape is
refused with one error, so data of any origin can be read. Compared with pickle, a thousand services are read
as fast.
"""

import dataclasses
import json
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_SCALARS = (str, int, float, bool, types.NoneType)
# What reading of a wrong shape ends with, anywhere in it.
_WRONG = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)

Plain: TypeAlias = Any
"""What JSON has: scalars, lists, and dictionaries with text as keys."""


class UndecodableError(ValueError):
    """Bytes that are not a value of the form."""


class Converter(NamedTuple):
    """The way of a value to JSON and back.

    Attributes:
        to_plain: Converts a value into what JSON has.
        from_plain: Converts it back; may raise any of Python's errors about values if the shape is wrong.
    """

    to_plain: Callable[[Any], Plain]
    from_plain: Callable[[Plain], Any]


class JsonCodec(Generic[T]):
    """A way to write the values of one type as bytes.

    Args:
        form: The type: scalars, bytes, dates, paths, enumerations, tuples, lists, sets, mappings, unions, and
            named tuples and dataclasses of these. A type may contain itself.
        custom: Converters for types that need their own.
        from_mapping: Converts JSON's mappings as they are read, before any converter; only custom ones use
            mappings.
    """

    def __init__(
        self,
        form: Any,  # noqa: ANN401 - also unions, which are not classes
        custom: Mapping[Any, Converter] = types.MappingProxyType({}),
        from_mapping: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self._read = json.JSONDecoder(object_hook=from_mapping).decode
        self._form = form
        self._converters: dict[Any, Converter] = dict(custom)

    @property
    def converter(self) -> Converter:
        """The way to JSON and back, for a codec of something larger."""
        return self._converter(self._form)

    def encode(self, value: T) -> bytes:
        """Write a value.

        Raises:
            ValueError: It is nested too deeply, or holds an integer of thousands of digits.
        """
        try:
            plain = self.converter.to_plain(value)
            return json.dumps(plain, separators=(",", ":"), check_circular=False).encode()
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def decode(self, data: bytes) -> T:
        """Read a value.

        Raises:
            UndecodableError: The bytes are not a value of this type.
        """
        try:
            return self.converter.from_plain(self._read(data.decode()))  # type: ignore[no-any-return]
        except _WRONG as error:
            raise UndecodableError(str(error)) from None

    def _converter(self, form: Any) -> Converter:  # noqa: ANN401 - as above
        if form not in self._converters:
            self._converters[form] = self._build(form)
        return self._converters[form]

    def _build(self, form: Any) -> Converter:  # noqa: ANN401, PLR0911 - as above; one return a kind
        origin, parts = get_origin(form), get_args(form)
        if form in _SCALARS:
            return Converter(_same, _scalar(form))
        if form in _BY_TEXT:
            return _BY_TEXT[form]
        if origin in {Union, types.UnionType}:
            return self._union(parts)
        if origin is tuple and parts[-1] is not ...:
            return _fixed(tuple, [self._converter(part) for part in parts])
        if isinstance(origin, type):
            if issubclass(origin, Mapping):
                return _mapping(*map(self._converter, parts))
            makes = frozenset if issubclass(origin, AbstractSet) else tuple if origin is tuple else list
            return _collection(makes, self._converter(parts[0]))
        if issubclass(form, Enum):
            return Converter(lambda value: value.value, form)
        return self._record(form)

    def _record(self, form: type) -> Converter:
        """Build the converter of a named tuple or a dataclass.

        Those of its fields follow with its first value.
        """
        is_tuple = issubclass(form, tuple)
        names = form._fields if is_tuple else [field.name for field in dataclasses.fields(form)]  # type: ignore[attr-defined]
        parts: list[Converter] = []

        def prepared() -> list[Converter]:
            if not parts:
                hints = get_type_hints(form)
                parts.extend(self._converter(hints[name]) for name in names)
            return parts

        def to_plain(value: Any) -> Plain:  # noqa: ANN401 - of the form
            if type(value) is not form:
                raise TypeError(f"expected {form.__name__}, not {type(value).__name__}")
            values: Any = value if is_tuple else [getattr(value, name) for name in names]
            return [part[0](each) for part, each in zip(parts or prepared(), values, strict=True)]

        def from_plain(plain: Plain) -> Any:  # noqa: ANN401 - as above
            if type(plain) is not list:
                raise TypeError("expected a list")
            values = [part[1](each) for part, each in zip(parts or prepared(), plain, strict=True)]
            return tuple.__new__(form, values) if is_tuple else form(*values)

        return Converter(to_plain, from_plain)

    def _union(self, members: Sequence[Any]) -> Converter:
        """Build the converter of a union: of records, each has its class's name at its end."""
        scalars = frozenset(member for member in members if member in _SCALARS)
        others = [member for member in members if member not in scalars]
        if len(others) == 1:
            return _optional(scalars, self._converter(others[0]))
        by_name = {member.__name__: self._converter(member) for member in others}

        def to_plain(value: Any) -> Plain:  # noqa: ANN401 - of one of the members
            if type(value) in scalars:
                return value
            name = type(value).__name__
            plain = by_name[name].to_plain(value)
            plain.append(name)
            return plain

        def from_plain(plain: Plain) -> Any:  # noqa: ANN401 - as above
            if type(plain) is list:
                return by_name[plain.pop()].from_plain(plain)
            if type(plain) in scalars:
                return plain
            raise TypeError("expected a list or a scalar")

        return Converter(to_plain, from_plain)


def _same(value: T) -> T:
    return value


def _scalar(form: type) -> Callable[[Plain], Any]:
    def check(plain: Plain) -> Any:  # noqa: ANN401 - of the form
        if type(plain) is not form:
            raise TypeError(f"expected {form.__name__}")
        return plain

    return check


def _optional(scalars: frozenset[type], other: Converter) -> Converter:
    return Converter(
        lambda value: value if type(value) in scalars else other.to_plain(value),
        lambda plain: plain if type(plain) in scalars else other.from_plain(plain),
    )


def _fixed(makes: Callable[[list[Any]], Any], parts: Sequence[Converter]) -> Converter:
    return Converter(
        lambda value: [part.to_plain(each) for part, each in zip(parts, value, strict=True)],
        lambda plain: makes([part.from_plain(each) for part, each in zip(parts, _list(plain), strict=True)]),
    )


def _collection(makes: Callable[[list[Any]], Any], item: Converter) -> Converter:
    to_plain, from_plain = item
    return Converter(
        lambda value: [to_plain(each) for each in value],
        lambda plain: makes([from_plain(each) for each in _list(plain)]),
    )


def _mapping(key: Converter, item: Converter) -> Converter:
    """Build the converter of a mapping, whose keys may be of any type: a list of pairs."""
    return Converter(
        lambda value: [[key.to_plain(name), item.to_plain(each)] for name, each in value.items()],
        lambda plain: {
            key.from_plain(name): item.from_plain(each) for name, each in map(_list, _list(plain))
        },
    )


def _list(plain: Plain) -> list[Plain]:
    if type(plain) is not list:
        raise TypeError("expected a list")
    return plain


@lru_cache(1 << 14)  # the same few files have all findings
def _path(text: str) -> PurePath:
    return PurePath(text)


_BY_TEXT: Mapping[Any, Converter] = {
    bytes: Converter(bytes.hex, bytes.fromhex),
    date: Converter(date.isoformat, date.fromisoformat),
    PurePath: Converter(str, _path),
}
