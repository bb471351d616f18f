"""Terraform's functions on known values, as far as rules need them.

Each gets arguments that are known at the top; what is in them may not be. Whatever one raises means that the value is
not known: Terraform would refuse the call, or it does more than is done here.
https://developer.hashicorp.com/terraform/language/functions
"""

import ipaddress
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, product
from typing import Any

from fleetform.policy.values import INVALID, MAYBE, PRESENT, UNKNOWN, Document, Known, Unknown, is_known, text


def json_of(value: Known) -> str:
    """A known value as Terraform's `jsonencode` writes it."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def call(name: str, arguments: list[Known]) -> Known:
    """What a function returns; UNKNOWN, or PRESENT if it is surely not null, if that is not known."""
    if name in _LAZY:
        return _LAZY[name](arguments)
    result = _known(name, arguments)
    return PRESENT if result is UNKNOWN and name in _NEVER_NULL else result


def _known(name: str, arguments: list[Known]) -> Known:
    function = FUNCTIONS.get(name)
    if function is None or any(isinstance(argument, Unknown) or _may_lack(argument) for argument in arguments):
        return UNKNOWN
    if name not in _STRUCTURAL and not all(map(is_known, arguments)):
        return UNKNOWN
    try:
        return function(*arguments)
    except Exception:  # noqa: BLE001 - a call that Terraform would refuse, or of a form that is not known here
        return UNKNOWN


def _may_lack(value: Known) -> bool:
    """Whether nobody knows which entries it has."""
    return isinstance(value, dict) and MAYBE in value.values()


def _coalesce(arguments: list[Known]) -> Known:
    for argument in arguments:
        if isinstance(argument, Unknown):
            return argument if argument.present else UNKNOWN
        if argument is not None and argument != "":
            return argument
    return UNKNOWN


def _try(arguments: list[Known]) -> Known:
    """The first that is valid, as far as that is known: in what is not known there may be an error."""
    valid = next((argument for argument in arguments if argument is not INVALID), UNKNOWN)
    return valid if arguments and is_known(valid) else UNKNOWN


def _can(arguments: list[Known]) -> Known:
    (argument,) = arguments
    return False if argument is INVALID else True if is_known(argument) else UNKNOWN


def _jsonencode(arguments: list[Known]) -> Known:
    return Document(arguments[0])


def _document(value: Any) -> Any:  # noqa: ANN401 - what a function takes
    return value.value if isinstance(value, Document) else json.loads(value)


def _merge(*maps: Any) -> Known:  # noqa: ANN401
    return dict(chain.from_iterable(each.items() for each in maps if each is not None))


def _flatten(value: Any) -> list[Known]:  # noqa: ANN401
    flat: list[Known] = []
    for item in value:
        if isinstance(item, Unknown):
            raise TypeError("an unknown item may be a list")
        flat += _flatten(item) if isinstance(item, list) else [item]
    return flat


def _set(items: Any) -> list[Known]:  # noqa: ANN401
    """A set of strings in its order; of anything else, without what is there twice."""
    once: list[Known] = []
    for item in items:
        if item not in once:
            once.append(item)
    return sorted(once) if all(isinstance(item, str) for item in once) else once  # type: ignore[type-var]


def _lookup(mapping: Any, key: Any, *default: Known) -> Known:  # noqa: ANN401
    return mapping[key] if key in mapping else default[0]


def _contains(items: Any, value: Known) -> Known:  # noqa: ANN401
    if value in items:
        return True
    return False if is_known(list(items)) else UNKNOWN


def _element(items: Any, index: Any) -> Known:  # noqa: ANN401
    return items[index % len(items)]  # type: ignore[no-any-return]


def _keys(mapping: Any) -> list[Known]:  # noqa: ANN401
    return sorted(mapping)


def _values(mapping: Any) -> list[Known]:  # noqa: ANN401
    return [mapping[key] for key in sorted(mapping)]


_VERB = re.compile(r"%%|%[sdqv]|%(?P<special>[^%])")


def _format(pattern: Any, *values: Known) -> str:  # noqa: ANN401
    given = iter(values)

    def shown(match: re.Match[str]) -> str:
        if match["special"]:
            raise ValueError(f"no such verb: {match.group()}")
        if match.group() == "%%":
            return "%"
        value = text(next(given))
        if value is None:
            raise ValueError("not a scalar")
        return json_of(value) if match.group() == "%q" else value

    written = _VERB.sub(shown, pattern)
    if next(given, None) is not None:
        raise ValueError("too many values")
    return written


def _replace(value: Any, old: Any, new: Any) -> str:  # noqa: ANN401
    if len(old) > 1 and old[0] == old[-1] == "/":
        raise ValueError("a regular expression of RE2")
    return str(value).replace(old, new)


def _subnet(prefix: Any, bits: Any, number: Any) -> str:  # noqa: ANN401
    network = ipaddress.ip_network(prefix)
    length = network.prefixlen + bits
    start = int(network.network_address) + (number << (network.max_prefixlen - length))
    return str(type(network)((start, length)))


def _string(value: Known) -> Known:
    written = text(value)
    if value is not None and written is None:
        raise ValueError("not a scalar")
    return written


def _number(value: Any) -> Known:  # noqa: ANN401
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    return int(value) if re.fullmatch(r"-?\d+", value) else float(value)


def _bool(value: Any) -> Known:  # noqa: ANN401
    return value if value is None or isinstance(value, bool) else {"true": True, "false": False}[value]


def _map(value: Any) -> Known:  # noqa: ANN401
    return dict(value)


def _product(*sets: Any) -> Known:  # noqa: ANN401
    return [list(row) for row in product(*sets)]


def _range(*bounds: Any) -> Known:  # noqa: ANN401
    return list(range(*bounds))


def _one(items: Any) -> Known:  # noqa: ANN401
    if len(items) > 1:
        raise ValueError("more than one")
    return items[0] if items else None


def _same(value: Known) -> Known:
    return value


def _sets(combine: Callable[[list[Known], list[Known]], Iterable[Known]]) -> Callable[..., Known]:
    def function(first: Any, *others: Any) -> Known:  # noqa: ANN401
        for other in others:
            first = list(combine(first, other))
        return _set(first)

    return function


FUNCTIONS: Mapping[str, Callable[..., Known]] = {
    "abs": abs,
    "alltrue": all,
    "anytrue": any,
    "ceil": math.ceil,
    "cidrhost": lambda prefix, number: str(ipaddress.ip_network(prefix)[number]),
    "cidrsubnet": _subnet,
    "coalescelist": lambda *lists: next(items for items in lists if items),
    "compact": lambda items: [item for item in items if item not in (None, "")],
    "concat": lambda *lists: list(chain.from_iterable(lists)),
    "contains": _contains,
    "distinct": lambda items: list(dict.fromkeys(items)),
    "element": _element,
    "endswith": lambda value, end: value.endswith(end),
    "flatten": _flatten,
    "floor": math.floor,
    "format": _format,
    "index": lambda items, value: items.index(value),
    "join": lambda separator, items: separator.join(map(str, map(_string, items))),
    "jsondecode": _document,
    "keys": _keys,
    "length": len,
    "lookup": _lookup,
    "lower": lambda value: value.lower(),
    "max": max,
    "merge": _merge,
    "min": min,
    "nonsensitive": _same,
    "one": _one,
    "range": _range,
    "replace": _replace,
    "reverse": lambda items: items[::-1],
    "sensitive": _same,
    "setintersection": _sets(lambda first, other: (item for item in first if item in other)),
    "setproduct": _product,
    "setsubtract": _sets(lambda first, other: (item for item in first if item not in other)),
    "setunion": _sets(lambda first, other: [*first, *other]),
    "slice": lambda items, start, end: items[start:end],
    "sort": sorted,
    "split": lambda separator, value: value.split(separator),
    "startswith": lambda value, start: value.startswith(start),
    "substr": lambda value, offset, length: value[offset:][: length if length >= 0 else None],
    "sum": sum,
    "title": lambda value: re.sub(r"\b[a-z]", lambda match: match.group().upper(), value),
    "tobool": _bool,
    "tolist": list,
    "tomap": _map,
    "tonumber": _number,
    "toset": _set,
    "tostring": _string,
    "trim": lambda value, characters: value.strip(characters),
    "trimprefix": lambda value, prefix: value.removeprefix(prefix),
    "trimspace": lambda value: value.strip(),
    "trimsuffix": lambda value, suffix: value.removesuffix(suffix),
    "upper": lambda value: value.upper(),
    "values": _values,
    "zipmap": lambda keys, values: dict(zip(keys, values, strict=True)),
}
"""What is known of them, by name."""

# What only moves values about: those in it may be unknown.
_STRUCTURAL = frozenset(
    {
        *("coalescelist", "concat", "contains", "element", "flatten", "jsondecode", "keys", "length", "lookup"),
        *("merge", "nonsensitive", "one", "reverse", "sensitive", "slice", "tolist", "tomap", "toset", "values"),
        "zipmap",
    }
)
# What returns text or a number whatever it is given.
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
