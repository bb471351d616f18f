"""The resource view: the resources of a stack and its modules, with the values that follow from HCL.

Module calls are bound to variables, defaults and tfvars. Loops over known values are expanded. References,
templates and functions of known values are resolved. Everything else is UNKNOWN, never guessed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import NamedTuple

from fleetform.base.errors import Position
from fleetform.catalog.files import EXTRA_NAME
from fleetform.hcl.eval.expressions import evaluate
from fleetform.hcl.eval.modules import Instance, Module, PlacedBlock, address, instances
from fleetform.hcl.eval.tracing import Frame, Source, module_frame, nested_blocks, trace_value
from fleetform.hcl.eval.values import UNKNOWN, Path, Value, plain_structure, value_at, with_documents
from fleetform.hcl.syntax import Block

_META_ARGUMENTS = frozenset({"count", "depends_on", "for_each", "provider", "providers"})


class Trace(NamedTuple):
    """The position of a value.

    Attributes:
        place: In the stack's own files, with `extra/`: the value, or the block that creates the resource.
        cause: In a module, if the stack's files do not set the value; None if they do.
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
        """Return the position of a value."""
        places = [*self._call_path(), *trace_value(self.block, path, self.frame)]
        folders = (self.root.folder, self.root.folder / EXTRA_NAME)
        own_places = [place for place in places if place.file.parent in folders]
        last = places[-1]
        return Trace(own_places[-1], None if last is own_places[-1] else last)

    def _call_path(self) -> Iterator[Position]:
        """Return the positions from the root module's call to the resource, with its entry of `for_each`."""
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
            yield from trace_value(self.block, ("for_each", self.instance.key), bare)


@dataclass(frozen=True)
class Resource:
    """A resource, a data source, or a different block that rules check.

    Attributes:
        address: As in a plan: `module.security.aws_security_group.this["web"]`, `data.aws_region.this`.
        kind: `resource` or `data`; `module`, `provider`, `terraform` or `backend`.
        type: `aws_security_group`...; the kind again for other blocks.
        values: The known arguments; absent ones are absent, nested blocks are lists.
        stack: The name of its stack.
        traces: The positions of values that have been requested.
        origin: The block that it comes from; None if that is no longer available.
        planned: Whether the values come from a plan, which has those that are not written, too.
    """

    address: str
    kind: str
    type: str
    values: Mapping[str, Value]
    stack: str = ""
    traces: Mapping[Path, Trace] = field(default_factory=dict, compare=False)
    origin: Origin | None = field(default=None, compare=False, repr=False)
    planned: bool = field(default=False, compare=False)

    def value(self, *path: str | int, default: Value = None) -> Value:
        """Return the value at a path; `default` if it is absent or null, UNKNOWN if it is not known."""
        return value_at(dict(self.values), path, default)

    def trace(self, path: Path = ()) -> Trace:
        """Return the position of a value, or the nearest known one above it."""
        if self.origin:
            return self.origin.trace(path)
        while path and path not in self.traces:
            path = path[:-1]
        return self.traces[path]

    @property
    def place(self) -> Position:
        """The position in the stack's files that creates it."""
        return self.trace().place

    def without_origin(self, paths: Iterable[Path] = ()) -> "Resource":
        """Return a copy for the cache, without its origin but with the positions of some values."""
        return replace(self, traces={path: self.trace(path) for path in ((), *paths)}, origin=None)


@dataclass(frozen=True)
class View:
    """The resources of all stacks of an environment."""

    resources: tuple[Resource, ...]

    @cached_property
    def _by_type(self) -> Mapping[str, list[Resource]]:
        by_type: dict[str, list[Resource]] = {}
        for resource in self.resources:
            by_type.setdefault(resource.type, []).append(resource)
        return by_type

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of some types."""
        return [resource for name in types for resource in self._by_type.get(name, [])]


def find_resources(root: Module, stack: str, files: Iterable[PurePath]) -> Iterator[Resource]:
    """Yield the resources in some files of a root module, in no particular order.

    Args:
        root: The module.
        stack: Its name.
        files: The files.

    Raises:
        CheckFailedError: A file of a module is not valid HCL, or a module calls itself.
    """
    paths = frozenset(files)
    return (replace(each, stack=stack) for each in _module_resources(root, paths))


def _module_resources(module: Module, files: frozenset[PurePath] | None) -> Iterator[Resource]:
    declared = module.declarations
    for placed in declared.resources.values():
        if files is None or placed.file in files:
            yield from _block_instances(module, placed)
    for name, placed in declared.calls.items():
        if files is None or placed.file in files:
            yield _module_call(module, name, placed)
            for child in module.children(name):
                yield from _module_resources(child, None)
    if module.call is None and files is not None:
        yield from _settings(module, files)


def _module_call(module: Module, name: str, placed: PlacedBlock) -> Resource:
    frame = module_frame(module, placed.file)
    arguments = {key: evaluate(placed.block.value(key), frame.scope) for key in ("source", "version")}
    values = {key: value for key, value in arguments.items() if value is not None}
    return _build(f"{module.prefix}module.{name}", "module", "module", values, _origin(module, placed, frame))


def _origin(
    module: Module,
    placed: PlacedBlock,
    frame: Frame,
    instance: Instance = Instance("", None, {}),  # noqa: B008 - a tuple
) -> Origin:
    return Origin(placed.block, frame, module.root, instance)


def _build(name: str, kind: str, of: str, values: Mapping[str, Value], origin: Origin) -> Resource:
    return Resource(name, kind, of, values, origin=origin)


def _block_instances(module: Module, placed: PlacedBlock) -> Iterator[Resource]:
    block = placed.block
    top = module_frame(module, placed.file)
    for instance in instances(block, top.scope):
        sources = {}
        if instance.key is not None:
            sources["each"] = Source(block.value("for_each"), top, instance.key)
        frame = top.extended(instance.symbols, sources)
        name = f"{module.prefix}{address(block)}{instance.suffix}"
        origin = _origin(module, placed, frame, instance)
        yield _build(name, block.kind, block.labels[0], with_documents(block_values(block, frame)), origin)


def block_values(block: Block, frame: Frame) -> dict[str, Value]:
    """Return the known arguments and nested blocks of a block."""
    result = {
        name: plain_structure(evaluate(argument.value, frame.scope))
        for name, argument in block.arguments.items()
        if name not in _META_ARGUMENTS
    }
    for kind, inner, inner_frame in nested_blocks(block, frame):
        if inner is None:
            result[kind] = UNKNOWN
            continue
        collected = result.setdefault(kind, [])
        if isinstance(collected, list):
            collected.append(block_values(inner, inner_frame))
    return result


def _settings(root: Module, files: frozenset[PurePath]) -> Iterator[Resource]:
    """Yield providers, Terraform's settings and its backend."""
    for placed in root.declarations.others:
        if placed.file not in files or placed.block.kind not in {"provider", "terraform"}:
            continue
        block = placed.block
        frame = module_frame(root, placed.file)
        origin = _origin(root, placed, frame)
        name = ".".join((block.kind, *block.labels))
        yield _build(name, block.kind, block.kind, block_values(block, frame), origin)
        for inner in block.blocks:
            if block.kind == "terraform" and inner.kind == "backend":
                backend_values = {
                    key: evaluate(each.argument.value, frame.scope)
                    for key, each in root.declarations.backend.items()
                }
                values = {"type": inner.labels[0], **block_values(inner, frame), **backend_values}
                placed_backend = PlacedBlock(inner, placed.file)
                yield _build(
                    "terraform.backend", "backend", "backend", values, _origin(root, placed_backend, frame)
                )
