"""Known values converted between Terraform's types, as Terraform does it; what it refuses is a ValueError or TypeError.

https://developer.hashicorp.com/terraform/language/expressions/type-constraints#conversion-of-complex-types
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fleetform.hcl.numbers import Number, number, written
from fleetform.policy.values import Document, Known, Set, Unknown, text

# What Go's JSON escapes beyond Python's.
_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def json_of(value: Known) -> str:
    """A known value as Terraform's `jsonencode` writes it."""
    match value:
        case dict():
            return "{" + ",".join(f"{json_of(key)}:{json_of(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(json_of, value)) + "]"
        case Document(inner):
            return json_of(json_of(inner))
        case float():
            return written(value)
        case Unknown():
            raise ValueError("not known")
        case _:
            return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def read_json(value: Known) -> Any:  # noqa: ANN401 - what it says
    """What a document says, be it text or known by its structure."""
    if isinstance(value, Document):
        return value.value
    return json.loads(text_of(value), parse_float=number, parse_constant=number)


def text_of(value: Known) -> str:
    """A value as text."""
    if isinstance(value, Document):
        return json_of(value.value)
    found = text(value)
    if found is None:
        raise TypeError("not a scalar")
    return found


def number_of(value: Known) -> Number:
    """A value as a number."""
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number")
    return value


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def boolean_of(value: Known) -> bool:
    """A value as true or false."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise TypeError("neither true nor false")
    return _BOOLEANS[value]


def ordered(items: list[Known]) -> list[Known]:
    """A list, or a set in its order; that of sets of anything but plain values only Terraform knows."""
    if isinstance(items, Set) and len(items) > 1 and not all(isinstance(item, (str, int, float)) for item in items):
        raise ValueError("a set without an order")
    return list(items)


def unified(values: Sequence[Known]) -> list[Known]:
    """Values as they are in a list or map, all of one type: text if any of them is."""
    given = [value for value in values if value is not None]
    if not any(isinstance(value, (list, dict)) for value in given):
        return _scalars(values, _kinds(given))
    if len({_kind(value) for value in given}) > 1 or len(given) < len(values):
        raise ValueError("of several types")
    return list(values) if _settled(_kinds(given)) else _records(values)


def _settled(kinds: set[str]) -> bool:
    """Whether nothing is converted, whatever the type of what is unknown."""
    return len(kinds) < 2 or kinds == {"string", "unknown"}  # noqa: PLR2004 - one of a kind


def _scalars(values: Sequence[Known], kinds: set[str]) -> list[Known]:
    if _settled(kinds):
        return list(values)
    if "string" not in kinds or "unknown" in kinds:
        raise ValueError("of several types")
    return [None if value is None else text_of(value) for value in values]


def _records(values: Sequence[Known]) -> list[Known]:
    """Objects that have the same keys, unified key by key."""
    keys = {frozenset(value) if isinstance(value, dict) else None for value in values}
    if len(keys) > 1 or None in keys:
        raise ValueError("of several types")
    columns = {key: unified([value[key] for value in values if isinstance(value, dict)]) for key in keys.pop() or ()}
    return [{key: column[row] for key, column in columns.items()} for row in range(len(values))]


def _kinds(values: Sequence[Known]) -> set[str]:
    """The types of all scalars in some values."""
    return {_kind(scalar) for value in values for scalar in _leaves(value)}


def _kind(value: Known) -> str:
    match value:
        case bool():
            return "bool"
        case str() | Document():
            return "string"
        case int() | float():
            return "number"
        case Unknown():
            return "unknown"
        case _:
            return type(value).__name__


def _leaves(value: Known) -> Iterator[Known]:
    match value:
        case list():
            for item in value:
                yield from _leaves(item)
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case None:
            return
        case _:
            yield value
