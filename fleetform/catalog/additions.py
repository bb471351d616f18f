"""A new service, a new environment: YAML that is put between the lines that are there, all of which stay as they are.

No YAML library writes a file here. One that keeps comments still changes braces, blanks and the ends of lines, and a
review would show a change that nobody made.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from fleetform.catalog.files import CATALOG
from fleetform.catalog.models import url_variable
from fleetform.catalog.nodes import parse
from fleetform.catalog.schema import SCHEMA
from fleetform.catalog.types import ServiceName
from fleetform.errors import InputError

OWN_KEYS = ("name_prefix", "namespace", "state")
"""What names an environment's own things: two environments cannot share it."""

_SCHEMA_LINE = f"# yaml-language-server: $schema=../{SCHEMA.name}"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# With its end, as YAML 1.1 and so the reader counts lines.
_LINE = re.compile("[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])|[^\n\r\x85\u2028\u2029]+$")
_NAME: TypeAdapter[str] = TypeAdapter(ServiceName)


@dataclass(frozen=True)
class NewService:
    """What is known of a service that is new.

    Attributes:
        name: Its name.
        port: The port that it listens on; None for a worker that nobody calls.
        calls: The services that it calls.
        image: An image that is built elsewhere; None for one that is built here.
    """

    name: str
    port: int | None = None
    calls: tuple[str, ...] = ()
    image: str | None = None

    @property
    def context(self) -> PurePath:
        """The folder that its image is built from, if it is built here."""
        return PurePath("containers", self.name)


def require_name(name: str) -> None:
    """Makes sure that a service or an environment may be called so.

    Raises:
        InputError: It may not.
    """
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        raise InputError(f"`{name}` is no name: {error.errors()[0]['ctx']['error']}") from None


def with_service(text: str, service: NewService) -> str:
    """Puts a service behind the others.

    Args:
        text: The catalog, which can be read without a problem.
        service: The service, which the catalog does not have yet.

    Raises:
        InputError: The services are not written one below the other.
    """
    services = _entries(text).get("services")
    if services is None or not isinstance(services.value, yaml.MappingNode) or services.value.flow_style:
        raise InputError(f"{CATALOG}: no block `services:` with a service on lines of its own; begin it by hand")
    names = [key for key, _ in services.value.value]
    column = names[0].start_mark.column
    lines = _lines(text)
    last = _last_line(lines, services, column)
    ending = _ending(text)
    if not lines[last].endswith(("\n", "\r")):
        lines[last] += ending
    added = [" " * column + line if line else "" for line in ["", *_service_lines(service)]]
    return "".join([*lines[: last + 1], *(line + ending for line in added), *lines[last + 1 :]])


def _service_lines(service: NewService) -> Iterator[str]:
    yield "# Say here what it is for. All keys: docs/catalog.md"
    yield f"{service.name}:"
    if service.image is None:
        yield "  # Built from the Dockerfile in this folder; `image:` instead takes an image that is built elsewhere."
        yield f"  build: {{ context: {service.context} }}"
    else:
        yield "  # Built elsewhere; `build: { context: FOLDER }` instead builds it here."
        yield f"  image: {_scalar(service.image)}"
    if service.port is not None:
        yield f"  # Those who call it get {url_variable(service.name)}."
        yield f"  port: {service.port}"
    if service.calls:
        yield f"  # Nothing else is open to it. Each gives it a variable, such as {url_variable(service.calls[0])}."
        yield f"  calls: [{', '.join(map(_scalar, service.calls))}]"


def _scalar(text: str) -> str:
    """Text as it stands in a list, quoted if it would be read as something else."""
    tree, problems = parse(f"[{text}]", CATALOG)
    return text if tree.plain() == [text] and not problems else json.dumps(text)


@dataclass(frozen=True)
class NewEnvironment:
    """An environment's YAML, made of another's.

    Attributes:
        text: The YAML.
        left_out: The keys of the other that are not in it.
    """

    text: str
    left_out: tuple[str, ...]


def environment_like(text: str, like: str, name: str) -> NewEnvironment:
    """Makes an environment's YAML of another's, comments and all, without what is the other's own.

    Args:
        text: The other's YAML, which can be read without a problem.
        like: The other's name.
        name: The new one's name.

    Raises:
        InputError: What is to be left out does not stand on lines of its own.
    """
    entries = _entries(text)
    lines: list[str | None] = [*_lines(text)]
    left_out = tuple(key for key in OWN_KEYS if key in entries)
    for key in left_out:
        _leave_out(lines, entries[key], like)
    kept = [line for line in lines if line is not None and not line.startswith(_SCHEMA_LINE)]
    head = [_SCHEMA_LINE, f"# {name} was begun as a copy of {like}. Say here what it is for, and what sets it apart."]
    if left_out:
        head.append(f"# Without what is {like}'s own: {', '.join(left_out)}.")
    ending = _ending(text)
    return NewEnvironment("".join([*(line + ending for line in head), *kept]), left_out)


@dataclass(frozen=True)
class _Entry:
    """A key of the top level and its value, as PyYAML's nodes."""

    key: yaml.Node
    value: yaml.Node


def _entries(text: str) -> dict[str, _Entry]:
    root: Any = yaml.compose(text, Loader=_LOADER)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return {key.value: _Entry(key, value) for key, value in pairs}


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _last_line(lines: Sequence[str | None], entry: _Entry, column: int) -> int:
    """The last line of an entry; comments behind it belong to it if they begin in this column or further on."""
    end = entry.value.end_mark
    last: int = end.line if end.column else end.line - 1
    while last > entry.key.start_mark.line and not _belongs(lines[last] or "", column):
        last -= 1
    return last


def _belongs(line: str, column: int) -> bool:
    written = line.lstrip(" ")
    return bool(written.strip()) and (not written.startswith("#") or len(line) - len(written) >= column)


def _leave_out(lines: list[str | None], entry: _Entry, like: str) -> None:
    """Takes an entry away, with the comment right above it and, if it stood alone, the blank line below."""
    first = entry.key.start_mark.line
    if entry.key.start_mark.column:
        key = entry.key.value
        raise InputError(f"envs/{like}/environment.yaml:{first + 1}: `{key}` shares its line; give each key a line")
    last = _last_line(lines, entry, column=1)
    above = first
    while above > 0 and (lines[above - 1] or "").startswith("#"):
        above -= 1
    # A comment that begins the file is about the file.
    first = above if above > 0 else first
    if _is_blank(lines, first - 1) and _is_blank(lines, last + 1):
        last += 1
    lines[first : last + 1] = [None] * (last + 1 - first)


def _is_blank(lines: Sequence[str | None], index: int) -> bool:
    """Whether a line is blank, or there is none."""
    return not 0 <= index < len(lines) or not (lines[index] or "").strip()
