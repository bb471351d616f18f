"""The resource view: what the HCL of a stack and its modules says about each resource, as far as the text alone tells.

Module calls are bound to variables, defaults and tfvars; loops over known values are expanded; references, templates
and functions of known values are resolved. All else is UNKNOWN, never guessed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import NamedTuple

from fleetform.catalog.files import EXTRA_NAME
from fleetform.errors import Position
from fleetform.hcl.syntax import Block
from fleetform.policy.evaluation import evaluate
from fleetform.policy.modules import Instance, Module, Placed, address, instances
from fleetform.policy.tracing import Frame, Source, bodies, module_frame, trail
from fleetform.policy.values import UNKNOWN, Known, Path, documents, structure, walk

_META_ARGUMENTS = frozenset({"count", "depends_on", "for_each", "provider", "providers"})


class Trace(NamedTuple):
    """Where a value is written.

    Attributes:
        place: In the stack's own files, its `extra/` among them: the value, or what asks for the resource.
        cause: In a module, if the stack's files do not give the value; None if they do.
    """

    place: Position
    cause: Position | None = None


@dataclass(frozen=True)
class Origin:
    """The block that a resource comes from."""

    block: Block
    frame: Frame
    root: Module
    instance: Instance

    def trace(self, path: Path) -> Trace:
        """Where a value of it is written."""
        places = [*self._asked(), *trail(self.block, path, self.frame)]
        folders = (self.root.folder, self.root.folder / EXTRA_NAME)
        own = [place for place in places if place.file.parent in folders]
        last = places[-1]
        return Trace(own[-1], None if last is own[-1] else last)

    def _asked(self) -> Iterator[Position]:
        """From the root module's call down to the resource, and the entry that `for_each` makes it of."""
        calls = []
        module: Module | None = self.frame.module
        while module and module.call:
            calls.append(module)
            module = module.call.module
        for each in reversed(calls):
            if each.call:
                block, file = each.call.placed
                yield Position(file, block.line, block.column)
        if self.instance.key is not None:
            bare = self.frame._replace(sources={})
            yield from trail(self.block, ("for_each", self.instance.key), bare)


@dataclass(frozen=True)
class Resource:
    """A resource, a data source, or another block that rules look at.

    Attributes:
        address: As in a plan: `module.security.aws_security_group.this["web"]`; of data sources with `data.`.
        kind: `resource` or `data`; `module`, `provider`, `terraform` or `backend`.
        type: `aws_security_group`...; the kind again if it is none of the first two.
        values: What is known of its arguments; absent ones are absent, nested blocks are lists.
        stack: The name of its stack.
        traces: Where values are written, of those that have been asked for.
        origin: What it comes from; None if that is not at hand any more.
        planned: Whether a plan tells its values, those too that are not written.
    """

    address: str
    kind: str
    type: str
    values: Mapping[str, Known]
    stack: str = ""
    traces: Mapping[Path, Trace] = field(default_factory=dict, compare=False)
    origin: Origin | None = field(default=None, compare=False, repr=False)
    planned: bool = field(default=False, compare=False)

    def value(self, *path: str | int, default: Known = None) -> Known:
        """What a path leads to; `default` if it is absent or null, UNKNOWN if nobody knows."""
        return walk(dict(self.values), path, default)

    def trace(self, path: Path = ()) -> Trace:
        """Where a value is written; the nearest place above it that is known."""
        if self.origin:
            return self.origin.trace(path)
        while path and path not in self.traces:
            path = path[:-1]
        return self.traces[path]

    @property
    def place(self) -> Position:
        """Where the stack's files ask for it."""
        return self.trace().place

    def detached(self, paths: Iterable[Path] = ()) -> "Resource":
        """The same without what it comes from, to be kept; the places of some values are kept too."""
        return replace(self, traces={path: self.trace(path) for path in ((), *paths)}, origin=None)


@dataclass(frozen=True)
class View:
    """The resources of an environment, of all its stacks."""

    resources: tuple[Resource, ...]

    @cached_property
    def _by_type(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return found

    def of(self, *types: str) -> list[Resource]:
        """The resources of some types."""
        return [resource for wanted in types for resource in self._by_type.get(wanted, [])]


def resources(root: Module, stack: str, files: Iterable[PurePath]) -> Iterator[Resource]:
    """What some files of a root module ask for, in no particular order.

    Args:
        root: The module.
        stack: Its name.
        files: The files.

    Raises:
        CheckFailedError: A file of a module is not valid HCL, or a module calls itself.
    """
    wanted = frozenset(files)
    return (replace(each, stack=stack) for each in _of_module(root, wanted))


def _of_module(module: Module, files: frozenset[PurePath] | None) -> Iterator[Resource]:
    declared = module.declared
    for placed in declared.resources.values():
        if files is None or placed.file in files:
            yield from _instances(module, placed)
    for name, placed in declared.calls.items():
        if files is None or placed.file in files:
            yield _called(module, name, placed)
            for child in module.children(name):
                yield from _of_module(child, None)
    if module.call is None and files is not None:
        yield from _settings(module, files)


def _called(module: Module, name: str, placed: Placed) -> Resource:
    frame = module_frame(module, placed.file)
    wanted = {key: evaluate(placed.block.value(key), frame.scope) for key in ("source", "version")}
    values = {key: value for key, value in wanted.items() if value is not None}
    return _made(f"{module.prefix}module.{name}", "module", "module", values, _origin(module, placed, frame))


def _origin(module: Module, placed: Placed, frame: Frame, instance: Instance = Instance("", None, {})) -> Origin:  # noqa: B008 - a tuple
    return Origin(placed.block, frame, module.root, instance)


def _made(name: str, kind: str, of: str, values: Mapping[str, Known], origin: Origin) -> Resource:
    return Resource(name, kind, of, values, origin=origin)


def _instances(module: Module, placed: Placed) -> Iterator[Resource]:
    block = placed.block
    top = module_frame(module, placed.file)
    for instance in instances(block, top.scope):
        sources = {}
        if instance.key is not None:
            sources["each"] = Source(block.value("for_each"), top, instance.key)
        frame = top.within(instance.symbols, sources)
        name = f"{module.prefix}{address(block)}{instance.suffix}"
        origin = _origin(module, placed, frame, instance)
        yield _made(name, block.kind, block.labels[0], documents(values(block, frame)), origin)


def values(block: Block, frame: Frame) -> dict[str, Known]:
    """What is known of a block's arguments and nested blocks."""
    known = {
        name: structure(evaluate(argument.value, frame.scope))
        for name, argument in block.arguments.items()
        if name not in _META_ARGUMENTS
    }
    for kind, inner, inner_frame in bodies(block, frame):
        if inner is None:
            known[kind] = UNKNOWN
            continue
        collected = known.setdefault(kind, [])
        if isinstance(collected, list):
            collected.append(values(inner, inner_frame))
    return known


def _settings(root: Module, files: frozenset[PurePath]) -> Iterator[Resource]:
    """Providers, the settings of Terraform and its backend."""
    for placed in root.declared.others:
        if placed.file not in files or placed.block.kind not in {"provider", "terraform"}:
            continue
        block = placed.block
        frame = module_frame(root, placed.file)
        origin = _origin(root, placed, frame)
        name = ".".join((block.kind, *block.labels))
        yield _made(name, block.kind, block.kind, values(block, frame), origin)
        for inner in block.blocks:
            if block.kind == "terraform" and inner.kind == "backend":
                given = {key: evaluate(each.argument.value, frame.scope) for key, each in root.declared.backend.items()}
                known = {"type": inner.labels[0], **values(inner, frame), **given}
                placed_backend = Placed(inner, placed.file)
                yield _made("terraform.backend", "backend", "backend", known, _origin(root, placed_backend, frame))
