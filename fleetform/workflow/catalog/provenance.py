"""Explains where each value of an environment comes from.

A position in the YAML, a default, or another key.
"""

import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from fleetform.base.errors import CatalogError, InputError, Position
from fleetform.base.suggestions import suggestion
from fleetform.catalog.inheritance import ENABLED_IN
from fleetform.catalog.models import Environment
from fleetform.catalog.nodes import Node, Plain
from fleetform.topology import call_urls, dns_name, namespace
from fleetform.validation.loading import read_environment, validate

Steps: TypeAlias = tuple[str | int, ...]
"""A path of keys and indices from the top of an environment."""

WRITTEN = "written"
DEFAULT = "default"


@dataclass(frozen=True)
class OverriddenValue:
    """A value that another one replaced.

    Attributes:
        value: The value.
        position: Where it is written.
    """

    value: Plain
    position: Position


@dataclass(frozen=True)
class Fact:
    """A value of an environment: a scalar, a list of scalars, or an empty list or mapping.

    Attributes:
        path: Its path in the environment.
        value: The value; null if it was removed or is not set.
        origin: `written`, `default`, or the key that the value follows from.
        position: Where it, or the key that it follows from, is written; None for a default.
        overrode: The values that it replaced, the latest first.
    """

    path: Steps
    value: Plain
    origin: str
    position: Position | None
    overrode: tuple[OverriddenValue, ...] = ()

    @property
    def label(self) -> str:
        """Return its path as text, such as ``services.web.calls[0]``."""
        return label(self.path)

    @property
    def is_empty_default(self) -> bool:
        """Return whether it is an empty default."""
        return self.origin == DEFAULT and not self.overrode and self.value in (None, [], {})


@dataclass(frozen=True)
class Explanation:
    """An environment, value by value.

    Attributes:
        env: The environment's name.
        facts: Its values, in the order of the models.
        absent: The position of `enabled_in`, by service that is disabled here.
        error: The problems of the catalog; None if it is valid. If it is not, derived values are missing.
    """

    env: str
    facts: Sequence[Fact]
    absent: Mapping[str, Position]
    error: CatalogError | None


def label(path: Steps) -> str:
    """Return a path as users write it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def explain(root: Path, env: str) -> Explanation:
    """Explain an environment, even if its catalog has problems.

    Raises:
        InputError: The environment does not exist or a file is missing.
    """
    inherited = read_environment(root, env)
    absent = {name: node.position for name, node in inherited.absent.items()}
    try:
        tree, origins = _derive(inherited.tree, validate(inherited))
    except CatalogError as error:
        return Explanation(env, tuple(_facts(inherited.tree, Environment, ())), absent, error)
    facts = (_with_origin(fact, origins) for fact in _facts(tree, Environment, ()))
    return Explanation(env, tuple(facts), absent, None)


def _with_origin(fact: Fact, origins: Mapping[Steps, str]) -> Fact:
    return replace(fact, origin=origins.get(fact.path, fact.origin))


def _derive(tree: Node, environment: Environment) -> tuple[Node, dict[Steps, str]]:
    """Add derived values to the catalog's tree.

    Returns:
        The tree, and the key that each derived value follows from.
    """
    added: dict[Steps, tuple[Node, str]] = {}
    names = {"name_prefix": environment.prefix, "namespace": namespace(environment)}
    for key, value in names.items():
        if getattr(environment, key) is None:
            added[(key,)] = _following(tree, value, ("application",))
    if environment.state is None:
        added["state", "bucket"] = _following(tree, environment.state_bucket, ("application",))
    for name in environment.services:
        added |= _derived_of(tree, environment, name)
    nodes = {path: node for path, (node, _) in added.items()}
    return _graft(tree, nodes), {path: origin for path, (_, origin) in added.items()}


def _derived_of(tree: Node, environment: Environment, name: str) -> dict[Steps, tuple[Node, str]]:
    """Return the values that follow from a service's port and calls."""
    base = ("services", name)
    service = environment.services[name]
    added: dict[Steps, tuple[Node, str]] = {}
    values = call_urls(environment, name)
    for index, callee in enumerate(service.calls):
        if (variable := callee.url_variable) in values:
            added[*base, "environment", variable] = _following(
                tree, values[variable], (*base, "calls", index)
            )
    if service.port is not None:
        added[*base, "environment", "PORT"] = _following(tree, str(service.port), (*base, "port"))
        added[*base, "dns_name"] = _following(tree, dns_name(environment, name), (*base, "port"))
    return added


def _following(tree: Node, value: str, path: Steps) -> tuple[Node, str]:
    """Return a node for a value that follows from the key at a path, and the name of that key."""
    source = tree.at(path)
    position = (source or tree).position
    return Node(value, position), str(next(step for step in reversed(path) if isinstance(step, str)))


def _graft(tree: Node, added: Mapping[Steps, Node]) -> Node:
    """Add nodes to a tree; create missing mappings on the way to them."""
    value = dict(tree.value) if isinstance(tree.value, dict) else {}
    below: dict[str, dict[Steps, Node]] = {}
    for path, node in added.items():
        key = str(path[0])
        if len(path) == 1:
            replaced = value.get(key)
            value[key] = Node(node.value, node.position, None, replaced)
        else:
            below.setdefault(key, {})[path[1:]] = node
    for key, nodes in below.items():
        value[key] = _graft(value.get(key, Node({}, tree.position)), nodes)
    return Node(value, tree.position, tree.key_position, tree.replaced)


def _facts(node: Node, kind: Any, path: Steps) -> Iterator[Fact]:  # noqa: ANN401 - type expressions have no common type
    """Yield the facts of a node, given its type in the model."""
    if isinstance(node.value, dict) and (model := _model(kind)) is not None:
        yield from _facts_of_model(node.value, model, path)
    elif isinstance(node.value, dict) and node.value:
        for key, child in node.value.items():
            yield from _facts(child, _element(kind), (*path, key))
    elif isinstance(node.value, list) and any(isinstance(item.value, (dict, list)) for item in node.value):
        for index, item in enumerate(node.value):
            yield from _facts(item, _element(kind), (*path, index))
    else:
        yield Fact(path, node.plain(), WRITTEN, node.position, _overridden(node))


def _facts_of_model(entries: Mapping[str, Node], model: type[BaseModel], path: Steps) -> Iterator[Fact]:
    """Yield the facts of a mapping with a model: its fields in order, then all other keys."""
    fields = {
        key: field for key, field in model.model_fields.items() if (model, key) != (Environment, "name")
    }
    for key, field in fields.items():
        node = entries.get(key)
        if node is not None and node.value is not None:
            yield from _facts(node, field.annotation, (*path, key))
            continue
        default = field.get_default(call_default_factory=True)
        if default is not PydanticUndefined:
            overrode = () if node is None else (OverriddenValue(None, node.position), *_overridden(node))
            yield from _defaults(default, (*path, key), overrode)
    for key, node in entries.items():
        if key not in fields:
            yield from _facts(node, None, (*path, key))


def _defaults(default: Any, path: Steps, overrode: tuple[OverriddenValue, ...]) -> Iterator[Fact]:  # noqa: ANN401 - any default
    if isinstance(default, BaseModel):
        for key in type(default).model_fields:
            yield from _defaults(getattr(default, key), (*path, key), overrode)
    elif isinstance(default, Mapping) and default:
        for key, item in default.items():
            yield from _defaults(item, (*path, key), overrode)
    else:
        value = list(default) if isinstance(default, tuple) else default
        yield Fact(path, value, DEFAULT, None, overrode)


def _overridden(node: Node) -> tuple[OverriddenValue, ...]:
    overridden = []
    while (replaced := node.replaced) is not None:
        overridden.append(OverriddenValue(replaced.plain(), replaced.position))
        node = replaced
    return tuple(overridden)


def _model(kind: Any) -> type[BaseModel] | None:  # noqa: ANN401
    """Return the model among the alternatives of a type; None unless there is exactly one."""
    models = [
        choice for choice in _choices(kind) if isinstance(choice, type) and issubclass(choice, BaseModel)
    ]
    return models[0] if len(models) == 1 else None


def _element(kind: Any) -> Any:  # noqa: ANN401
    """Return the type of the elements of a mapping or a tuple; None if the type is neither."""
    arguments = [get_args(choice) for choice in _choices(kind)]
    return next((pair[0] if pair[-1] is ... else pair[-1] for pair in arguments if pair), None)


def _choices(kind: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield the alternatives of a type."""
    if get_origin(kind) is Annotated:
        yield from _choices(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for choice in get_args(kind):
            yield from _choices(choice)
    else:
        yield kind


def select(explanation: Explanation, what: str) -> tuple[str, list[Fact]]:
    """Return the facts for a query.

    Args:
        explanation: All facts.
        what: A service, one of its keys (`web.cpu`), a key of the environment (`network.cidr`), or empty for
            all.

    Returns:
        The common prefix of their labels, and the facts.

    Raises:
        InputError: Nothing matches the query.
    """
    if not what:
        return "", list(explanation.facts)
    for under in (f"services.{what}", what):
        if facts := [fact for fact in explanation.facts if _is_under(fact.label, under)]:
            return under, facts
    raise explanation.error or InputError(_unknown(explanation, what))


def _is_under(name: str, under: str) -> bool:
    return name == under or name.startswith((f"{under}.", f"{under}["))


def _unknown(explanation: Explanation, what: str) -> str:
    """Return a message that nothing matches a query, with suggestions."""
    env, name = explanation.env, what.removeprefix("services.").split(".")[0]
    if name in explanation.absent:
        return f"`{name}` is not in `{env}`; its `{ENABLED_IN}` is at {explanation.absent[name]}"
    labels = [fact.label for fact in explanation.facts]
    for under, rest in (_split(labels, tried) for tried in (f"services.{what}", what)):
        if under not in ("", "services"):
            return (
                f"`{under}` has no `{rest}` in `{env}`;"
                f" {suggestion(rest.split('.')[0], _below(labels, under))}"
            )
    candidates = [*_below(labels, "services"), *_below(labels, "")]
    return f"`{env}` has no service or key `{name}`; {suggestion(name, candidates)}"


def _split(labels: Collection[str], what: str) -> tuple[str, str]:
    """Split a query into its longest prefix that exists, and the rest."""
    under = what
    while under and not any(_is_under(name, under) for name in labels):
        under = under.rpartition(".")[0]
    return under, what.removeprefix(under).removeprefix(".")


def _below(labels: Collection[str], under: str) -> list[str]:
    """Return the keys directly below a label."""
    rests = (
        name.removeprefix(under).removeprefix(".") for name in labels if not under or _is_under(name, under)
    )
    return list(dict.fromkeys(rest.split(".")[0] for rest in rests if rest))
