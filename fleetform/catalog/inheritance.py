"""Resolve `defaults`, `templates` with `extends`, and `enabled_in`, so that every service is written in full.

This works on the overlaid tree, before validation. Every value keeps its position and what it was laid over.
The layers of a service, from the lowest up, are the defaults, its templates, and its own keys in the catalog
and the environment. `overlay` lays each over the one before.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fleetform.base.errors import CatalogError, Position, Problem
from fleetform.base.suggestions import suggestion
from fleetform.catalog.models import Service
from fleetform.catalog.nodes import MAX_BYTES, MAX_NODES, Node
from fleetform.catalog.overlay import overlay
from fleetform.catalog.types import CatalogModel, ServiceName

EXTENDS = "extends"
ENABLED_IN = "enabled_in"
SERVICE_KEYS = (EXTENDS, ENABLED_IN)
"""Keys of a service or template that are removed when it is resolved."""

MAX_TEMPLATES = 32
"""Maximum number of templates below one service or template, to keep catalogs readable."""

_QUOTED_NAME = re.compile(r"`(services\.)?([a-z0-9-]+)(?=[`.])")


class SharedKeys(CatalogModel):
    """Top-level keys that services share, and that are removed when the services are resolved."""

    defaults: Service | None = None
    """Partial service that every service inherits."""
    templates: Mapping[ServiceName, Service] = {}
    """Partial services by name. They do not run; a service inherits one with `extends`."""


@dataclass(frozen=True)
class ResolvedTree:
    """An environment in which every service includes what it inherits.

    Attributes:
        name: The environment's name.
        tree: The environment with every service written in full; nulls are still in it.
        shared: `defaults` and `templates`, which must be valid even if no service uses them.
        absent: The `enabled_in` of each service that is not in this environment.
        incomplete: Positions of the services with a broken `extends`; missing keys are not reported there.
        problems: The problems so far.
        zone_numbers: The zones' numbers in the network lock.
    """

    name: str
    tree: Node
    shared: Node
    absent: Mapping[str, Node]
    incomplete: Collection[Position]
    problems: Sequence[Problem]
    zone_numbers: Mapping[str, int] = field(default_factory=dict)


def resolve_inheritance(tree: Node, name: str, environments: Collection[str]) -> ResolvedTree:
    """Add to every service what it inherits, and remove the services that are not in an environment.

    Args:
        tree: The environment laid over the catalog.
        name: The environment's name.
        environments: The names of all environments.

    Raises:
        CatalogError: The services inherit more than a file may contain; only that is reported.
    """
    top = tree.value if isinstance(tree.value, dict) else {}
    services, templates = (_mapping_entries(top.get(key)) for key in ("services", "templates"))
    defaults = _mapping_entries(tree).get("defaults")
    resolver = _TemplateResolver(defaults, templates, services)
    full = {key: resolver.resolve(key, node) for key, node in services.items()}
    enabled = {key: service.at((ENABLED_IN,)) for key, service in full.items()}
    absent = {key: node for key, node in enabled.items() if node and _is_disabled(node, name, environments)}
    problems = [*resolver.problems]
    for node in (*([defaults] if defaults else ()), *templates.values(), *services.values()):
        problems += _check_enabled_in(node, environments)
    resolved = {key: node for key, node in top.items() if key not in SharedKeys.model_fields}
    if "services" in top:
        resolved["services"] = _resolve_services(top["services"], full, absent)
    return ResolvedTree(
        name, _with_value(tree, resolved), _shared_keys(tree, top), absent, resolver.incomplete, problems
    )


def _resolve_services(services: Node, full: Mapping[str, Node], absent: Collection[str]) -> Node:
    """Return the services of the environment in full; values that are not mappings stay, for validation."""
    if not isinstance(services.value, dict):
        return services
    present = {key: full.get(key, node) for key, node in services.value.items() if key not in absent}
    return _with_value(services, {key: _without_keys(node, SERVICE_KEYS) for key, node in present.items()})


def _with_value(node: Node, value: dict[str, Node]) -> Node:
    return Node(value, node.position, node.key_position, node.replaced)


def _mapping_entries(node: Node | None) -> dict[str, Node]:
    """Return the entries of a mapping that are mappings themselves; validation reports the others."""
    entries = node.value if node is not None and isinstance(node.value, dict) else {}
    return {key: child for key, child in entries.items() if isinstance(child.value, dict)}


def _without_keys(node: Node, keys: Collection[str]) -> Node:
    if not isinstance(node.value, dict):
        return node
    return _with_value(node, {key: child for key, child in node.value.items() if key not in keys})


def _shared_keys(tree: Node, top: Mapping[str, Node]) -> Node:
    """Return `defaults` and `templates` without the keys resolved here; `defaults` cannot extend anything."""
    shared = {}
    if "defaults" in top:
        shared["defaults"] = _without_keys(top["defaults"], [ENABLED_IN])
    if "templates" in top:
        templates = top["templates"]
        shared["templates"] = templates
        if isinstance(templates.value, dict):
            entries = {key: _without_keys(node, SERVICE_KEYS) for key, node in templates.value.items()}
            shared["templates"] = _with_value(templates, entries)
    return Node(shared, tree.position)


class _TemplateResolver:
    """Resolves `extends`, and collects its problems."""

    def __init__(
        self, defaults: Node | None, templates: Mapping[str, Node], services: Collection[str]
    ) -> None:
        self.problems: list[Problem] = []
        self.incomplete: list[Position] = []
        self._templates = templates
        self._services = services
        self._broken: set[Position] = set()
        self._chains: dict[str, tuple[str, ...]] = {}
        self._merged: dict[tuple[str, ...], Node | None] = {(): defaults}
        self._sizes: dict[tuple[str, ...], _Size] = {}
        self._total_size = _Size(0, 0)
        for name in templates:
            self._template_chain(name, ())

    def resolve(self, name: str, service: Node) -> Node:
        """Return a service with everything it inherits, at its own position."""
        chain = self._find_chain(name, service, ())
        inherited = self._inherited_values(chain, service)
        if not self._broken.isdisjoint([service.position, *(self._templates[key].position for key in chain)]):
            self.incomplete.append(service.key_position or service.position)
        if inherited is None:
            return service
        merged = overlay(inherited, _without_keys(service, [EXTENDS]))
        return Node(merged.value, service.position, service.key_position, merged.replaced)

    def _inherited_values(self, chain: tuple[str, ...], service: Node) -> Node | None:
        """Return the defaults with a service's templates laid over them."""
        if chain not in self._merged:
            below = self._inherited_values(chain[:-1], service)
            template = _without_keys(self._templates[chain[-1]], [EXTENDS])
            self._merged[chain] = template if below is None else overlay(below, template)
        values = self._merged[chain]
        if values is not None:
            self._check_size(chain, values, service)
        return values

    def _check_size(self, chain: tuple[str, ...], values: Node, service: Node) -> None:
        """Limit what services inherit to what a file may contain, counted once for each service."""
        if chain not in self._sizes:
            self._sizes[chain] = _measure(values)
        more, so_far = self._sizes[chain], self._total_size
        self._total_size = _Size(so_far.values + more.values, so_far.characters + more.characters)
        if self._total_size.values > MAX_NODES:
            limit = f"{MAX_NODES} values"
        elif self._total_size.characters > MAX_BYTES:
            limit = f"{MAX_BYTES // 2**20} MiB of text"
        else:
            return
        place = (service.at((EXTENDS,)) or service).position
        message = f"from here on, services inherit more than {limit}"
        raise CatalogError([Problem(place, message, "shorten `defaults` and `templates`")])

    def _template_chain(self, name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return a template, after the templates below it."""
        if name not in self._chains:
            self._chains[name] = (*self._find_chain(name, self._templates[name], (*path, name)), name)
        return self._chains[name]

    def _find_chain(self, name: str, node: Node, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the templates below a node, from the lowest up: each once, before all that extend it.

        Args:
            name: The name of the service or template.
            node: The service or template.
            path: The templates that lead here, each extending the next; the last one is this node if it is a
                template.
        """
        problem_count = len(self.problems)
        chain = self._collect_chain(name, node, path)
        if len(self.problems) > problem_count:
            self._broken.add(node.position)
        return chain

    def _collect_chain(self, name: str, node: Node, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the templates below a node; see `_find_chain`."""
        chain: dict[str, None] = {}
        for entry in self._extended_templates(name, node):
            parent = str(entry.value)
            if parent in path:
                cycle = " -> ".join([*path[path.index(parent) :], parent])
                self._add_problem(
                    entry, f"`{name}` extends itself: {cycle}", f"remove `{parent}` from its `{EXTENDS}`"
                )
                continue
            if len(path) <= MAX_TEMPLATES:
                chain |= dict.fromkeys(self._template_chain(parent, path))
            if len(path) > MAX_TEMPLATES or len(chain) > MAX_TEMPLATES:
                owner = path[0] if len(path) > MAX_TEMPLATES else name
                self._add_problem(
                    entry, f"`{owner}` extends more than {MAX_TEMPLATES} templates", "merge some of them"
                )
                return ()
        return tuple(chain)

    def _extended_templates(self, name: str, node: Node) -> Iterator[Node]:
        """Yield the nodes that name the existing templates that a node extends."""
        extends = node.at((EXTENDS,))
        if extends is None or extends.value is None:
            return
        seen = set()
        for entry in extends.value if isinstance(extends.value, list) else [extends]:
            if not isinstance(entry.value, str):
                self._add_problem(
                    entry,
                    f"`{name}` extends something that is not a name",
                    "expected a template name or a list of names",
                )
            elif entry.value in seen:
                self._add_problem(entry, f"`{name}` extends `{entry.value}` twice", "list it once")
            elif entry.value in self._templates:
                yield entry
            elif entry.value in self._services:
                message = f"`{name}` extends `{entry.value}`, which is a service"
                self._add_problem(entry, message, "move what they share to a template that both extend")
            else:
                message = f"`{name}` extends unknown template `{entry.value}`"
                others = [template for template in self._templates if template != name]
                self._add_problem(entry, message, suggestion(entry.value, others))
            seen.add(entry.value if isinstance(entry.value, str) else None)

    def _add_problem(self, node: Node, message: str, remedy: str) -> None:
        self.problems.append(Problem(node.position, message, remedy))


class _Size(NamedTuple):
    """The size of a tree: its values, and its characters of text."""

    values: int
    characters: int


def _measure(node: Node) -> _Size:
    if isinstance(node.value, dict):
        keys, below = sum(map(len, node.value)), [*map(_measure, node.value.values())]
    elif isinstance(node.value, list):
        keys, below = 0, [*map(_measure, node.value)]
    else:
        return _Size(1, len(node.value) if isinstance(node.value, str) else 0)
    return _Size(1 + sum(part.values for part in below), keys + sum(part.characters for part in below))


def _is_disabled(enabled: Node, name: str, environments: Collection[str]) -> bool:
    """Return whether a valid `enabled_in` leaves an environment out."""
    names = [entry.value for entry in enabled.value] if isinstance(enabled.value, list) else []
    return bool(names) and name not in names and all(entry in environments for entry in names)


def _check_enabled_in(node: Node, environments: Collection[str]) -> Iterator[Problem]:
    """Check that an `enabled_in` lists existing environments."""
    enabled = node.at((ENABLED_IN,))
    if enabled is None or enabled.value is None:
        return
    expected = "expected a list of environments, such as [dev]"
    if not isinstance(enabled.value, list) or not enabled.value:
        state = "empty" if enabled.value == [] else "not a list"
        yield Problem(enabled.position, f"`{ENABLED_IN}` is {state}", expected)
        return
    for entry in enabled.value:
        if not isinstance(entry.value, str):
            yield Problem(entry.position, f"`{ENABLED_IN}` has an entry that is not a name", expected)
        elif entry.value not in environments:
            message = f"`{ENABLED_IN}` names unknown environment `{entry.value}`"
            yield Problem(entry.position, message, suggestion(entry.value, sorted(environments)))


def merge_repeated_problems(
    resolved: ResolvedTree, problems: Sequence[Problem], shared: Sequence[Problem]
) -> list[Problem]:
    """Report a problem at a place that services share once, not once per service.

    Args:
        resolved: The environment.
        problems: Its problems.
        shared: The problems of `defaults` and `templates` themselves; nothing else is reported at their
            positions.
    """
    services = _mapping_entries(resolved.tree.at(("services",)))
    reported = {*resolved.incomplete, *(problem.position for problem in shared)}
    groups: dict[tuple[Position, str], list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        if problem.position not in reported:
            groups.setdefault(
                (problem.position, _without_service_names(problem.message, services)), []
            ).append(problem)
    return [*dict.fromkeys(shared), *map(_merge_problems, groups.values())]


def _without_service_names(message: str, services: Collection[str]) -> str:
    """Return a message without the names of services in it."""
    return _QUOTED_NAME.sub(lambda match: "`" if match[1] or match[2] in services else match[0], message)


def _merge_problems(repeated: Sequence[Problem]) -> Problem:
    first, *others = repeated
    if not others:
        return first
    count = f"same in {len(others)} more {'service' if len(others) == 1 else 'services'}"
    return Problem(first.position, f"{first.message} ({count})", first.remedy)
