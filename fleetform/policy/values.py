"""What is known of a value: what Terraform would have for it, or Unknown; never a guess."""

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from fleetform.hcl.numbers import written


class Unknown(NamedTuple):
    """A value that the text, or a plan, leaves open.

    Attributes:
        reference: What it is called, from the stack's root module: `aws_kms_key.this.arn`; empty if it is computed.
        present: Whether it is surely not null: what a template writes, or the id of a resource that is made.
    """

    reference: str = ""
    present: bool = False


class Document(NamedTuple):
    """Text that is JSON, by its structure, in which there may be unknown values.

    Attributes:
        value: What it says.
    """

    value: "Known"


class Set(list["Known"]):
    """A set; in Terraform's order if it is one of plain values and all of it is known."""


UNKNOWN: Final = Unknown()
PRESENT: Final = Unknown(present=True)
INVALID: Final = Unknown("(invalid)")
"""What Terraform would refuse, as an attribute of null: `try` goes on to its next argument."""
MAYBE: Final = Unknown("(maybe)")
"""What may not even be there: an entry of which nobody knows whether a `for` takes it."""

Known: TypeAlias = "str | int | float | bool | list[Known] | dict[str, Known] | Unknown | Document | None"
Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]


def walk(value: Known, path: Path, default: Known = None) -> Known:
    """What a path of keys and indices leads to.

    Args:
        value: Where it begins.
        path: The steps.
        default: What stands for something that is absent or null.

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


def structure(value: Known) -> Known:
    """The value with documents in it by what they say: how rules see it."""
    match value:
        case Document(inner):
            return structure(inner)
        case dict():
            return {key: structure(item) for key, item in value.items()}
        case list():
            return [structure(item) for item in value]
        case _:
            return value


_DOCUMENTS = frozenset(
    {
        *("access_policies", "assume_role_policy", "container_definitions", "inline_policy", "policy"),
        "policy_document",
    }
)


def documents(values: Mapping[str, Known]) -> dict[str, Known]:
    """A resource's values with arguments that are JSON by what they say."""
    return {key: _read(item) if key in _DOCUMENTS else item for key, item in values.items()}


def _read(value: Known) -> Known:
    if isinstance(value, list):
        return [documents(item) if isinstance(item, dict) else item for item in value]
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)  # type: ignore[no-any-return]
    except ValueError:
        return value


def is_known(value: Known) -> bool:
    """Whether nothing in it is unknown."""
    return next(unknowns(value), None) is None


def unknowns(value: Known) -> Iterator[Unknown]:
    """Everything unknown in a value."""
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


def text(value: Known) -> str | None:
    """How Terraform writes a scalar in a template; None for anything else."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case float():
            return written(value)
        case _:
            return None


def entries(value: Known) -> Mapping[str, Known] | None:
    """What `for_each` goes over, by key; None if that is not known."""
    if isinstance(value, dict):
        return None if MAYBE in value.values() else {key: value[key] for key in sorted(value)}
    if isinstance(value, Set) and all(isinstance(item, str) for item in value):
        return {str(item): item for item in value}
    return None
