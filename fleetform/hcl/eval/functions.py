"""Terraform's functions on known values, as far as rules need them.

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
from fleetform.hcl.eval.conversion import boolean_of, json_of, number_of, ordered, read_json, text_of, to_set, unified
from fleetform.hcl.eval.values import INVALID, MAYBE, PRESENT, UNKNOWN, Document, Known, Set, Unknown, is_known

Parameter: TypeAlias = Callable[[Known], Any]
"""Converts an argument, or raises."""


class Function(NamedTuple):
    """A function on known values.

    Attributes:
        act: Its implementation.
        parameters: The converters of its fixed parameters.
        rest: The converter of its variadic parameter; None if it has none.
    """

    act: Callable[..., Known]
    parameters: tuple[Parameter, ...]
    rest: Parameter | None


def call(name: str, arguments: list[Known]) -> Known:
    """Return a function's value; if that is unknown, UNKNOWN, or PRESENT if it cannot be null."""
    if name in _LAZY:
        return _LAZY[name](arguments)
    result = _known(name, arguments)
    return PRESENT if result is UNKNOWN and name in _NEVER_NULL else result


def _known(name: str, arguments: list[Known]) -> Known:
    function = FUNCTIONS.get(name)
    if function is None or any(isinstance(argument, Unknown) or _may_lack_entries(argument) for argument in arguments):
        return UNKNOWN
    try:
        result = function.act(*_converted(function, arguments))
    except Exception:  # noqa: BLE001 - Terraform would refuse the call, or its form is not supported
        return UNKNOWN
    return unicodedata.normalize("NFC", result) if isinstance(result, str) else result


def _converted(function: Function, arguments: list[Known]) -> Iterable[Any]:
    fixed = len(function.parameters)
    beyond = arguments[fixed:]
    if beyond and function.rest is None:
        raise TypeError("too many arguments")
    given = [convert(argument) for convert, argument in zip(function.parameters, arguments[:fixed], strict=True)]
    return [*given, *(function.rest(argument) for argument in beyond if function.rest)]


def _may_lack_entries(value: Known) -> bool:
    """Return whether it is unknown which entries a value has."""
    return isinstance(value, dict) and MAYBE in value.values()


def _coalesce(arguments: list[Known]) -> Known:
    for index, argument in enumerate(arguments):
        if isinstance(argument, Unknown):
            return argument if argument.present else UNKNOWN
        if argument is not None and argument != "":
            return _in_common_type(arguments, index)
    return UNKNOWN


def _in_common_type(arguments: list[Known], index: int) -> Known:
    """Return an argument, converted to the common type of all."""
    try:
        return unified(arguments)[index]
    except ValueError:
        return UNKNOWN


def _try(arguments: list[Known]) -> Known:
    """Return the first valid argument, as far as that is known; an unknown value may contain an error."""
    valid = next((argument for argument in arguments if argument is not INVALID), UNKNOWN)
    return valid if arguments and is_known(valid) else UNKNOWN


def _can(arguments: list[Known]) -> Known:
    if len(arguments) != 1:
        return UNKNOWN
    (argument,) = arguments
    return False if argument is INVALID else True if is_known(argument) else UNKNOWN


def _jsonencode(arguments: list[Known]) -> Known:
    return Document(arguments[0]) if len(arguments) == 1 else UNKNOWN


def _any(value: Known) -> Known:
    return value


def _ascii(value: Known) -> str:
    """Return text in which Terraform counts each character as one, too."""
    text = text_of(value)
    if not text.isascii() or "\r" in text:
        raise ValueError("characters that are made of several")
    return text


def _whole(value: Known) -> int:
    number = number_of(value)
    if not isinstance(number, int):
        raise TypeError("a fraction")
    return number


def _list(value: Known) -> list[Known]:
    if not isinstance(value, list) or isinstance(value, Set):
        raise TypeError("not a list")
    return value


def _collection(value: Known) -> list[Known]:
    if not isinstance(value, list):
        raise TypeError("neither list nor set")
    return value


def _sequence(value: Known) -> list[Known]:
    return ordered(_collection(value))


def _texts(value: Known) -> list[str]:
    return [text_of(item) for item in _sequence(value)]


def _texts_or_nulls(value: Known) -> list[str | None]:
    return [None if item is None else text_of(item) for item in _sequence(value)]


def _booleans(value: Known) -> list[bool]:
    return [boolean_of(item) for item in _collection(value)]


def _numbers(value: Known) -> list[Number]:
    return [number_of(item) for item in _collection(value)]


def _mapping(value: Known) -> dict[str, Known]:
    if not isinstance(value, dict):
        raise TypeError("neither map nor object")
    return value


def _mapping_or_null(value: Known) -> dict[str, Known]:
    return {} if value is None else _mapping(value)


def _function(implementation: Callable[..., Known], *parameters: Parameter, rest: Parameter | None = None) -> Function:
    return Function(implementation, parameters, rest)


def _merge(*maps: dict[str, Known]) -> Known:
    return dict(chain.from_iterable(each.items() for each in maps))


def _flatten(value: list[Known]) -> list[Known]:
    flat: list[Known] = []
    for item in value:
        if isinstance(item, Unknown):
            raise TypeError("an unknown item may be a list")
        flat += _flatten(ordered(item)) if isinstance(item, list) else [item]
    return flat


def _distinct(items: list[Known]) -> Known:
    return list({json_of(item): item for item in unified(items)}.values())


def _length(value: Known) -> Known:
    if isinstance(value, Set) and len(value) > 1 and not is_known(value):
        return UNKNOWN
    if isinstance(value, (int, float)):
        raise TypeError("no length")
    return len(value) if isinstance(value, (list, dict)) else len(_ascii(value))


def _lookup(mapping: dict[str, Known], key: str, *default: Known) -> Known:
    if key in mapping:
        return mapping[key]
    (otherwise,) = default
    unified_types = {type(value) for value in mapping.values()} <= {type(otherwise)}
    if not unified_types:
        raise TypeError("a map converts its default, an object does not")
    return otherwise


def _contains(items: list[Known], value: Known) -> Known:
    if not is_known(value):
        return UNKNOWN
    if value is None:
        raise TypeError("Terraform compares nothing with null")
    wanted = json_of(value)
    if any(is_known(item) and json_of(item) == wanted for item in items):
        return True
    return False if is_known(items) else UNKNOWN


def _index(items: list[Known], value: Known) -> Known:
    return [json_of(item) for item in items].index(json_of(value))


def _element(items: list[Known], index: int) -> Known:
    if index < 0:
        raise ValueError("below zero")
    return items[index % len(items)]


def _keys(mapping: dict[str, Known]) -> list[Known]:
    return [*sorted(mapping)]


def _values(mapping: dict[str, Known]) -> list[Known]:
    return [mapping[key] for key in sorted(mapping)]


_VERB = re.compile(r"%%|%[sdqv]|%")


def _format(pattern: str, *values: Known) -> str:
    arguments = iter(values)

    def shown(match: re.Match[str]) -> str:
        verb = match.group()
        if verb in {"%", "%%"}:
            return _percent(verb)
        value = next(arguments)
        if verb == "%d":
            return str(_whole(value))
        return json_of(text_of(value)) if verb == "%q" else text_of(value)

    text = _VERB.sub(shown, pattern)
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


def _map(value: dict[str, Known]) -> Known:
    return dict(zip(value, unified(list(value.values())), strict=True))


def _product(*sets: list[Known]) -> Known:
    if len(sets) < len(("one", "another")):
        raise ValueError("of two at least")
    return [list(row) for row in product(*map(unified, sets))]


_LONGEST_RANGE = 1024  # https://developer.hashicorp.com/terraform/language/functions/range


def _range(*bounds: int) -> Known:
    start, limit, *steps = bounds if len(bounds) > 1 else (0, *bounds)
    (step,) = steps or (1 if start <= limit else -1,)
    numbers = range(start, limit, step)
    if len(numbers) > _LONGEST_RANGE or (not numbers and start != limit):
        raise ValueError("a range that Terraform refuses")
    return list(numbers)


def _one(items: list[Known]) -> Known:
    if len(items) > 1:
        raise ValueError("more than one")
    return items[0] if items else None


def _slice(items: list[Known], start: int, end: int) -> Known:
    if not 0 <= start <= end <= len(items):
        raise ValueError("beyond the list")
    return items[start:end]


def _substr(value: str, offset: int, length: int) -> Known:
    if offset < -len(value):
        raise ValueError("before the text")
    return value[offset:][: length if length >= 0 else None]


def _sum(numbers: list[Number]) -> Known:
    if not numbers or not all(isinstance(each, int) for each in numbers):
        raise ValueError("nothing, or fractions, which are rounded otherwise")
    return sum(numbers)


def _split(separator: str, value: str) -> list[Known]:
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


def _sets(combine: Callable[[set[str], set[str]], set[str]]) -> Callable[..., Known]:
    """Return an operation on sets, which compares values by their JSON."""

    def function(*sets: list[Known]) -> Known:
        if not all(map(is_known, sets)):
            raise ValueError("not known")
        together = iter(unified(list(chain.from_iterable(sets))))
        values = [{json_of(item): item for item in (next(together) for _ in each)} for each in sets]
        wanted = set(values[0])
        for other in values[1:]:
            wanted = combine(wanted, set(other))
        result = {text: item for each in values for text, item in each.items() if text in wanted}
        return to_set(list(result.values()))

    return function


FUNCTIONS: Mapping[str, Function] = {
    "abs": _function(abs, number_of),
    "alltrue": _function(all, _booleans),
    "anytrue": _function(any, _booleans),
    "ceil": _function(math.ceil, number_of),
    "cidrhost": _function(_host, text_of, _whole),
    "cidrsubnet": _function(_subnet, text_of, _whole, _whole),
    "coalescelist": _function(lambda *lists: next(items for items in lists if items), rest=_sequence),
    "compact": _function(lambda items: [item for item in items if item], _texts_or_nulls),
    "concat": _function(lambda *lists: list(chain.from_iterable(lists)), _list, rest=_list),
    "contains": _function(_contains, _collection, _any),
    "distinct": _function(_distinct, _sequence),
    "element": _function(_element, _list, _whole),
    "endswith": _function(str.endswith, text_of, text_of),
    "flatten": _function(_flatten, _sequence),
    "floor": _function(math.floor, number_of),
    "format": _function(_format, text_of, rest=_any),
    "index": _function(_index, _list, _any),
    "join": _function(
        lambda separator, *lists: separator.join(chain.from_iterable(lists)), text_of, _texts, rest=_texts
    ),
    "jsondecode": _function(read_json, _any),
    "keys": _function(_keys, _mapping),
    "length": _function(_length, _any),
    "lookup": _function(_lookup, _mapping, text_of, rest=_any),
    "lower": _function(_cased(str.lower), text_of),
    "max": _function(lambda *numbers: max(numbers), number_of, rest=number_of),
    "merge": _function(_merge, rest=_mapping_or_null),
    "min": _function(lambda *numbers: min(numbers), number_of, rest=number_of),
    "nonsensitive": _function(_any, _any),
    "one": _function(_one, _collection),
    "range": _function(_range, _whole, rest=_whole),
    "replace": _function(_replace, text_of, text_of, text_of),
    "reverse": _function(lambda items: items[::-1], _sequence),
    "sensitive": _function(_any, _any),
    "setintersection": _function(_sets(set.intersection), _collection, rest=_collection),
    "setproduct": _function(_product, rest=_sequence),
    "setsubtract": _function(_sets(set.difference), _collection, _collection),
    "setunion": _function(_sets(set.union), _collection, rest=_collection),
    "slice": _function(_slice, _list, _whole, _whole),
    "sort": _function(sorted, _texts),
    "split": _function(_split, text_of, text_of),
    "startswith": _function(str.startswith, text_of, text_of),
    "substr": _function(_substr, _ascii, _whole, _whole),
    "sum": _function(_sum, _numbers),
    "title": _function(_title, _ascii),
    "tobool": _function(_any, _or_null(boolean_of)),
    "tolist": _function(_any, _or_null(lambda value: unified(_sequence(value)))),
    "tomap": _function(_any, _or_null(lambda value: _map(_mapping(value)))),
    "tonumber": _function(_any, _or_null(number_of)),
    "toset": _function(to_set, _collection),
    "tostring": _function(_any, _or_null(text_of)),
    "trim": _function(str.strip, text_of, text_of),
    "trimprefix": _function(str.removeprefix, text_of, text_of),
    "trimspace": _function(lambda value: value.strip(_SPACE), text_of),
    "trimsuffix": _function(str.removesuffix, text_of, text_of),
    "upper": _function(_cased(str.upper), text_of),
    "values": _function(_values, _mapping),
    "zipmap": _function(lambda keys, values: dict(zip(keys, values, strict=True)), _texts, _list),
}
"""The functions with eager arguments, by name."""

# Functions that return text or a number for any argument.
_NEVER_NULL = frozenset(
    {
        *("base64encode", "cidrhost", "cidrsubnet", "format", "join", "length", "lower", "md5", "replace", "sha1"),
        *("sha256", "substr", "title", "trim", "trimprefix", "trimspace", "trimsuffix", "upper"),
    }
)
_LAZY: Mapping[str, Callable[[list[Known]], Known]] = {
    "can": _can,
    "coalesce": _coalesce,
    "jsonencode": _jsonencode,
    "try": _try,
}

NAMES = frozenset(FUNCTIONS) | frozenset(_LAZY)
"""The names of all supported functions."""
