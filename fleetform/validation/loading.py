"""Load an Environment from its files, or report every problem in them together."""

import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fleetform.base import gc
from fleetform.base.errors import CatalogError, InputError, Position, Problem
from fleetform.base.suggestions import path_label, suggestion
from fleetform.catalog.files import CATALOG, environment_file, environment_names
from fleetform.catalog.inheritance import (
    SERVICE_KEYS,
    ResolvedTree,
    SharedKeys,
    merge_repeated_problems,
    resolve_inheritance,
)
from fleetform.catalog.models import Environment, Service
from fleetform.catalog.network_lock import read_numbers
from fleetform.catalog.nodes import Node, read_yaml
from fleetform.catalog.overlay import overlay, remove_nulls
from fleetform.catalog.repository import check_builds, reject_outside
from fleetform.validation.environments import check_environment
from fleetform.validation.limits import check_service_limits
from fleetform.validation.notices import find_notices
from fleetform.validation.routing import check_routing
from fleetform.validation.services import check_calls, check_services

_TYPE_NAMES: Mapping[type, str] = {
    dict: "a mapping",
    list: "a list",
    str: "text",
    int: "a number",
    bool: "true or false",
}
_WORDS = re.compile(r"[\w./-]+( [\w./-]+)*")
_EXPECTED: Mapping[str, str] = {
    "bool_type": "expected true or false, without quotes",
    "dict_type": "expected a mapping: `key: value` lines",
    "greater_than_equal": "expected {ge} or more",
    "int_type": "expected a whole number, without quotes",
    "less_than_equal": "expected {le} or less",
    "literal_error": "expected {expected}",
    "mapping_type": "expected a mapping: `key: value` lines",
    "model_type": "expected a mapping: `key: value` lines",
    "string_type": "expected text",
    "too_long": "expected {max_length} or fewer {parts}",
    "too_short": "expected {min_length} or more {parts}",
    "tuple_type": "expected a list{list}",
    "value_error": "{error}",
}
"""What was expected, by the type of pydantic's error, formatted with its context."""


@gc.paused()
def load(root: Path, name: str) -> Environment:
    """Load one environment of the project in `root`.

    If a file cannot be parsed to its end, only that is reported, because other problems would follow from it.

    Raises:
        InputError: The environment or a file does not exist, or a file is a link to outside the repository.
        CatalogError: The YAML has problems; the error holds all of them.
    """
    return validate(read_environment(root, name))


@gc.paused()
def load_with_notices(root: Path, name: str) -> tuple[Environment, list[Problem]]:
    """Load one environment with its notices, by position; raises what `load` raises."""
    resolved = read_environment(root, name)
    environment = validate(resolved)
    return environment, find_notices(environment, remove_nulls(resolved.tree))


def read_environment(root: Path, name: str) -> ResolvedTree:
    """Read one environment: its YAML laid over the catalog, with everything that services inherit.

    Raises:
        InputError: The environment or a file does not exist.
    """
    names = environment_names(root)
    if name not in names:
        raise InputError(f"unknown environment `{name}`; {suggestion(name, names)}")
    problems: list[Problem] = []
    base, overlay_node = (_read_mapping(root, file, problems) for file in (CATALOG, environment_file(name)))
    empty = {node.position.file for node in (base, overlay_node) if not node.value}
    if any(problem.position.file in empty for problem in problems):
        raise CatalogError(problems)
    resolved = resolve_inheritance(overlay(base, overlay_node), name, names)
    builds = check_builds(root, resolved.tree)
    numbers, lock_problems = read_numbers(root, name)
    problems += lock_problems
    return replace(resolved, problems=[*problems, *resolved.problems, *builds], zone_numbers=numbers)


def _read_mapping(root: Path, file: PurePath, problems: list[Problem]) -> Node:
    """Read a file whose top level must be a mapping; append to `problems`."""
    reject_outside(root, file)
    node, file_problems = read_yaml(root / file, file)
    problems += file_problems
    if isinstance(node.value, dict):
        return node
    problems.append(Problem(node.position, "expected a mapping", "write `key: value` lines"))
    return Node({}, node.position)


def validate(resolved: ResolvedTree) -> Environment:
    """Validate what was read as an Environment.

    Raises:
        CatalogError: There are problems, in the tree or from reading it.
    """
    tree, name = remove_nulls(resolved.tree), resolved.name
    plain = tree.plain()
    problems = [*resolved.problems, *check_calls(tree, name, resolved.absent)]
    if not isinstance(plain, dict):
        raise CatalogError(
            [*problems, Problem(tree.position, "expected a mapping", "write `application: ...`")]
        )
    environment = None
    try:
        environment = Environment.model_validate({**plain, "name": name}).with_zone_numbers(
            resolved.zone_numbers
        )
    except ValidationError as error:
        problems += [
            _missing_key_problem(details["loc"], resolved.tree)
            if details["type"] == "missing"
            else _translate_error(details, tree)
            for details in error.errors(include_url=False)
        ]
    if "name" in plain:
        problems.append(_unknown_key_problem(("name",), tree))
    services = environment.services if environment is not None else _valid_services(plain.get("services"))
    for check in (check_services, check_service_limits):
        problems += check(services, tree)
    if environment is not None:
        problems += check_environment(environment, tree)
        problems += check_routing(environment, tree)
    shared = _check_shared(remove_nulls(resolved.shared))
    if problems or shared or environment is None:
        raise CatalogError(merge_repeated_problems(resolved, problems, shared))
    return environment


def _check_shared(shared: Node) -> list[Problem]:
    """Return the problems of `defaults` and `templates` themselves; a partial service may lack any key."""
    try:
        SharedKeys.model_validate(shared.plain())
    except ValidationError as error:
        return [
            _translate_error(details, shared)
            for details in error.errors()
            if not _concerns_whole_mapping(details)
        ]
    return []


def _concerns_whole_mapping(details: ErrorDetails) -> bool:
    """Return whether an error is about a missing key, or about how the entries of a mapping go together."""
    return details["type"] == "missing" or (
        details["type"] == "value_error" and isinstance(details["input"], dict)
    )


def _valid_services(plain: object) -> dict[str, Service]:
    sound = {}
    for name, service in plain.items() if isinstance(plain, dict) else ():
        try:
            sound[name] = Service.model_validate(service)
        except ValidationError:
            continue
    return sound


def _translate_error(details: ErrorDetails, tree: Node) -> Problem:
    """Translate a pydantic error into a problem at its position in the YAML."""
    # Pydantic's path to an invalid key ends in `[key]`. The tree has no such node, unless a key has that
    # name.
    about_key = details["loc"][-1] == "[key]" and tree.at(details["loc"]) is None
    path = details["loc"][:-1] if about_key else details["loc"]
    if details["type"] == "extra_forbidden":
        return _unknown_key_problem(path, tree)
    path = _shorten_path(path, tree)
    node = tree.at(path)
    position = _find_position(tree, path, key=about_key or node is None)
    expected = _EXPECTED.get(details["type"], "{msg}").format(msg=details["msg"], **_error_context(details))
    if about_key:
        return Problem(position, f"`{path[-1]}` is not a valid key of {path_label(path[:-1])}", expected)
    return Problem(position, f"{path_label(path)} is {_format_value(details['input'])}", expected)


def _error_context(details: ErrorDetails) -> dict[str, Any]:
    """Return Pydantic's context of an error, with legal words in code quotes and the unit of a length."""
    context = dict(details.get("ctx", {}))
    parts = "characters" if isinstance(details["input"], str) else "entries"
    legal = str(context.get("expected", "")).replace("'", "`")
    return {**context, "parts": parts, "expected": legal, "list": _suggest_list(details["input"])}


def _suggest_list(value: object) -> str:
    """Suggest the list that plain words may be meant as."""
    words = value.split() if isinstance(value, str) and _WORDS.fullmatch(value) else []
    return f", such as [{', '.join(words)}]" if words else ""


def _shorten_path(path: tuple[str | int, ...], tree: Node) -> tuple[str | int, ...]:
    """Return the path without its last key if a mapping is written in its short form."""
    above = tree.at(path[:-1])
    short = above is not None and not isinstance(above.value, (dict, list))
    return path[:-1] if short else path


def _format_value(value: object) -> str:
    if isinstance(value, (dict, list, tuple)):
        return "empty" if not value else _TYPE_NAMES[list if isinstance(value, tuple) else type(value)]
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    limit = 60
    return f"`{text if len(text) <= limit else text[:limit] + '…'}`"


def _find_position(tree: Node, path: tuple[str | int, ...], *, key: bool) -> Position:
    """Return the position of a path, or of the nearest key above it that is written."""
    while (node := tree.at(path)) is None:
        path = path[:-1]
    return node.key_position if key and node.key_position else node.position


def _unknown_key_problem(path: tuple[str | int, ...], tree: Node) -> Problem:
    where = f" in {path_label(path[:-1])}" if path[:-1] else ""
    remedy = suggestion(str(path[-1]), _model_keys(path[:-1]))
    return Problem(_find_position(tree, path, key=True), f"unknown key `{path[-1]}`{where}", remedy)


def _missing_key_problem(path: tuple[str | int, ...], tree: Node) -> Problem:
    """Return the problem of a required key that is missing from a tree in which nulls are still present."""
    null = tree.at(path)
    if null is not None and null.replaced is not None:
        return Problem(
            null.position,
            f"null removes {path_label(path)}, but it is required",
            "give it a value, or remove this line",
        )
    if null is not None:
        return Problem(null.position, f"{path_label(path)} is null, but it is required", "give it a value")
    where = f" in {path_label(path[:-1])}" if path[:-1] else ""
    position = _find_position(tree, path[:-1], key=True)
    return Problem(position, f"`{path[-1]}` is missing{where}", f"add `{path[-1]}:`")


def _model_keys(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys of the model at a path."""
    kind: Any = SharedKeys if path and path[0] in SharedKeys.model_fields else Environment
    for step in path:
        kind = _unwrap_type(_child_type(kind, step))
    resolved: Mapping[Any, Iterable[str]] = {
        Environment: SharedKeys.model_fields,
        Service: () if path[:1] == ("defaults",) else SERVICE_KEYS,
    }
    return [
        *(key for key in kind.model_fields if (kind, key) != (Environment, "name")),
        *resolved.get(kind, ()),
    ]


def _child_type(kind: Any, step: str | int) -> Any:  # noqa: ANN401 - type expressions have no common type
    """Return the type at one step into a model, a mapping or a tuple."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields[str(step)].annotation
    return get_args(kind)[0 if isinstance(step, int) else 1]


def _unwrap_type(kind: Any) -> Any:  # noqa: ANN401 - type expressions have no common type
    """Return a type without its annotations and without an optional None."""
    while get_origin(kind) in (Annotated, Union, types.UnionType):
        kind = get_args(kind)[0]
    return kind
