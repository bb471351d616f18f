"""Scaffold a service or an environment by inserting YAML between existing lines.

No YAML library writes a file here. Even one that preserves comments changes braces, blank lines and line
endings, so that a review would show unrelated changes.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from fleetform.base.errors import InputError
from fleetform.catalog.files import CATALOG
from fleetform.catalog.models import url_variable
from fleetform.catalog.nodes import parse_yaml
from fleetform.catalog.schema import SCHEMA
from fleetform.catalog.types import ServiceName

IDENTITY_KEYS = ("name_prefix", "namespace", "state")
"""Keys that identify one environment's resources, so that two environments cannot share their values."""

_SCHEMA_LINE = f"# yaml-language-server: $schema=../{SCHEMA.name}"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Includes the line break, as YAML 1.1 (and so our reader) counts lines.
_LINE = re.compile("[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])|[^\n\r\x85\u2028\u2029]+$")
_NAME: TypeAdapter[str] = TypeAdapter(ServiceName)


@dataclass(frozen=True)
class NewService:
    """A service to add to the catalog.

    Attributes:
        name: Its name.
        port: The port that it listens on; None for a worker without callers.
        calls: The services that it calls.
        image: An existing image; None to build one from this repository.
    """

    name: str
    port: int | None = None
    calls: tuple[str, ...] = ()
    image: str | None = None

    @property
    def context(self) -> PurePath:
        """The build context of its image, if it is built from this repository."""
        return PurePath("containers", self.name)


def validate_name(name: str) -> None:
    """Validate the name of a service or an environment.

    Raises:
        InputError: The name is not allowed.
    """
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        raise InputError(f"`{name}` is not a valid name: {error.errors()[0]['ctx']['error']}") from None


def insert_service(text: str, service: NewService) -> str:
    """Append a service to the catalog's services.

    Args:
        text: The catalog's YAML, already validated.
        service: The service, which the catalog does not have yet.

    Returns:
        The new YAML.

    Raises:
        InputError: The services are not a mapping in block style.
    """
    services = _top_level_entries(text).get("services")
    if services is None or not isinstance(services.value, yaml.MappingNode) or services.value.flow_style:
        raise InputError(f"{CATALOG}: no `services:` in block style; write the first service by hand")
    names = [key for key, _ in services.value.value]
    column = names[0].start_mark.column
    lines = _split_lines(text)
    last = _find_last_line(lines, services, column)
    ending = _line_ending(text)
    if not lines[last].endswith(("\n", "\r")):
        lines[last] += ending
    added = [" " * column + line if line else "" for line in ["", *_service_block(service)]]
    return "".join([*lines[: last + 1], *(line + ending for line in added), *lines[last + 1 :]])


def _service_block(service: NewService) -> Iterator[str]:
    yield "# Describe the service here. All keys: docs/catalog.md"
    yield f"{service.name}:"
    if service.image is None:
        yield "  # Built from the Dockerfile in this folder. For an existing image, write `image:` instead."
        yield f"  build: {{ context: {service.context} }}"
    else:
        yield "  # An existing image. To build it here, write `build: { context: FOLDER }` instead."
        yield f"  image: {_quote_if_needed(service.image)}"
    if service.port is not None:
        yield f"  # Callers get its URL in {url_variable(service.name)}."
        yield f"  port: {service.port}"
    if service.calls:
        variable = url_variable(service.calls[0])
        yield f"  # Opens only these connections. Each one adds a variable, such as {variable}."
        yield f"  calls: [{', '.join(map(_quote_if_needed, service.calls))}]"


def _quote_if_needed(text: str) -> str:
    """Format text as an item of a YAML list, quoted if it would be read as something else."""
    tree, problems = parse_yaml(f"[{text}]", CATALOG)
    return text if tree.plain() == [text] and not problems else json.dumps(text)


@dataclass(frozen=True)
class NewEnvironment:
    """An environment's YAML, copied from another environment.

    Attributes:
        text: The YAML.
        omitted_keys: The original's keys that were not copied.
    """

    text: str
    omitted_keys: tuple[str, ...]


def copy_environment(text: str, like: str, name: str) -> NewEnvironment:
    """Copy an environment's YAML, comments included, without the keys in `OWN_KEYS`.

    Args:
        text: The original's YAML, already validated.
        like: The original's name.
        name: The new environment's name.

    Raises:
        InputError: A key to leave out shares its line with another.
    """
    entries = _top_level_entries(text)
    lines: list[str | None] = [*_split_lines(text)]
    omitted_keys = tuple(key for key in IDENTITY_KEYS if key in entries)
    for key in omitted_keys:
        _remove_entry(lines, entries[key], like)
    copied_lines = [line for line in lines if line is not None and not line.startswith(_SCHEMA_LINE)]
    header = [_SCHEMA_LINE, f"# {name}, copied from {like}. Describe here what it is for and how it differs."]
    if omitted_keys:
        header.append(f"# Not copied, because they identify {like}: {', '.join(omitted_keys)}.")
    ending = _line_ending(text)
    return NewEnvironment("".join([*(line + ending for line in header), *copied_lines]), omitted_keys)


@dataclass(frozen=True)
class _Entry:
    """A top-level key and its value, as PyYAML nodes."""

    key: yaml.Node
    value: yaml.Node


def _top_level_entries(text: str) -> dict[str, _Entry]:
    root: Any = yaml.compose(text, Loader=_LOADER)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return {key.value: _Entry(key, value) for key, value in pairs}


def _split_lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _line_ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _find_last_line(lines: Sequence[str | None], entry: _Entry, column: int) -> int:
    """Return the last line of an entry, including later comments indented to `column` or deeper."""
    end = entry.value.end_mark
    last: int = end.line if end.column else end.line - 1
    while last > entry.key.start_mark.line and not _is_part_of_entry(lines[last] or "", column):
        last -= 1
    return last


def _is_part_of_entry(line: str, column: int) -> bool:
    text = line.lstrip(" ")
    return bool(text.strip()) and (not text.startswith("#") or len(line) - len(text) >= column)


def _remove_entry(lines: list[str | None], entry: _Entry, like: str) -> None:
    """Remove an entry, the comment right above it and, if blank lines surround it, the blank line below."""
    first = entry.key.start_mark.line
    if entry.key.start_mark.column:
        key = entry.key.value
        message = f"`{key}` shares a line with another key; put each key on its own line"
        raise InputError(f"envs/{like}/environment.yaml:{first + 1}: {message}")
    last = _find_last_line(lines, entry, column=1)
    above = first
    while above > 0 and (lines[above - 1] or "").startswith("#"):
        above -= 1
    # A comment at the top describes the file, not the entry.
    first = above if above > 0 else first
    if _is_blank(lines, first - 1) and _is_blank(lines, last + 1):
        last += 1
    lines[first : last + 1] = [None] * (last + 1 - first)


def _is_blank(lines: Sequence[str | None], index: int) -> bool:
    """Return whether a line is blank or outside the text."""
    return not 0 <= index < len(lines) or not (lines[index] or "").strip()
