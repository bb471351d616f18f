"""The catalog's JSON Schema (2020-12), made of the models: editors complete and check by it, the reference tells it.

Both files of an environment have the same keys, so one schema serves both. What it refuses, `load` refuses; what needs
more than one value, or more than one file, only `load` sees.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import PurePath
from typing import Any, TypeAlias

from pydantic.json_schema import models_json_schema

from fleetform.catalog.constants import FARGATE_MEMORY
from fleetform.catalog.models import Environment

SCHEMA = PurePath("envs/catalog.schema.json")
ROOT = Environment.__name__

Schema: TypeAlias = dict[str, Any]

_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPPINGS = ("properties", "patternProperties")
_SINGLE = ("items", "additionalProperties", "propertyNames")
_LENGTHS = {"minLength": "minItems", "maxLength": "maxItems"}
_REFERENCE = "#/$defs/"
# A mapping in a list is given as a whole: its definition goes by its name and this.
_ITEM = "Item"

# What the keys are that no model has, and what the models do not say: laid over the models' definitions as an
# environment is over the catalog. Mappings merge by key, all else replaces, None removes.
_OVER: Schema = {
    ROOT: {
        "properties": {
            "name": None,
            "defaults": {"$ref": f"{_REFERENCE}Service", "description": "Laid under every service."},
            "templates": {
                "type": "object",
                "additionalProperties": {"$ref": f"{_REFERENCE}Service"},
                "description": "Partial services by name, which services and templates extend; none of them runs.",
            },
        }
    },
    "Service": {
        "properties": {
            "extends": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                "description": "The templates that it is laid over, a later one over an earlier one.",
                "examples": ["web-service"],
            },
            "enabled_in": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The environments that have it; left out: all.",
                "examples": [["dev", "local"]],
            },
            "cpu": {"enum": list(FARGATE_MEMORY)},
            "memory": {"enum": sorted({size for sizes in FARGATE_MEMORY.values() for size in sizes})},
        }
    },
}

_DESCRIPTION = (
    "What every environment runs, and what one environment lays over it. Mappings merge by key, everything else "
    "replaces, null removes."
)


@cache
def definitions() -> Mapping[str, Schema]:
    """The schema of each kind of mapping in a resolved environment, by its model's name."""
    _, schema = models_json_schema([(Environment, "validation")])
    found = _merged({name: _tidied(definition) for name, definition in schema["$defs"].items()}, _OVER)
    return {name: _requiring_what_it_has(definition) for name, definition in found.items()}


def _requiring_what_it_has(definition: Schema) -> Schema:
    required = [key for key in definition.get("required", ()) if key in definition["properties"]]
    return {**definition, "required": required}


def referred(schema: Schema) -> str | None:
    """The name of the definition that a schema refers to."""
    reference = schema.get("$ref")
    return reference.removeprefix(_REFERENCE) if reference else None


def _merged(base: Schema, over: Schema) -> Schema:
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged


def _below(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """The schema with a change made to each schema right below it."""
    changed: Schema = {}
    for key, value in schema.items():
        if key in _MAPPINGS:
            changed[key] = {name: change(child) for name, child in value.items()}
        elif key in _LISTS:
            changed[key] = [change(child) for child in value]
        else:
            changed[key] = change(value) if key in _SINGLE and isinstance(value, dict) else value
    return changed


def _tidied(schema: Schema) -> Schema:
    """Pydantic's schema without what tells a reader nothing; null is nowhere a value of its own."""
    tidied = _below(schema, _tidied)
    tidied.pop("title", None)
    if "default" in tidied and tidied["default"] in (None, {}, []):
        tidied.pop("default", None)
    if tidied.get("type") == "array":
        tidied = {_LENGTHS.get(key, key): value for key, value in tidied.items()}
    return _without_null(_with_key_names(tidied))


def _with_key_names(schema: Schema) -> Schema:
    """Tells a key's pattern as such, so that an editor shows what is expected of it."""
    if "patternProperties" not in schema:
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("patternProperties", "propertyNames")}
    ((pattern, value),) = schema["patternProperties"].items()
    return {**kept, "propertyNames": {"pattern": pattern, **schema["propertyNames"]}, "additionalProperties": value}


def _without_null(schema: Schema) -> Schema:
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if not kinds:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kinds[0], **rest} if len(kinds) == 1 else {"anyOf": kinds, **rest}


def catalog_schema() -> Schema:
    """The schema of either file: any key may be left to the other file, or be null to remove the other's.

    In a list nothing is left out or removed, as a list replaces the other file's as a whole.
    """
    found = definitions()
    opened = {name: _opened(definition) for name, definition in found.items()}
    whole = {name + _ITEM: _whole(definition) for name, definition in found.items()}
    root = {**opened.pop(ROOT), "description": _DESCRIPTION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fleetform catalog",
        **root,
        "$defs": _reached(root, {**opened, **whole}),
    }


def schema_text() -> str:
    """The schema's file."""
    return json.dumps(catalog_schema(), indent=2, ensure_ascii=False) + "\n"


def _opened(schema: Schema) -> Schema:
    """What one file may say of what both together have to say."""
    opened = {key: value for key, value in schema.items() if key not in ("required", "minProperties")}
    if "items" in opened:
        return {**opened, "items": _whole(opened["items"])}
    if "prefixItems" in opened:
        return {**opened, "prefixItems": [_whole(item) for item in opened["prefixItems"]]}
    opened = _below(opened, _opened)
    if "properties" in opened:
        opened["properties"] = {name: _or_null(child) for name, child in opened["properties"].items()}
    if isinstance(opened.get("additionalProperties"), dict):
        opened["additionalProperties"] = _or_null(opened["additionalProperties"])
    return opened


def _whole(schema: Schema) -> Schema:
    name = referred(schema)
    whole = _below(schema, _whole)
    return {**whole, "$ref": _REFERENCE + name + _ITEM} if name else whole


def _or_null(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str | list) and "const" not in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return {**schema, "type": [*kinds, "null"], **values}
    told: Schema = {key: schema[key] for key in ("description", "default", "examples") if key in schema}
    kind = {key: value for key, value in schema.items() if key not in told}
    alternatives = kind["anyOf"] if kind.keys() == {"anyOf"} else [kind]
    return {"anyOf": [*alternatives, {"type": "null"}], **told}


def _reached(root: Schema, found: Mapping[str, Schema]) -> dict[str, Schema]:
    """The definitions that a schema needs, sorted."""
    names: set[str] = set()
    wanted = _names(root)
    while wanted:
        names |= wanted
        wanted = {name for known in wanted for name in _names(found[known])} - names
    return {name: found[name] for name in sorted(names)}


def _names(schema: Schema) -> set[str]:
    """The definitions that a schema refers to by itself."""
    names = {name} if (name := referred(schema)) else set()

    def note(child: Schema) -> Schema:
        names.update(_names(child))
        return child

    _below(schema, note)
    return names
