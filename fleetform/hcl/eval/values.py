"""Statically known values: the value that Terraform would have, or Unknown; never a guess."""

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from fleetform.hcl.decimals import format_number


class Unknown(NamedTuple):
    """A value that the text, or a plan, leaves open.

    Attributes:
        reference: Its name in the stack's root module: `aws_kms_key.this.arn`; empty if it is computed.
        present: Whether it cannot be null: the result of a template, or the ID of a resource to be created.
    """

    reference: str = ""
    present: bool = False


class Document(NamedTuple):
    """A JSON text, by its structure, which may contain unknown values.

    Attributes:
        value: Its content.
    """

    value: "Value"


class Set(list["Value"]):
    """A set; in Terraform's order if it has only plain, known values."""


UNKNOWN: Final = Unknown()
PRESENT: Final = Unknown(present=True)
INVALID: Final = Unknown("(invalid)")
"""A value that Terraform would refuse, such as an attribute of null: `try` continues with the next one."""
MAYBE: Final = Unknown("(maybe)")
"""A value that may be absent: an entry of a `for` whose condition is unknown."""

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | Unknown | Document | None"
Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]


def value_at(value: Value, path: Path, default: Value = None) -> Value:
    """Return the value at a path of keys and indices.

    Args:
        value: The value to start from.
        path: The steps.
        default: Replaces a value that is absent or null.

    Returns:
        The value; UNKNOWN if the path leads through something unknown.
    """
    for step in path:
        if isinstance(value, Document):
            value = value.value
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if -len(value) <= step < len(value) else None
        else:
            return default
    value = value.value if isinstance(value, Document) else value
    return default if value is None else value


def plain_structure(value: Value) -> Value:
    """Return a value with the content of the documents in it, as rules see it."""
    match value:
        case Document(inner):
            return plain_structure(inner)
        case dict():
            return {key: plain_structure(item) for key, item in value.items()}
        case list():
            return [plain_structure(item) for item in value]
        case _:
            return value


_DOCUMENTS = frozenset(
    {
        *("access_policies", "assume_role_policy", "container_definitions", "inline_policy", "policy"),
        "policy_document",
    }
)


def with_documents(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return a resource's values with the content of JSON arguments."""
    return {key: _read(item) if key in _DOCUMENTS else item for key, item in values.items()}


def _read(value: Value) -> Value:
    if isinstance(value, list):
        return [with_documents(item) if isinstance(item, dict) else item for item in value]
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)  # type: ignore[no-any-return]
    except ValueError:
        return value


def is_known(value: Value) -> bool:
    """Return whether no part of a value is unknown."""
    return next(unknowns(value), None) is None


def unknowns(value: Value) -> Iterator[Unknown]:
    """Yield the unknown parts of a value."""
    match value:
        case Unknown():
            yield value
        case Document(inner):
            yield from unknowns(inner)
        case dict():
            for item in value.values():
                yield from unknowns(item)
        case list():
            for item in value:
                yield from unknowns(item)


def scalar_text(value: Value) -> str | None:
    """Return a scalar as Terraform writes it in a template; None for anything else."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case float():
            return format_number(value)
        case _:
            return None


def for_each_entries(value: Value) -> Mapping[str, Value] | None:
    """Return the entries of a `for_each`, by key; None if they are not known."""
    if isinstance(value, dict):
        return None if MAYBE in value.values() else {key: value[key] for key in sorted(value)}
    if isinstance(value, Set) and all(isinstance(item, str) for item in value):
        return {str(item): item for item in value}
    return None
