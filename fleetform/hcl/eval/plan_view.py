"""The resource view of a plan: the same resources, with the values that Terraform knows at that point.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, product, zip_longest
from pathlib import PurePath
from typing import Any

from fleetform.base.errors import Position
from fleetform.hcl.eval.resource_view import Resource, Trace
from fleetform.hcl.eval.values import UNKNOWN, Unknown, Value, with_documents

_KEY = re.compile(r'\[(?:"(?:\\.|[^"\\])*"|\d+)\]')


def resources(
    plan: Mapping[str, Any], stack: PurePath, written: Mapping[str, Resource]
) -> Iterator[Resource]:
    """Yield the resources that exist once a plan is applied, and the data sources that it read.

    Args:
        plan: The output of ``terraform show -json``.
        stack: The stack's folder, relative to the project root.
        written: The resources in the text, by address, with their positions and references.
    """
    unknown_after = {
        change["address"]: change["change"].get("after_unknown")
        for change in plan.get("resource_changes", ())
    }
    before = plan.get("prior_state", {}).get("values", {}).get("root_module", {})
    read = [item for item in _all_resources(before) if item["mode"] == "data"]
    for item in [*_all_resources(plan["planned_values"].get("root_module", {})), *read]:
        address = item["address"]
        values = _with_unknowns(item.get("values", {}), unknown_after.get(address))
        source = next((written[name] for name in _possible_addresses(address) if name in written), None)
        resource = Resource(
            address,
            "data" if item["mode"] == "data" else "resource",
            item["type"],
            with_documents(_written_values(values, dict(source.values)) if source else values),
            stack.name,
            traces={(): Trace(Position(stack / "main.tf", 1, 1))},
            planned=True,
        )
        yield (
            replace(resource, origin=source.origin, traces=source.traces or resource.traces)
            if source
            else resource
        )


def _written_values(planned: Mapping[str, Any], text: Mapping[str, Value]) -> dict[str, Any]:
    """Return the values that the text sets, with their references from the text.

    All others are defaults of the provider, choices of AWS, or effects of other resources: a security group's
    values also contain the rules that are separate resources.
    """
    return {key: _with_references(planned[key], text[key]) for key in text if key in planned}


def _possible_addresses(address: str) -> Iterator[str]:
    """Yield the forms that an address may have in the text: with its keys, or with `[*]` for unknown ones."""
    between = _KEY.split(address)
    for keys in product(*((key, "[*]") for key in _KEY.findall(address))):
        yield "".join(chain.from_iterable(zip_longest(between, keys, fillvalue="")))


def _all_resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _all_resources(child)


def _with_unknowns(value: Any, unknown_after: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value with UNKNOWN for each part that is known only after apply (`unknown_after`)."""
    if unknown_after is True:
        return UNKNOWN
    if isinstance(unknown_after, dict) and unknown_after:
        members = value if isinstance(value, dict) else {}
        return {
            key: _with_unknowns(members.get(key), unknown_after.get(key))
            for key in members.keys() | unknown_after.keys()
        }
    if isinstance(unknown_after, list) and unknown_after:
        elements = value if isinstance(value, list) else []
        return [_with_unknowns(item, unknown) for item, unknown in zip_longest(elements, unknown_after)]
    return value


def _with_references(value: Any, text: Value) -> Any:  # noqa: ANN401 - JSON
    """Return a value whose unknown parts have the references from the text.

    IDs of existing resources get them, too: rules match resources by reference, not by ID.
    """
    if isinstance(text, Unknown) and text.present and text.reference:
        return text
    if isinstance(value, Unknown):
        return text if isinstance(text, Unknown) else value
    if isinstance(value, dict):
        references = text if isinstance(text, dict) else {}
        return {key: _with_references(item, references.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(text, list) and len(value) == len(text):
        return [_with_references(item, references) for item, references in zip(value, text, strict=True)]
    return value
