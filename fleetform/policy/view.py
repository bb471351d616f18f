"""The resource view: what the HCL of a stack and its modules says about each resource, as far as the text alone tells.

Module calls are bound to variables, defaults and tfvars; `for_each` over known values is expanded; references to
variables, locals and `each`, templates of them and `jsonencode` are resolved. All else is UNKNOWN, never guessed.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath
from typing import Final, TypeAlias

from fleetform import hcl
from fleetform.errors import CheckFailedError
from fleetform.policy.folders import Folders


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
Known: TypeAlias = "str | int | float | bool | list[Known] | dict[str, Known] | _Unknown | None"

_REFERENCE = re.compile(r"(var|local|each)((?:\.[A-Za-z_][\w-]*|\[\"[^\"]*\"\])+)")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[\"([^\"]*)\"\]")
_INTERPOLATION = re.compile(r"(?<!\$)\$\{([^{}]*)\}")
_BEYOND_INTERPOLATION = re.compile(r"\\|\$\{|%\{")
_META_ARGUMENTS = frozenset({"count", "depends_on", "for_each", "lifecycle", "provider"})


@dataclass(frozen=True)
class Resource:
    """A resource, or a data source, of a stack.

    Attributes:
        address: As in a plan: `module.security.aws_security_group.this["web"]`; of data sources with `data.`.
        type: `aws_security_group`...
        values: What is known of its arguments; absent ones are absent, nested blocks are lists.
        file: The stack's file that asks for it, from the project's root.
        line: The line there: of the resource, of the module call, or of the entry that `for_each` came from.
    """

    address: str
    type: str
    values: Mapping[str, Known]
    file: PurePath
    line: int


@dataclass(frozen=True)
class _Call:
    """The module call that a module's resources come from."""

    block: hcl.Block
    file: PurePath
    address: str
    folders: tuple[PurePath, ...] = ()


@dataclass(frozen=True)
class _Scope:
    """What references in a module mean."""

    variables: Mapping[str, Known]
    locals: Mapping[str, hcl.Value] = field(default_factory=dict)
    each: Mapping[str, Known] = field(default_factory=dict)


def resources(folders: Folders, stack: PurePath) -> list[Resource]:
    """All resources of a stack and of the modules that it calls, by address.

    Args:
        folders: Where folders are parsed.
        stack: The stack's folder, from the project's root.

    Raises:
        CheckFailedError: A file is not valid HCL, or a module calls itself.
    """
    given = {
        name: _resolve(value, _Scope({}))
        for file in folders.files(stack)
        if file.path.suffix == ".tfvars"
        for name, value in file.attributes.items()
    }
    return sorted(_module(folders, stack, given, None), key=lambda resource: resource.address)


def _module(folders: Folders, folder: PurePath, given: Mapping[str, Known], call: _Call | None) -> Iterator[Resource]:
    files = folders.files(folder)
    scope = _scope(files, given)
    above = call.folders if call else ()
    if folder in above:
        raise CheckFailedError(f"{folder.as_posix()}: the module calls itself; remove the call")
    for file in files:
        for block in file.blocks:
            if block.kind in {"resource", "data"}:
                yield from _instances(block, scope, call or _Call(block, file.path, ""))
            elif block.kind == "module" and isinstance(source := block.body.get("source"), str) and source[:1] == ".":
                arguments = {name: _resolve(value, scope) for name, value in block.body.items()}
                address = f"{call.address if call else ''}module.{block.labels[0]}."
                outermost = call or _Call(block, file.path, "")
                inner = _Call(outermost.block, outermost.file, address, (*above, folder))
                yield from _module(folders, PurePath(os.path.normpath(folder / source)), arguments, inner)


def _scope(files: list[hcl.File], given: Mapping[str, Known]) -> _Scope:
    blocks = [block for file in files for block in file.blocks]
    defaults = {
        block.labels[0]: _resolve(block.body["default"], _Scope({})) if "default" in block.body else UNKNOWN
        for block in blocks
        if block.kind == "variable"
    }
    local = {name: value for block in blocks if block.kind == "locals" for name, value in block.body.items()}
    return _Scope({**defaults, **{name: value for name, value in given.items() if name in defaults}}, local)


def _instances(block: hcl.Block, scope: _Scope, call: _Call) -> Iterator[Resource]:
    prefix = "data." if block.kind == "data" else ""
    address = f"{call.address}{prefix}{'.'.join(block.labels)}"
    for_each = block.body.get("for_each")
    if for_each is None:
        yield _resource(block, address, scope, call.file, call.block.line)
        return
    entries = _entries(_resolve(for_each, scope))
    if entries is None:
        unknown: dict[str, Known] = {"key": UNKNOWN, "value": UNKNOWN}
        yield _resource(
            block, f"{address}[*]", _Scope(scope.variables, scope.locals, unknown), call.file, call.block.line
        )
        return
    variable = for_each.text.removeprefix("var.") if isinstance(for_each, hcl.Expression) else ""
    for key, value in entries.items():
        inner = _Scope(scope.variables, scope.locals, {"key": key, "value": value})
        line = call.block.line_of(variable, key)
        yield _resource(block, f'{address}["{key}"]', inner, call.file, line)


def _entries(value: Known) -> dict[str, Known] | None:
    """What `for_each` goes over; None if that is not known."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {str(item): item for item in value}
    return None


def _resource(block: hcl.Block, address: str, scope: _Scope, file: PurePath, line: int) -> Resource:
    values = {name: _resolve(value, scope) for name, value in block.body.items() if name not in _META_ARGUMENTS}
    return Resource(address, block.labels[0], values, file, line)


def _resolve(value: hcl.Value, scope: _Scope) -> Known:
    match value:
        case hcl.Expression(text):
            return _expression(text, scope)
        case hcl.Call(_, argument):
            return _resolve(argument, scope)
        case list():
            return [_resolve(item, scope) for item in value]
        case dict():
            return {name: _resolve(item, scope) for name, item in value.items()}
        case _:
            return value


def _expression(text: str, scope: _Scope) -> Known:
    if match := _REFERENCE.fullmatch(text):
        return _reference(match[1], [name or label for name, label in _STEP.findall(match[2])], scope)
    if text.startswith('"') and not text.startswith('"<<'):
        return _template(text, scope)
    return UNKNOWN


def _template(text: str, scope: _Scope) -> Known:
    if _BEYOND_INTERPOLATION.search(_INTERPOLATION.sub("", text)):
        return UNKNOWN
    values = [_expression(inner.strip(), scope) for inner in _INTERPOLATION.findall(text)]
    if not all(isinstance(value, (str, int, float)) for value in values):
        return UNKNOWN
    parts = (str(value).lower() if isinstance(value, bool) else str(value) for value in values)
    return _INTERPOLATION.sub(lambda _: next(parts), text)[1:-1]


def _reference(kind: str, steps: list[str], scope: _Scope) -> Known:
    first, *rest = steps
    value: Known
    if kind == "local":
        # Without itself: a local that refers to itself is an error of Terraform's, and no reason to go round for ever.
        others = {name: other for name, other in scope.locals.items() if name != first}
        inner = _Scope(scope.variables, others, scope.each)
        value = _resolve(scope.locals[first], inner) if first in scope.locals else UNKNOWN
    else:
        value = (scope.variables if kind == "var" else scope.each).get(first, UNKNOWN)
    for step in rest:
        value = value.get(step, UNKNOWN) if isinstance(value, dict) else UNKNOWN
    return value
