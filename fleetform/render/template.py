"""The only Jinja environment.

By default a template prints values as HCL literals, so no value of a catalog can break out of its place.

- `{{ value }}` prints the value as an HCL literal.
- `{{ value | key }}` prints an object's key.
- `{{ value | word }}` prints a name without quotes, for use in a string or a reference, and rejects anything
  else.
- `{{ model | arguments("cpu", "memory") }}` prints an argument for each value that differs from its default.
- `{{ model | arguments("cpu", prefix="task_") }}` prints `task_cpu`.
- `{{ image | image_version }}` prints the tag or digest that follows the URL of an image's repository.
- `{{ call | url(labels) }}` prints the value of a call's variable.
- `{{ rule | peer("from") }}` prints the arguments for a rule's other side.
"""

import re
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

import jinja2
from pydantic import BaseModel

from fleetform.base import fingerprint
from fleetform.base.errors import InputError
from fleetform.catalog.images_lock import LockedImage
from fleetform.catalog.models import Container, HealthCheck
from fleetform.hcl.literals import Literal, key, literal
from fleetform.topology import VPC, Call, Rule

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ENDING = ".j2"
_EMPTY = re.compile(r"([{\[])\s*\n\s*([}\]])")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_BLANK_LINES_AT_EDGES = re.compile(r"(?<=[{\[])\n(?:[ \t]*\n)+|\n(?:[ \t]*\n)+(?=[ \t]*[}\]])")


class Text(str):
    """Text that is HCL already, printed unchanged."""

    __slots__ = ()


def _format_expression(value: object) -> str:
    if isinstance(value, jinja2.Undefined):
        return str(value)  # StrictUndefined raises here
    if isinstance(value, Text):
        return value
    return literal(cast("Literal", value))


def _word(value: str) -> Text:
    if not _WORD.fullmatch(value):
        raise ValueError(f"not a name: {value!r}")
    return Text(value)


def _argument(name: str, value: object) -> str:
    return f"{name} = {_format_expression(value)}"


def _arguments(model: BaseModel, *names: str, prefix: str = "") -> Text:
    values = {name: getattr(model, name) for name in names}
    fields = type(model).model_fields
    return Text(
        "\n".join(
            _argument(prefix + name, _plain(value, model))
            for name, value in values.items()
            if value != fields[name].default
        )
    )


def _plain(value: object, owner: BaseModel) -> object:
    """Convert nested models to plain values, without those that equal their defaults."""
    if isinstance(value, Mapping):
        return {name: _plain(item, owner) for name, item in value.items()}
    if not isinstance(value, BaseModel):
        return value
    plain = value.model_dump(exclude_defaults=True)
    if isinstance(value, HealthCheck):
        plain.pop("path", None)  # the module does not take it
        if isinstance(owner, Container):
            plain["command"] = owner.health_command
    return plain


def _peer(rule: Rule, side: str) -> Text:
    """Return the arguments for a rule's other side, `from` or `to`: port, and protocol unless TCP."""
    arguments = [_other_side(rule, side)]
    if rule.port is not None:
        arguments.append(_argument("port", rule.port))
    if rule.port is None or rule.protocol != "tcp":
        arguments.append(_argument("protocol", "-1" if rule.port is None else rule.protocol))
    return Text("\n".join(arguments))


def _other_side(rule: Rule, side: str) -> str:
    if rule.peer is not None:
        return _argument(f"{side}_group", rule.peer)
    if rule.prefix_list is not None:
        return _argument(
            f"{side}_prefix_list", Text(f"module.network.{_word(rule.prefix_list)}_prefix_list_id")
        )
    return _argument(f"{side}_cidr", Text("module.network.vpc_cidr_block") if rule.cidr == VPC else rule.cidr)


def _url(call: Call, labels: Mapping[str, str]) -> Text:
    """Return the value of a call's variable. The namespace of the environment is a variable of the stack."""
    if call.cidr is not None:
        return Text(_format_expression(call.url(call.callee)))
    return Text(f'"{call.url(f"{_word(labels[call.callee])}.${{var.namespace}}")}"')


def _image_version(image: LockedImage | None) -> Text:
    """Return the digest of the locked image, or a tag that no image has, as it follows a repository's URL."""
    if image is None:
        return Text(":unbuilt")
    algorithm, _, digest = image.digest.partition(":")
    return Text(f"@{_word(algorithm)}:{_word(digest)}")


class _BytecodeCache(jinja2.FileSystemBytecodeCache):
    """Compiled templates, in this user's private temporary folder.

    They are code, so the project's cache has none.

    Jinja refuses a folder that others can write. An entry is used only for the same source and the same code
    of ours.
    """

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - all projects share it
        return super().get_cache_key(name)

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(fingerprint.code().hex() + source)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def _bytecode_cache() -> _BytecodeCache | None:
    try:
        return _BytecodeCache(pattern="fleetform-%s")
    except (OSError, RuntimeError):  # no private folder
        return None


def _message(error: Exception) -> str:
    return str(error.message if isinstance(error, jinja2.TemplateError) else error)


def _line(error: Exception) -> int:
    """Return the line of a template in which an error was raised; 1 if that is not known."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.endswith(_ENDING)]
    return next((line for line in reversed(lines) if line), 1)


class Templates:
    """The templates of some folders.

    Args:
        folders: Each holds a folder of `*.j2` files for each name in `Stack.templates`. A file in an earlier
            one replaces that of the same name in a later one.
    """

    def __init__(self, *folders: Path) -> None:
        self._environment = jinja2.Environment(
            bytecode_cache=_bytecode_cache(),
            loader=jinja2.FileSystemLoader(folders),
            undefined=jinja2.StrictUndefined,
            finalize=_format_expression,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - HCL, which `finalize` escapes
        )
        self._environment.filters |= {
            "arguments": _arguments,
            "image_version": _image_version,
            "key": lambda name: Text(key(name)),
            "peer": _peer,
            "url": _url,
            "word": _word,
        }

    def names(self, folder: str) -> list[str]:
        """Return the templates of a folder, sorted, as `folder/file.j2`."""
        return sorted(
            name for name in self._environment.list_templates(["j2"]) if name.startswith(f"{folder}/")
        )

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """Render a template; single blank lines, none at the edges of a block, and `{}` for an empty one.

        Raises:
            InputError: The template has an error. A project can have templates of its own.
        """
        try:
            text = self._environment.get_template(name).render(values)
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            place = f"templates/{name}:{_line(error)}:1"
            raise InputError(
                f"{place}: {type(error).__name__}: {_message(error)}; fix the template"
            ) from error
        text = _BLANK_LINES.sub("\n\n", _BLANK_LINES_AT_EDGES.sub("\n", text))
        return _EMPTY.sub(r"\1\2", text)
