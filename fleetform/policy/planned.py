"""The resource view of a plan: the same resources, with the values that Terraform knows at that point.

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
    """Yield the resources that exist once a plan is applied, and the data sources that it read.

    Args:
        plan: The output of ``terraform show -json``.
        stack: The stack's folder, relative to the project root.
        written: The resources in the text, by address, with their positions and references.
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
    """Return the values that the text sets, with their references from the text.

    All others are defaults of the provider, choices of AWS, or effects of other resources: a security group's values
    also contain the rules that are separate resources.
    """
    return {key: _named(known[key], text[key]) for key in text if key in known}


def _names(address: str) -> Iterator[str]:
    """Yield the forms that an address may have in the text: with its keys, or with `[*]` for unknown ones."""
    between = _KEY.split(address)
    for keys in product(*((key, "[*]") for key in _KEY.findall(address))):
        yield "".join(chain.from_iterable(zip_longest(between, keys, fillvalue="")))


def _found(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _found(child)


def _merged(value: Any, later: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value with UNKNOWN for each part that is known only after apply, where `later` is true."""
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
    """Return a value whose unknown parts have the references from the text.

    IDs of existing resources get them, too: rules match resources by reference, not by ID.
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
