"""The catalog's JSON Schema (2020-12), generated from the models, for editors and for the reference.

Both files of an environment have the same keys, so one schema serves both. `load` rejects everything that the
schema rejects. Only `load` sees problems that involve more than one value or more than one file.
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

_LIST_KEYWORDS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPPING_KEYWORDS = ("properties", "patternProperties")
_SCHEMA_KEYWORDS = ("items", "additionalProperties", "propertyNames")
_LENGTH_KEYWORDS = {"minLength": "minItems", "maxLength": "maxItems"}
_REFERENCE_PREFIX = "#/$defs/"
# Suffix of the definition of a mapping in a list, which must be complete.
_ITEM_SUFFIX = "Item"

# Keys and constraints that the models lack, laid over the models' definitions as an environment is laid over
# the catalog: mappings merge by key, everything else replaces, None removes.
_OVERLAY: Schema = {
    ROOT: {
        "properties": {
            "name": None,
            "defaults": {
                "$ref": f"{_REFERENCE_PREFIX}Service",
                "description": "Partial service that every service inherits.",
            },
            "templates": {
                "type": "object",
                "additionalProperties": {"$ref": f"{_REFERENCE_PREFIX}Service"},
                "description": "Partial services that services and templates extend, by name. They do not"
                " run.",
            },
        }
    },
    "Service": {
        "properties": {
            "extends": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                "description": "Template, or list of templates, to inherit from; the last one wins.",
                "examples": ["web-service"],
            },
            "enabled_in": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Environments that have the service. Default: all.",
                "examples": [["dev", "local"]],
            },
            "cpu": {"enum": list(FARGATE_MEMORY)},
            "memory": {"enum": sorted({size for sizes in FARGATE_MEMORY.values() for size in sizes})},
        }
    },
}

_DESCRIPTION = (
    "The services of every environment, or what one environment changes. Mappings merge by key, everything "
    "else replaces, null removes."
)


@cache
def definitions() -> Mapping[str, Schema]:
    """Return the schema of each kind of mapping in a resolved environment, by its model's name."""
    _, schema = models_json_schema([(Environment, "validation")])
    merged = _merge({name: _tidy(definition) for name, definition in schema["$defs"].items()}, _OVERLAY)
    return {name: _drop_removed_required(definition) for name, definition in merged.items()}


def _drop_removed_required(definition: Schema) -> Schema:
    required = [key for key in definition.get("required", ()) if key in definition["properties"]]
    return {**definition, "required": required}


def referenced_definition(schema: Schema) -> str | None:
    """Return the name of the definition that a schema refers to."""
    reference = schema.get("$ref")
    return reference.removeprefix(_REFERENCE_PREFIX) if reference else None


def _merge(base: Schema, over: Schema) -> Schema:
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _map_children(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Apply a change to each schema right below a schema."""
    changed: Schema = {}
    for key, value in schema.items():
        if key in _MAPPING_KEYWORDS:
            changed[key] = {name: change(child) for name, child in value.items()}
        elif key in _LIST_KEYWORDS:
            changed[key] = [change(child) for child in value]
        else:
            changed[key] = change(value) if key in _SCHEMA_KEYWORDS and isinstance(value, dict) else value
    return changed


def _tidy(schema: Schema) -> Schema:
    """Return Pydantic's schema without titles, empty defaults and null, which is never a value."""
    tidied = _map_children(schema, _tidy)
    tidied.pop("title", None)
    if "default" in tidied and tidied["default"] in (None, {}, []):
        tidied.pop("default", None)
    if tidied.get("type") == "array":
        tidied = {_LENGTH_KEYWORDS.get(key, key): value for key, value in tidied.items()}
    return _drop_null(_move_key_pattern(tidied))


def _move_key_pattern(schema: Schema) -> Schema:
    """Move a key's pattern to `propertyNames`, so that an editor shows the expected form of the key."""
    if "patternProperties" not in schema:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("patternProperties", "propertyNames")}
    ((pattern, value),) = schema["patternProperties"].items()
    return {
        **rest,
        "propertyNames": {"pattern": pattern, **schema["propertyNames"]},
        "additionalProperties": value,
    }


def _drop_null(schema: Schema) -> Schema:
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if not kinds:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kinds[0], **rest} if len(kinds) == 1 else {"anyOf": kinds, **rest}


def catalog_schema() -> Schema:
    """Return the schema of either file: any key may be missing, or null to remove the other file's.

    In a list, mappings must be complete, because a list replaces the other file's list as a whole.
    """
    schemas = definitions()
    partial = {name: _allow_partial(definition) for name, definition in schemas.items()}
    items = {name + _ITEM_SUFFIX: _require_complete(definition) for name, definition in schemas.items()}
    root = {**partial.pop(ROOT), "description": _DESCRIPTION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fleetform catalog",
        **root,
        "$defs": _reachable_definitions(root, {**partial, **items}),
    }


def format_schema() -> str:
    """Format the schema's file."""
    return json.dumps(catalog_schema(), indent=2, ensure_ascii=False) + "\n"


def _allow_partial(schema: Schema) -> Schema:
    """Return the schema of one file, which need not contain what both files together must."""
    partial = {key: value for key, value in schema.items() if key not in ("required", "minProperties")}
    if "items" in partial:
        return {**partial, "items": _require_complete(partial["items"])}
    if "prefixItems" in partial:
        return {**partial, "prefixItems": [_require_complete(item) for item in partial["prefixItems"]]}
    partial = _map_children(partial, _allow_partial)
    if "properties" in partial:
        partial["properties"] = {name: _allow_null(child) for name, child in partial["properties"].items()}
    if isinstance(partial.get("additionalProperties"), dict):
        partial["additionalProperties"] = _allow_null(partial["additionalProperties"])
    return partial


def _require_complete(schema: Schema) -> Schema:
    name = referenced_definition(schema)
    complete = _map_children(schema, _require_complete)
    return {**complete, "$ref": _REFERENCE_PREFIX + name + _ITEM_SUFFIX} if name else complete


def _allow_null(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str | list) and "const" not in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return {**schema, "type": [*kinds, "null"], **values}
    annotations: Schema = {
        key: schema[key] for key in ("description", "default", "examples") if key in schema
    }
    kind = {key: value for key, value in schema.items() if key not in annotations}
    alternatives = kind["anyOf"] if kind.keys() == {"anyOf"} else [kind]
    return {"anyOf": [*alternatives, {"type": "null"}], **annotations}


def _reachable_definitions(root: Schema, schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the definitions that a schema needs, sorted."""
    names: set[str] = set()
    pending = _direct_references(root)
    while pending:
        names |= pending
        pending = {
            referred_name for name in pending for referred_name in _direct_references(schemas[name])
        } - names
    return {name: schemas[name] for name in sorted(names)}


def _direct_references(schema: Schema) -> set[str]:
    """Return the definitions that a schema refers to directly."""
    names = {name} if (name := referenced_definition(schema)) else set()

    def collect(child: Schema) -> Schema:
        names.update(_direct_references(child))
        return child

    _map_children(schema, collect)
    return names
