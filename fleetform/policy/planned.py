"""The resource view of a plan: the same resources with what Terraform knows by then.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, product, zip_longest
from pathlib import PurePath
from typing import Any

from fleetform.errors import Position
from fleetform.policy.values import UNKNOWN, Known, Unknown, documents
from fleetform.policy.view import Resource, Trace

_KEY = re.compile(r'\[(?:"(?:\\.|[^"\\])*"|\d+)\]')


def resources(plan: Mapping[str, Any], stack: PurePath, written: Mapping[str, Resource]) -> Iterator[Resource]:
    """The resources that will be there once a plan is applied, and the data sources that it read.

    Args:
        plan: What ``terraform show -json`` says of it.
        stack: The stack's folder, from the project's root.
        written: What the text says, by address: it has the places, and names what only AWS will know.
    """
    later = {change["address"]: change["change"].get("after_unknown") for change in plan.get("resource_changes", ())}
    before = plan.get("prior_state", {}).get("values", {}).get("root_module", {})
    read = [found for found in _found(before) if found["mode"] == "data"]
    for found in [*_found(plan["planned_values"].get("root_module", {})), *read]:
        address = found["address"]
        known = _merged(found.get("values", {}), later.get(address))
        text = next((written[name] for name in _names(address) if name in written), None)
        made = Resource(
            address,
            "data" if found["mode"] == "data" else "resource",
            found["type"],
            documents(_chosen(known, dict(text.values)) if text else known),
            stack.name,
            traces={(): Trace(Position(stack / "main.tf", 1, 1))},
            planned=True,
        )
        yield replace(made, origin=text.origin, traces=text.traces or made.traces) if text else made


def _chosen(known: Mapping[str, Any], text: Mapping[str, Known]) -> dict[str, Any]:
    """The values that the text sets, with the names that it has for them.

    All others are the provider's defaults, what AWS chooses, and what other resources made of this one: rules of a
    security group that are resources of their own are in its values, too.
    """
    return {key: _named(known[key], text[key]) for key in text if key in known}


def _names(address: str) -> Iterator[str]:
    """How the text may have an address: with its keys, or with stars for those that it does not know."""
    between = _KEY.split(address)
    for keys in product(*((key, "[*]") for key in _KEY.findall(address))):
        yield "".join(chain.from_iterable(zip_longest(between, keys, fillvalue="")))


def _found(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _found(child)


def _merged(value: Any, later: Any) -> Any:  # noqa: ANN401 - JSON
    """A value with UNKNOWN for what is known only after apply: `later` has true in its place."""
    if later is True:
        return UNKNOWN
    if isinstance(later, dict) and later:
        known = value if isinstance(value, dict) else {}
        return {key: _merged(known.get(key), later.get(key)) for key in known.keys() | later.keys()}
    if isinstance(later, list) and later:
        given = value if isinstance(value, list) else []
        return [_merged(item, unknown) for item, unknown in zip_longest(given, later)]
    return value


def _named(value: Any, text: Known) -> Any:  # noqa: ANN401 - JSON
    """A value whose unknown parts have the names that the text has for them.

    So have ids of resources that are there: rules tell by the name, and not by the id, what belongs together.
    """
    if isinstance(text, Unknown) and text.present and text.reference:
        return text
    if isinstance(value, Unknown):
        return text if isinstance(text, Unknown) else value
    if isinstance(value, dict):
        known = text if isinstance(text, dict) else {}
        return {key: _named(item, known.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(text, list) and len(value) == len(text):
        return [_named(item, known) for item, known in zip(value, text, strict=True)]
    return value
