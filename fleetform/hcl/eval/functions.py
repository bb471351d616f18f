"""Terraform's functions on known values: those that rules need.

Each function declares the types of its parameters; arguments are converted to them as Terraform does. If
a function raises, its value is unknown: Terraform would refuse the call, or it does more than is implemented
here. https://developer.hashicorp.com/terraform/language/functions
"""

import ipaddress
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, product
from typing import Any, NamedTuple, TypeAlias

from fleetform.hcl.decimals import Number
from fleetform.hcl.eval.conversion import (
    in_order,
    parse_json,
    to_boolean,
    to_json,
    to_number,
    to_set,
    to_text,
    unify,
)
from fleetform.hcl.eval.values import (
    INVALID,
    MAYBE,
    PRESENT,
    UNKNOWN,
    Document,
    Set,
    Unknown,
    Value,
    is_known,
)

Parameter: TypeAlias = Callable[[Value], Any]
"""Converts an argument, or raises."""


class Function(NamedTuple):
    """A function on known values.

    Attributes:
        act: Its implementation.
        parameters: The converters of its fixed parameters.
        rest: The converter of its variadic parameter; None if it has none.
    """

    act: Callable[..., Value]
    parameters: tuple[Parameter, ...]
    rest: Parameter | None


def call(name: str, arguments: list[Value]) -> Value:
    """Return a function's value; if that is unknown, UNKNOWN, or PRESENT if it cannot be null."""
    if name in _LAZY:
        return _LAZY[name](arguments)
    result = _known(name, arguments)
    return PRESENT if result is UNKNOWN and name in _NEVER_NULL else result


def _known(name: str, arguments: list[Value]) -> Value:
    function = FUNCTIONS.get(name)
    if function is None or any(
        isinstance(argument, Unknown) or _may_lack_entries(argument) for argument in arguments
    ):
        return UNKNOWN
    try:
        result = function.act(*_converted(function, arguments))
    except Exception:  # noqa: BLE001 - Terraform would refuse the call, or its form is not supported
        return UNKNOWN
    return unicodedata.normalize("NFC", result) if isinstance(result, str) else result


def _converted(function: Function, arguments: list[Value]) -> Iterable[Any]:
    fixed = len(function.parameters)
    beyond = arguments[fixed:]
    if beyond and function.rest is None:
        raise TypeError("too many arguments")
    given = [
        convert(argument) for convert, argument in zip(function.parameters, arguments[:fixed], strict=True)
    ]
    return [*given, *(function.rest(argument) for argument in beyond if function.rest)]


def _may_lack_entries(value: Value) -> bool:
    """Return whether it is unknown which entries a value has."""
    return isinstance(value, dict) and MAYBE in value.values()


def _coalesce(arguments: list[Value]) -> Value:
    for index, argument in enumerate(arguments):
        if isinstance(argument, Unknown):
            return argument if argument.present else UNKNOWN
        if argument is not None and argument != "":
            return _in_common_type(arguments, index)
    return UNKNOWN


def _in_common_type(arguments: list[Value], index: int) -> Value:
    """Return an argument, converted to the common type of all."""
    try:
        return unify(arguments)[index]
    except ValueError:
        return UNKNOWN


def _try(arguments: list[Value]) -> Value:
    """Return the first argument that is known to be valid; an unknown value may contain an error."""
    valid = next((argument for argument in arguments if argument is not INVALID), UNKNOWN)
    return valid if arguments and is_known(valid) else UNKNOWN


def _can(arguments: list[Value]) -> Value:
    if len(arguments) != 1:
        return UNKNOWN
    (argument,) = arguments
    return False if argument is INVALID else True if is_known(argument) else UNKNOWN


def _jsonencode(arguments: list[Value]) -> Value:
    return Document(arguments[0]) if len(arguments) == 1 else UNKNOWN


def _any(value: Value) -> Value:
    return value


def _ascii(value: Value) -> str:
    """Return text in which Terraform counts each character as one, too."""
    text = to_text(value)
    if not text.isascii() or "\r" in text:
        raise ValueError("characters that are made of several")
    return text


def _whole(value: Value) -> int:
    number = to_number(value)
    if not isinstance(number, int):
        raise TypeError("a fraction")
    return number


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list) or isinstance(value, Set):
        raise TypeError("not a list")
    return value


def _collection(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TypeError("neither list nor set")
    return value


def _sequence(value: Value) -> list[Value]:
    return in_order(_collection(value))


def _texts(value: Value) -> list[str]:
    return [to_text(item) for item in _sequence(value)]


def _texts_or_nulls(value: Value) -> list[str | None]:
    return [None if item is None else to_text(item) for item in _sequence(value)]


def _booleans(value: Value) -> list[bool]:
    return [to_boolean(item) for item in _collection(value)]


def _numbers(value: Value) -> list[Number]:
    return [to_number(item) for item in _collection(value)]


def _mapping(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise TypeError("neither map nor object")
    return value


def _mapping_or_null(value: Value) -> dict[str, Value]:
    return {} if value is None else _mapping(value)


def _function(
    implementation: Callable[..., Value], *parameters: Parameter, rest: Parameter | None = None
) -> Function:
    return Function(implementation, parameters, rest)


def _merge(*maps: dict[str, Value]) -> Value:
    return dict(chain.from_iterable(each.items() for each in maps))


def _flatten(value: list[Value]) -> list[Value]:
    flat: list[Value] = []
    for item in value:
        if isinstance(item, Unknown):
            raise TypeError("an unknown item may be a list")
        flat += _flatten(in_order(item)) if isinstance(item, list) else [item]
    return flat


def _distinct(items: list[Value]) -> Value:
    return list({to_json(item): item for item in unify(items)}.values())


def _length(value: Value) -> Value:
    if isinstance(value, Set) and len(value) > 1 and not is_known(value):
        return UNKNOWN
    if isinstance(value, (int, float)):
        raise TypeError("no length")
    return len(value) if isinstance(value, (list, dict)) else len(_ascii(value))


def _lookup(mapping: dict[str, Value], key: str, *default: Value) -> Value:
    if key in mapping:
        return mapping[key]
    (otherwise,) = default
    unified_types = {type(value) for value in mapping.values()} <= {type(otherwise)}
    if not unified_types:
        raise TypeError("a map converts its default, an object does not")
    return otherwise


def _contains(items: list[Value], value: Value) -> Value:
    if not is_known(value):
        return UNKNOWN
    if value is None:
        raise TypeError("Terraform compares nothing with null")
    searched = to_json(value)
    if any(is_known(item) and to_json(item) == searched for item in items):
        return True
    return False if is_known(items) else UNKNOWN


def _index(items: list[Value], value: Value) -> Value:
    return [to_json(item) for item in items].index(to_json(value))


def _element(items: list[Value], index: int) -> Value:
    if index < 0:
        raise ValueError("below zero")
    return items[index % len(items)]


def _keys(mapping: dict[str, Value]) -> list[Value]:
    return [*sorted(mapping)]


def _values(mapping: dict[str, Value]) -> list[Value]:
    return [mapping[key] for key in sorted(mapping)]


_VERB = re.compile(r"%%|%[sdqv]|%")


def _format(pattern: str, *values: Value) -> str:
    arguments = iter(values)

    def format_value(match: re.Match[str]) -> str:
        verb = match.group()
        if verb in {"%", "%%"}:
            return _percent(verb)
        value = next(arguments)
        if verb == "%d":
            return str(_whole(value))
        return to_json(to_text(value)) if verb == "%q" else to_text(value)

    text = _VERB.sub(format_value, pattern)
    if next(arguments, None) is not None:
        raise ValueError("too many values")
    return text


def _percent(verb: str) -> str:
    if verb == "%":
        raise ValueError("a verb that is not known here")
    return verb[1:]


def _replace(value: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        raise ValueError("a regular expression of RE2")
    return value.replace(old, new)


def _subnet(prefix: str, bits: int, index: int) -> str:
    network = ipaddress.ip_network(prefix, strict=False)
    if not 0 <= index < 2**bits:
        raise ValueError("more subnets than there are bits for")
    length = network.prefixlen + bits
    start = int(network.network_address) + (index << (network.max_prefixlen - length))
    return str(type(network)((start, length)))


def _host(prefix: str, index: int) -> str:
    return str(ipaddress.ip_network(prefix, strict=False)[index])


def _map(value: dict[str, Value]) -> Value:
    return dict(zip(value, unify(list(value.values())), strict=True))


def _product(*sets: list[Value]) -> Value:
    if len(sets) < len(("one", "another")):
        raise ValueError("of two at least")
    return [list(row) for row in product(*map(unify, sets))]


_LONGEST_RANGE = 1024  # https://developer.hashicorp.com/terraform/language/functions/range


def _range(*bounds: int) -> Value:
    start, limit, *steps = bounds if len(bounds) > 1 else (0, *bounds)
    (step,) = steps or (1 if start <= limit else -1,)
    numbers = range(start, limit, step)
    if len(numbers) > _LONGEST_RANGE or (not numbers and start != limit):
        raise ValueError("a range that Terraform refuses")
    return list(numbers)


def _one(items: list[Value]) -> Value:
    if len(items) > 1:
        raise ValueError("more than one")
    return items[0] if items else None


def _slice(items: list[Value], start: int, end: int) -> Value:
    if not 0 <= start <= end <= len(items):
        raise ValueError("beyond the list")
    return items[start:end]


def _substr(value: str, offset: int, length: int) -> Value:
    if offset < -len(value):
        raise ValueError("before the text")
    return value[offset:][: length if length >= 0 else None]


def _sum(numbers: list[Number]) -> Value:
    if not numbers or not all(isinstance(each, int) for each in numbers):
        raise ValueError("nothing, or fractions, which are rounded otherwise")
    return sum(numbers)


def _split(separator: str, value: str) -> list[Value]:
    return [*value.split(separator)]


def _cased(change: Callable[[str], str]) -> Callable[[str], str]:
    """Convert letter by letter, as Go does; Python expands some letters to two."""

    def function(value: str) -> str:
        letters = [change(letter) for letter in value]
        if any(len(letter) != 1 for letter in letters):
            raise ValueError("a letter that becomes two")
        return "".join(letters)

    return function


def _title(value: str) -> str:
    return re.sub(r"(?<![A-Za-z0-9_])[a-z]", lambda match: match.group().upper(), value)


# White space in Go; Python also includes some control characters.
_SPACE = "".join(filter(str.isspace, map(chr, (*range(0x1C), *range(0x20, 0x3001)))))


def _or_null(convert: Parameter) -> Parameter:
    return lambda value: None if value is None else convert(value)


def _sets(combine: Callable[[set[str], set[str]], set[str]]) -> Callable[..., Value]:
    """Return an operation on sets, which compares values by their JSON."""

    def function(*sets: list[Value]) -> Value:
        if not all(map(is_known, sets)):
            raise ValueError("not known")
        unified = iter(unify(list(chain.from_iterable(sets))))
        values = [{to_json(item): item for item in (next(unified) for _ in each)} for each in sets]
        kept = set(values[0])
        for other in values[1:]:
            kept = combine(kept, set(other))
        result = {text: item for each in values for text, item in each.items() if text in kept}
        return to_set(list(result.values()))

    return function


FUNCTIONS: Mapping[str, Function] = {
    "abs": _function(abs, to_number),
    "alltrue": _function(all, _booleans),
    "anytrue": _function(any, _booleans),
    "ceil": _function(math.ceil, to_number),
    "cidrhost": _function(_host, to_text, _whole),
    "cidrsubnet": _function(_subnet, to_text, _whole, _whole),
    "coalescelist": _function(lambda *lists: next(items for items in lists if items), rest=_sequence),
    "compact": _function(lambda items: [item for item in items if item], _texts_or_nulls),
    "concat": _function(lambda *lists: list(chain.from_iterable(lists)), _list, rest=_list),
    "contains": _function(_contains, _collection, _any),
    "distinct": _function(_distinct, _sequence),
    "element": _function(_element, _list, _whole),
    "endswith": _function(str.endswith, to_text, to_text),
    "flatten": _function(_flatten, _sequence),
    "floor": _function(math.floor, to_number),
    "format": _function(_format, to_text, rest=_any),
    "index": _function(_index, _list, _any),
    "join": _function(
        lambda separator, *lists: separator.join(chain.from_iterable(lists)), to_text, _texts, rest=_texts
    ),
    "jsondecode": _function(parse_json, _any),
    "keys": _function(_keys, _mapping),
    "length": _function(_length, _any),
    "lookup": _function(_lookup, _mapping, to_text, rest=_any),
    "lower": _function(_cased(str.lower), to_text),
    "max": _function(lambda *numbers: max(numbers), to_number, rest=to_number),
    "merge": _function(_merge, rest=_mapping_or_null),
    "min": _function(lambda *numbers: min(numbers), to_number, rest=to_number),
    "nonsensitive": _function(_any, _any),
    "one": _function(_one, _collection),
    "range": _function(_range, _whole, rest=_whole),
    "replace": _function(_replace, to_text, to_text, to_text),
    "reverse": _function(lambda items: items[::-1], _sequence),
    "sensitive": _function(_any, _any),
    "setintersection": _function(_sets(set.intersection), _collection, rest=_collection),
    "setproduct": _function(_product, rest=_sequence),
    "setsubtract": _function(_sets(set.difference), _collection, _collection),
    "setunion": _function(_sets(set.union), _collection, rest=_collection),
    "slice": _function(_slice, _list, _whole, _whole),
    "sort": _function(sorted, _texts),
    "split": _function(_split, to_text, to_text),
    "startswith": _function(str.startswith, to_text, to_text),
    "substr": _function(_substr, _ascii, _whole, _whole),
    "sum": _function(_sum, _numbers),
    "title": _function(_title, _ascii),
    "tobool": _function(_any, _or_null(to_boolean)),
    "tolist": _function(_any, _or_null(lambda value: unify(_sequence(value)))),
    "tomap": _function(_any, _or_null(lambda value: _map(_mapping(value)))),
    "tonumber": _function(_any, _or_null(to_number)),
    "toset": _function(to_set, _collection),
    "tostring": _function(_any, _or_null(to_text)),
    "trim": _function(str.strip, to_text, to_text),
    "trimprefix": _function(str.removeprefix, to_text, to_text),
    "trimspace": _function(lambda value: value.strip(_SPACE), to_text),
    "trimsuffix": _function(str.removesuffix, to_text, to_text),
    "upper": _function(_cased(str.upper), to_text),
    "values": _function(_values, _mapping),
    "zipmap": _function(lambda keys, values: dict(zip(keys, values, strict=True)), _texts, _list),
}
"""The functions with eager arguments, by name."""

# Functions that return text or a number for any argument.
_NEVER_NULL = frozenset(
    {
        *(
            "base64encode",
            "cidrhost",
            "cidrsubnet",
            "format",
            "join",
            "length",
            "lower",
            "md5",
            "replace",
            "sha1",
        ),
        *("sha256", "substr", "title", "trim", "trimprefix", "trimspace", "trimsuffix", "upper"),
    }
)
_LAZY: Mapping[str, Callable[[list[Value]], Value]] = {
    "can": _can,
    "coalesce": _coalesce,
    "jsonencode": _jsonencode,
    "try": _try,
}

NAMES = frozenset(FUNCTIONS) | frozenset(_LAZY)
"""The names of all supported functions."""
