"""Conversion of known values between Terraform's types.

Where Terraform refuses to convert, ValueError or TypeError is raised.
https://developer.hashicorp.com/terraform/language/expressions/type-constraints#conversion-of-complex-types
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fleetform.hcl.decimals import Number, format_number, number
from fleetform.hcl.eval.values import Document, Set, Unknown, Value, is_known, scalar_text

# Characters that Go's JSON escapes in addition to Python's.
_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def to_json(value: Value) -> str:
    """Return a known value as Terraform's `jsonencode` writes it."""
    match value:
        case dict():
            return "{" + ",".join(f"{to_json(key)}:{to_json(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(to_json, value)) + "]"
        case Document(inner):
            return to_json(to_json(inner))
        case float():
            return format_number(value)
        case Unknown():
            raise ValueError("not known")
        case _:
            return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def parse_json(value: Value) -> Any:  # noqa: ANN401 - JSON
    """Return the content of a JSON document, given as text or as a `Document`."""
    if isinstance(value, Document):
        return value.value
    return json.loads(to_text(value), parse_float=number, parse_constant=number)


def to_text(value: Value) -> str:
    """Return a value as text."""
    if isinstance(value, Document):
        return to_json(value.value)
    text = scalar_text(value)
    if text is None:
        raise TypeError("not a scalar")
    return text


def to_number(value: Value) -> Number:
    """Return a value as a number."""
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number")
    return value


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def to_boolean(value: Value) -> bool:
    """Return a value as a boolean."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise TypeError("neither true nor false")
    return _BOOLEANS[value]


def in_order(items: list[Value]) -> list[Value]:
    """Return a list, or a set in its order; only Terraform knows that of sets of other than plain values."""
    if (
        isinstance(items, Set)
        and len(items) > 1
        and not all(isinstance(item, (str, int, float)) for item in items)
    ):
        raise ValueError("a set without an order")
    return list(items)


def to_set(items: Sequence[Value]) -> Set:
    """Return a set, in Terraform's order if it has only plain values; unknown elements may be duplicates."""
    if None in items:
        raise ValueError("null in a set")
    values = unify(items)
    once = list({to_json(item): item for item in values if is_known(item)}.values())
    if all(isinstance(item, (str, int, float)) for item in once):
        once.sort()
    return Set([*once, *(item for item in values if not is_known(item))])


def unify(values: Sequence[Value]) -> list[Value]:
    """Return values as elements of a list or map, all of one type: text if any of them is text.

    Unknown values are assumed to have the type of the others.
    """
    present = [value for value in values if not isinstance(value, Unknown) and value is not None]
    if not any(isinstance(value, (list, dict)) for value in present):
        return _scalars(values, _kinds(present))
    if len({_kind(value) for value in present}) > 1 or None in values:
        raise ValueError("of several types")
    return list(values) if len(_kinds(present)) < 2 else _records(values)  # noqa: PLR2004 - one of a kind


def _scalars(values: Sequence[Value], kinds: set[str]) -> list[Value]:
    if len(kinds) < 2:  # noqa: PLR2004 - one of a kind
        return list(values)
    if "string" not in kinds:
        raise ValueError("of several types")
    return [value if value is None or isinstance(value, Unknown) else to_text(value) for value in values]


def _records(values: Sequence[Value]) -> list[Value]:
    """Return objects with the same keys, unified key by key."""
    rows = [value for value in values if isinstance(value, dict)]
    if len(rows) < len(values) or len(set(map(frozenset, rows))) > 1:
        raise ValueError("of several types")
    columns = {key: unify([row[key] for row in rows]) for key in rows[0]}
    return [{key: column[row] for key, column in columns.items()} for row in range(len(rows))]


def to_common_type(chosen: Value, other: Value) -> Value:
    """Return a conditional's chosen branch, converted to the common type of both branches."""
    if isinstance(chosen, list) and isinstance(other, list):
        return _items_of_one_type(chosen, other)
    if isinstance(chosen, dict) and isinstance(other, dict):
        return _entries_of_one_type(chosen, other)
    return unify([chosen, other])[0] if None not in (chosen, other) else chosen


def _items_of_one_type(chosen: list[Value], other: list[Value]) -> Value:
    if isinstance(chosen, Set) or isinstance(other, Set):
        return to_set(unify([*chosen, *other])[: len(chosen)])
    if len(chosen) != len(other):
        return unify([*chosen, *other])[: len(chosen)]
    return [to_common_type(*pair) for pair in zip(chosen, other, strict=True)]


def _entries_of_one_type(chosen: dict[str, Value], other: dict[str, Value]) -> Value:
    if chosen.keys() == other.keys():
        return {key: to_common_type(value, other[key]) for key, value in chosen.items()}
    return dict(zip(chosen, unify([*chosen.values(), *other.values()]), strict=False))


def _kinds(values: Sequence[Value]) -> set[str]:
    """Return the types of all scalars in some values."""
    return {_kind(scalar) for value in values for scalar in _leaves(value)}


def _kind(value: Value) -> str:
    match value:
        case bool():
            return "bool"
        case str() | Document():
            return "string"
        case int() | float():
            return "number"
        case dict():
            return "map"
        case _:
            return "list"


def _leaves(value: Value) -> Iterator[Value]:
    match value:
        case list():
            for item in value:
                yield from _leaves(item)
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case None | Unknown():
            return
        case _:
            yield value
