"""Tracing of a value through module calls, variables, locals and loops to the line that sets it."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import NamedTuple

from fleetform.base.errors import Position
from fleetform.hcl.eval.expressions import Scope, evaluate, iterate, loop_items
from fleetform.hcl.eval.modules import Module
from fleetform.hcl.eval.values import INVALID, Path, Unknown, Value, scalar_text
from fleetform.hcl.syntax import (
    Argument,
    Block,
    Call,
    Conditional,
    Entry,
    Expression,
    For,
    Index,
    Items,
    Object,
    Reference,
)

_TRANSPARENT = frozenset({"jsonencode", "nonsensitive", "sensitive", "tolist", "tomap", "toset"})


class Source(NamedTuple):
    """The meaning of a loop variable: the element under a key of a collection."""

    collection: Expression
    frame: "Frame"
    key: Value
    wrapped: bool = True
    """Whether the element is behind `.value`, as in `each.value`."""


class Frame(NamedTuple):
    """The context of an expression: its file, its scope and the meaning of its loop variables."""

    file: PurePath
    module: Module
    scope: Scope
    sources: Mapping[str, Source] = {}

    def extended(self, symbols: Mapping[str, Value], sources: Mapping[str, Source]) -> "Frame":
        """Return an inner context, with more symbols."""
        return self._replace(scope=self.scope.extended(symbols), sources={**self.sources, **sources})


class NestedBlock(NamedTuple):
    """A nested block in a resource; without a block if their number is unknown."""

    kind: str
    block: Block | None
    frame: Frame


def nested_blocks(block: Block, frame: Frame) -> Iterator[NestedBlock]:
    """Yield the nested blocks, including those that `dynamic` creates."""
    for inner in block.blocks:
        if inner.kind != "dynamic" or not inner.labels:
            yield NestedBlock(inner.kind, inner, frame)
            continue
        (kind, content) = (
            inner.labels[0],
            next((each for each in inner.blocks if each.kind == "content"), None),
        )
        yield from _dynamic(inner, kind, content, frame)


def _dynamic(block: Block, kind: str, content: Block | None, frame: Frame) -> Iterator[NestedBlock]:
    over = block.value("for_each")
    elements = loop_items(evaluate(over, frame.scope))
    if elements is None:
        yield NestedBlock(kind, None, frame)
        return
    iterator_name = block.value("iterator")
    iterator = iterator_name.name if isinstance(iterator_name, Reference) else kind
    for key, item in elements:
        source = Source(over, frame, key)
        inner = frame.extended({iterator: {"key": key, "value": item}}, {iterator: source})
        yield NestedBlock(kind, content, inner)


def trace_value(block: Block, path: Path, frame: Frame) -> list[Position]:
    """Return the positions from a block to where a value of it is set."""
    positions = [Position(frame.file, block.line, block.column)]
    if not path:
        return positions
    name, *rest = path
    if (argument := block.arguments.get(str(name))) is not None:
        positions.append(Position(frame.file, argument.line, argument.column))
        return positions + _safely(argument.value, tuple(rest), frame)
    matching = [body for body in nested_blocks(block, frame) if body.kind == name]
    index = rest[0] if rest and isinstance(rest[0], int) else 0
    if index < len(matching) and (inner := matching[index]).block:
        return positions + trace_value(inner.block, tuple(rest[1:]), inner.frame)
    return positions


def _safely(node: Expression, path: Path, frame: Frame) -> list[Position]:
    """Return no positions for a value that refers to itself, which Terraform refuses."""
    try:
        return _follow(node, path, frame)
    except RecursionError:
        return []


def _follow(node: Expression, path: Path, frame: Frame) -> list[Position]:
    if isinstance(node, Reference):
        return _follow_reference(node.name, (*node.steps, *path), frame)
    if isinstance(node, Index):
        step = evaluate(node.key, frame.scope)
        return _follow(node.source, (step, *path), frame) if isinstance(step, (str, int)) else []
    if isinstance(node, Conditional):
        chosen = evaluate(node.condition, frame.scope)
        return _follow(node.yes if chosen else node.no, path, frame) if isinstance(chosen, bool) else []
    if isinstance(node, Call):
        return _follow_call(node, path, frame)
    return _follow_collection(node, path, frame) if path else []


def _follow_call(node: Call, path: Path, frame: Frame) -> list[Position]:
    if node.function == "try":
        values = ((argument, evaluate(argument, frame.scope)) for argument in node.arguments)
        valid = next((argument for argument, value in values if value is not INVALID), None)
        return _follow(valid, path, frame)
    if node.function in _TRANSPARENT and node.arguments:
        return _follow(node.arguments[0], path, frame)
    if node.function == "merge" and path:
        return _follow_merge(node.arguments, path, frame)
    return _follow_concat(node.arguments, path, frame) if node.function == "concat" and path else []


def _follow_collection(node: Expression, path: Path, frame: Frame) -> list[Position]:
    match node:
        case Object(fields):
            return _follow_entry(fields, path, frame)
        case Items(items, places) if isinstance(path[0], int) and path[0] < len(items):
            return [Position(frame.file, *places[path[0]]), *_follow(items[path[0]], path[1:], frame)]
        case For():
            return _follow_iteration(node, path, frame)
        case _:
            return []


def _follow_entry(fields: tuple[Entry, ...], path: Path, frame: Frame) -> list[Position]:
    for key, value, line, column in reversed(fields):
        name = key if isinstance(key, str) else scalar_text(evaluate(key, frame.scope))
        if name == str(path[0]):
            return [Position(frame.file, line, column), *_follow(value, path[1:], frame)]
    return []


def _follow_merge(arguments: tuple[Expression, ...], path: Path, frame: Frame) -> list[Position]:
    for argument in reversed(arguments):
        value = evaluate(argument, frame.scope)
        if isinstance(value, Unknown):
            return []
        if isinstance(value, dict) and path[0] in value:
            return _follow(argument, path, frame)
    return []


def _follow_concat(arguments: tuple[Expression, ...], path: Path, frame: Frame) -> list[Position]:
    index = path[0]
    for argument in arguments:
        value = evaluate(argument, frame.scope)
        if not isinstance(value, list) or not isinstance(index, int):
            return []
        if index < len(value):
            return _follow(argument, (index, *path[1:]), frame)
        index -= len(value)
    return []


def _follow_iteration(node: For, path: Path, frame: Frame) -> list[Position]:
    for index, iteration in enumerate(iterate(node, frame.scope) or ()):
        key = index if node.key is None else scalar_text(evaluate(node.key, iteration.scope))
        if key == path[0] or str(key) == path[0]:
            source = Source(node.collection, frame, iteration.key, wrapped=False)
            inner = frame._replace(scope=iteration.scope, sources={**frame.sources, node.names[-1]: source})
            element = _element_positions(source)
            return element + _follow(node.value, path[1:], inner)
    return []


def _element_positions(source: Source) -> list[Position]:
    key = source.key
    return _follow(source.collection, (key,), source.frame) if isinstance(key, (str, int)) else []


def _follow_reference(name: str, steps: Path, frame: Frame) -> list[Position]:
    if name in frame.sources:
        return _follow_loop_variable(frame.sources[name], steps)
    if not steps or name in frame.scope.symbols:
        return []
    first, rest = str(steps[0]), steps[1:]
    module = frame.module
    if name == "local" and (local := module.declarations.locals.get(first)):
        return _follow_argument(local.argument, rest, module_frame(module, local.file))
    return _follow_variable(module, first, rest) if name == "var" else []


def _follow_loop_variable(source: Source, steps: Path) -> list[Position]:
    if source.wrapped:
        if not steps or steps[0] != "value":
            return _element_positions(source)
        steps = steps[1:]
    if not isinstance(source.key, (str, int)):
        return []
    return _follow(source.collection, (source.key, *steps), source.frame)


def _follow_variable(module: Module, name: str, path: Path) -> list[Position]:
    if assigned := module.argument(name):
        return _follow_argument(assigned[0].argument, path, call_frame(module, assigned[0].file))
    if placed := module.declarations.variables.get(name):
        argument = placed.block.arguments.get("default")
        line, column = (
            (argument.line, argument.column) if argument else (placed.block.line, placed.block.column)
        )
        return [Position(placed.file, line, column)]
    return []


def _follow_argument(argument: Argument, path: Path, frame: Frame) -> list[Position]:
    return [Position(frame.file, argument.line, argument.column), *_follow(argument.value, path, frame)]


def module_frame(module: Module, file: PurePath) -> Frame:
    """Return the context of a module's top level."""
    return Frame(file, module, Scope(module))


def call_frame(module: Module, file: PurePath) -> Frame:
    """Return the context of a module call's arguments; for a root module, its own top level."""
    call = module.call
    if call is None:
        return module_frame(module, file)
    caller = module_frame(call.module, file)
    if call.instance.key is None:
        return caller._replace(scope=call.scope)
    source = Source(call.placed.block.value("for_each"), caller, call.instance.key)
    return caller.extended(call.instance.symbols, {"each": source})
