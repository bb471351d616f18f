"""The catalog's reference in docs/catalog.md: every key with its legal values, default and meaning."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

from fleetform.catalog.constants import GENERATED_MARK
from fleetform.catalog.patterns import SCALAR_TYPES
from fleetform.catalog.schema import ROOT, Schema, definitions, referenced_definition

DOCUMENT = PurePath("docs/catalog.md")
_NAME = "<name>"
_ITEM = "[]"
_WILDCARD = "*"
_MAX_LISTED = 24
_EXAMPLE = re.compile(r",? such as (.*)$")
_TYPE_NAMES = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`"}


@dataclass(frozen=True)
class _Section:
    """The section of a definition, at the first path that has it.

    Attributes:
        kind: The definition's name.
        path: The keys that lead to it, with placeholders for freely chosen names and list items.
    """

    kind: str
    path: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """The anchor of its keys, without `-keys`."""
        return "-".join(step for step in self.path if step not in (_NAME, _ITEM))

    @property
    def heading(self) -> str:
        """Its heading: the services of an environment get a chapter."""
        if not self.path:
            return "## Environment"
        level = "##" if self.path[1:] == (_NAME,) else "###"
        return f'{level} <a id="{self.anchor}-keys"></a>`{".".join(self.path).replace(f".{_ITEM}", _ITEM)}`'


def render_reference() -> str:
    """Format the reference in Markdown, beginning with the mark."""
    schemas, sections = definitions(), _sections()
    parts = [_render_section(section, schemas[section.kind], sections) for section in sections.values()]
    return "\n\n".join([GENERATED_MARK, *parts]) + "\n"


def anchor(path: Sequence[str | int]) -> str:
    """Return the anchor of a key's row in the reference; empty for a path without keys of the catalog.

    Args:
        path: The keys that lead to a value in a resolved environment, such as `services`, `web`, `cpu`.
            Indices are optional.
    """
    schemas, sections = definitions(), _sections()
    schema, row = schemas[ROOT], ""
    section = sections[ROOT]
    for step in path:
        if step in schema.get("properties", {}):
            row = f"{section.anchor}-{step}".removeprefix("-")
            schema = schema["properties"][step]
        elif not isinstance(step, int):
            schema = _values_schema(schema)
        schema = schema.get("items", schema)
        kind = _definition_of(schema)
        if kind:
            schema, section = schemas[kind], sections[kind]
    return row


def key_paths() -> Mapping[tuple[str, str], str]:
    """Return every key of the catalog, such as `services.*.calls.*.port`, by definition and key.

    `*` stands for a freely chosen name and for a list item. A definition with several paths appears only at
    the first, as in the document.
    """
    return {
        (kind, key): ".".join(
            [*(_WILDCARD if step in (_NAME, _ITEM) else step for step in section.path), key]
        )
        for kind, section in _sections().items()
        for key in definitions()[kind]["properties"]
    }


def _values_schema(schema: Schema) -> Schema:
    values = schema.get("additionalProperties")
    return values if isinstance(values, dict) else {}


def _definition_of(schema: Schema) -> str | None:
    """Return the definition that a schema refers to, directly or next to a short form."""
    return next(filter(None, map(referenced_definition, (schema, *schema.get("anyOf", ())))), None)


@cache
def _sections() -> Mapping[str, _Section]:
    """Return the sections, by definition, in the document's order."""
    sections: dict[str, _Section] = {}
    _collect_sections(_Section(ROOT, ()), sections)
    return sections


def _collect_sections(section: _Section, sections: dict[str, _Section]) -> None:
    """Add a section, then the sections of its mappings that do not exist yet."""
    sections[section.kind] = section
    for key, schema in definitions()[section.kind]["properties"].items():
        for kind, steps in _definitions_below(schema):
            if kind not in sections:
                _collect_sections(_Section(kind, (*section.path, key, *steps)), sections)


def _definitions_below(schema: Schema) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the definitions that a schema leads to, each with the steps to it."""
    if kind := referenced_definition(schema):
        yield kind, ()
    for child in schema.get("anyOf", ()):
        yield from _definitions_below(child)
    for key, step in (("items", _ITEM), ("additionalProperties", _NAME)):
        if isinstance(schema.get(key), dict):
            yield from ((kind, (step, *steps)) for kind, steps in _definitions_below(schema[key]))


def _render_section(section: _Section, schema: Schema, sections: Mapping[str, _Section]) -> str:
    rows = [
        [
            f'<a id="{f"{section.anchor}-{key}".removeprefix("-")}"></a>`{key}`',
            _legal_values(child, sections) + _example(child),
            "required" if key in schema.get("required", ()) else _default(child),
            _description(child),
        ]
        for key, child in schema["properties"].items()
    ]
    lines = [["key", "value", "default", "meaning"], ["---"] * 4, *rows]
    table = "\n".join(f"| {' | '.join(_escape_cell(text) for text in line)} |" for line in lines)
    return f"{section.heading}\n\n{_escape(schema['description'])}\n\n{table}"


def _description(schema: Schema) -> str:
    """Return a key's own description, or that of its mapping."""
    kind = _definition_of(schema)
    inherited = definitions()[kind].get("description", "") if kind else ""
    return _escape(str(schema.get("description", inherited)))


def _legal_values(schema: Schema, sections: Mapping[str, _Section]) -> str:
    """Return the legal values."""
    if kind := referenced_definition(schema):
        return f"[mapping](#{sections[kind].anchor}-keys)"
    if "anyOf" in schema:
        return " or ".join(_legal_values(child, sections) for child in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return _listed_values(schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return "list of " + _legal_values(schema["items"], sections) + _bounds(schema, "minItems", "maxItems")
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return "mapping of names to " + (
            _legal_values(values, sections) if isinstance(values, dict) else "anything"
        )
    return _scalar_values(schema)


def _scalar_values(schema: Schema) -> str:
    if "patternErrorMessage" in schema:
        return _EXAMPLE.sub("", _escape(schema["patternErrorMessage"]).removeprefix("expected "))
    kind = "string" if schema.get("type") == SCALAR_TYPES["type"] else schema.get("type")
    lengths = _bounds(schema, "minLength", "maxLength")
    return _TYPE_NAMES[str(kind)] + (
        f"{lengths} characters" if lengths else _bounds(schema, "minimum", "maximum")
    )


def _listed_values(values: Sequence[object]) -> str:
    listed = [f"`{_format_yaml(value)}`" for value in values]
    return ", ".join(listed if len(listed) <= _MAX_LISTED else [*listed[:3], "…", listed[-1]])


def _bounds(schema: Schema, least: str, most: str) -> str:
    if least in schema and most in schema:
        return f", {schema[least]} to {schema[most]}"
    if least in schema:
        return f", {schema[least]} or more"
    return f", {schema[most]} or less" if most in schema else ""


def _example(schema: Schema) -> str:
    """Return an example of the key, or of its pattern; values that are all listed need none."""
    if schema.get("examples") and "enum" not in schema:
        return f", such as `{_format_yaml(schema['examples'][0])}`"
    example = _EXAMPLE.search(schema.get("patternErrorMessage", ""))
    return f", such as `{example[1].replace(' or ', '` or `')}`" if example else ""


def _default(schema: Schema) -> str:
    if referenced_definition(schema) and "default" in schema:
        return "defaults of its keys"
    return f"`{_format_yaml(schema['default'])}`" if "default" in schema else "none"


def _format_yaml(value: object) -> str:
    """Format a value on one line, as in the catalog."""
    if isinstance(value, Mapping):
        entries = ", ".join(f"{key}: {_format_yaml(child)}" for key, child in value.items())
        return f"{{ {entries} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_format_yaml, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escape(text: str) -> str:
    """Put text on one line, and escape angle brackets outside code, which would be HTML."""
    parts = " ".join(text.split()).split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


def _escape_cell(text: str) -> str:
    return text.replace("|", r"\|")
