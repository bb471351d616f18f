"""From files to an Environment, or to every problem that they have, reported together."""

import types
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fleetform import collector
from fleetform.catalog.checks import check_calls, check_environment, check_services, suggestion
from fleetform.catalog.models import Environment, Service
from fleetform.catalog.nodes import Node, read
from fleetform.catalog.overlay import overlay, without_nulls
from fleetform.catalog.repository import check_builds, refuse_outside
from fleetform.errors import CatalogError, InputError, Position, Problem

CATALOG = PurePath("envs/catalog.yaml")

_KINDS: Mapping[type, str] = {dict: "a mapping", list: "a list", str: "text", int: "a number", bool: "true or false"}
_EXPECTED: Mapping[str, str] = {
    "bool_type": "true or false, without quotes, is expected",
    "dict_type": "a mapping is expected",
    "greater_than_equal": "{ge} or more is expected",
    "int_type": "a whole number, without quotes, is expected",
    "less_than_equal": "{le} or less is expected",
    "literal_error": "one of {expected} is expected",
    "mapping_type": "a mapping is expected",
    "model_type": "a mapping is expected",
    "string_type": "text is expected",
    "too_long": "a length of {max_length} or less is expected",
    "too_short": "a length of {min_length} or more is expected",
    "tuple_type": "a list is expected",
    "value_error": "{error}",
}
"""What is expected, by the kind of pydantic's error and with its context."""


def environment_file(name: str) -> PurePath:
    """The YAML of an environment, from the project's root."""
    return PurePath("envs", name, "environment.yaml")


def environment_names(root: Path) -> list[str]:
    """The environments of a project, sorted."""
    return sorted(path.parent.name for path in (root / "envs").glob("*/environment.yaml"))


@collector.paused()
def load(root: Path, name: str) -> Environment:
    """Loads one environment of the project in `root`.

    With a file that cannot be read to its end, only that is reported: all else would follow from it.

    Raises:
        InputError: There is no such environment, a file is missing, or it leads out of the repository.
        CatalogError: The YAML has problems; it holds all of them.
    """
    names = environment_names(root)
    if name not in names:
        raise InputError(f"no environment `{name}` in envs/; {suggestion(name, names)}")
    problems: list[Problem] = []
    base, over = (_read_mapping(root, file, problems) for file in (CATALOG, environment_file(name)))
    empty = {node.position.file for node in (base, over) if not node.value}
    if any(problem.position.file in empty for problem in problems):
        raise CatalogError(problems)
    tree = overlay(base, over)
    problems += check_builds(root, tree)
    return validate(tree, name, problems)


def _read_mapping(root: Path, file: PurePath, problems: list[Problem]) -> Node:
    """Reads a file whose top level has to be a mapping; adds to the problems."""
    refuse_outside(root, file)
    node, found = read(root / file, file)
    problems += found
    if isinstance(node.value, dict):
        return node
    problems.append(Problem(node.position, "a mapping is expected", "write `key: value` lines"))
    return Node({}, node.position)


def validate(tree: Node, name: str, problems: list[Problem]) -> Environment:
    """Makes an Environment of a tree.

    Args:
        tree: The overlaid tree.
        name: The environment's name.
        problems: Those found so far; with any, the result is a CatalogError however sound the tree is.

    Raises:
        CatalogError: There are problems.
    """
    tree = without_nulls(tree)
    plain = tree.plain()
    found = [*problems, *check_calls(tree)]
    if not isinstance(plain, dict):
        raise CatalogError([*found, Problem(tree.position, "a mapping is expected", "write `application: ...`")])
    environment = None
    try:
        environment = Environment.model_validate({**plain, "name": name})
    except ValidationError as error:
        found += [_problem(details, tree) for details in error.errors(include_url=False)]
    if "name" in plain:
        found.append(_unknown_key(("name",), tree))
    services = environment.services if environment is not None else _sound_services(plain.get("services"))
    found += check_services(services, tree)
    if environment is not None:
        found += check_environment(environment, tree)
    if found or environment is None:
        raise CatalogError(list(dict.fromkeys(found)))
    return environment


def _sound_services(plain: object) -> dict[str, Service]:
    sound = {}
    for name, service in plain.items() if isinstance(plain, dict) else ():
        try:
            sound[name] = Service.model_validate(service)
        except ValidationError:
            continue
    return sound


def _problem(details: ErrorDetails, tree: Node) -> Problem:
    """Says a pydantic error in the catalog's words, at the place in the YAML that it is about."""
    # Pydantic's path to a key that is wrong ends in this; nothing in the tree is there, unless a key is called so.
    about_key = details["loc"][-1] == "[key]" and tree.at(details["loc"]) is None
    path = details["loc"][:-1] if about_key else details["loc"]
    if details["type"] == "extra_forbidden":
        return _unknown_key(path, tree)
    if details["type"] == "missing":
        return _missing_key(path, tree)
    node = tree.at(path)
    position = _position(tree, path, key=about_key or node is None)
    shown = str(path[-1]) if about_key else _shown(details["input"])
    expected = _EXPECTED.get(details["type"], "{msg}").format(msg=details["msg"], **details.get("ctx", {}))
    return Problem(position, f"{_label(path)} is {shown}", expected)


def _shown(value: object) -> str:
    if isinstance(value, (dict, list, tuple)):
        return "empty" if not value else _KINDS[list if isinstance(value, tuple) else type(value)]
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    limit = 60
    return f"`{text if len(text) <= limit else text[:limit] + '…'}`"


def _label(path: tuple[str | int, ...]) -> str:
    """``services.web.calls[0]`` in code quotes."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"`{text.removeprefix('.')}`"


def _position(tree: Node, path: tuple[str | int, ...], *, key: bool) -> Position:
    """Where a path is written; where it is not, the nearest key above it."""
    while (node := tree.at(path)) is None:
        path = path[:-1]
    return node.key_position if key and node.key_position else node.position


def _unknown_key(path: tuple[str | int, ...], tree: Node) -> Problem:
    known = _keys_at(path[:-1])
    where = f" in {_label(path[:-1])}" if path[:-1] else ""
    return Problem(
        _position(tree, path, key=True), f"unknown key `{path[-1]}`{where}", suggestion(str(path[-1]), known)
    )


def _missing_key(path: tuple[str | int, ...], tree: Node) -> Problem:
    where = f" in {_label(path[:-1])}" if path[:-1] else ""
    position = _position(tree, path[:-1], key=True)
    return Problem(position, f"`{path[-1]}` is missing{where}", f"add `{path[-1]}:`")


def _keys_at(path: tuple[str | int, ...]) -> list[str]:
    """The keys that the model at a path has."""
    kind: Any = Environment
    for step in path:
        kind = _without_none(_element(kind, step))
    return [key for key in kind.model_fields if (kind, key) != (Environment, "name")]


def _element(kind: Any, step: str | int) -> Any:  # noqa: ANN401 - type expressions have no common type
    """The type at one step into a model, a mapping or a tuple."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields[str(step)].annotation
    element = get_args(kind)[0 if isinstance(step, int) else 1]
    return get_args(element)[0] if get_origin(element) is Annotated else element


def _without_none(kind: Any) -> Any:  # noqa: ANN401 - type expressions have no common type
    return get_args(kind)[0] if get_origin(kind) in (Union, types.UnionType) else kind
