"""Terraform modules: their declarations, and the meaning of names in a called module."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import PurePath
from typing import NamedTuple, TypeAlias

from fleetform.base.errors import CheckFailedError
from fleetform.hcl.eval.conversion import in_order, to_boolean, to_number, to_set, to_text, unify
from fleetform.hcl.eval.expressions import Scope, evaluate, index_suffix
from fleetform.hcl.eval.values import (
    INVALID,
    UNKNOWN,
    Document,
    Path,
    Unknown,
    Value,
    for_each_entries,
    is_known,
)
from fleetform.hcl.syntax import Argument, Block, Call, Expression, File, Items, Object, Reference

_BUILT_IN_NAMES = frozenset({"count", "each", "path", "self", "terraform"})
_UNKNOWN_EACH: Mapping[str, Value] = {"key": UNKNOWN, "value": UNKNOWN}


class PlacedBlock(NamedTuple):
    """A block and its file."""

    block: Block
    file: PurePath


class PlacedArgument(NamedTuple):
    """An argument and its file."""

    argument: Argument
    file: PurePath


@dataclass(frozen=True)
class Declarations:
    """The declarations in the files of one module, by name.

    Attributes:
        variables: Its `variable` blocks.
        locals: The values in its `locals` blocks.
        outputs: Its `output` blocks.
        calls: Its `module` blocks.
        resources: Its `resource` and `data` blocks by their address in the module.
        others: All other blocks.
        tfvars: The values in `terraform.tfvars` and `*.auto.tfvars`.
        backend: The values in `backend.hcl`.
    """

    variables: dict[str, PlacedBlock] = field(default_factory=dict)
    locals: dict[str, PlacedArgument] = field(default_factory=dict)
    outputs: dict[str, PlacedBlock] = field(default_factory=dict)
    calls: dict[str, PlacedBlock] = field(default_factory=dict)
    resources: dict[str, PlacedBlock] = field(default_factory=dict)
    others: list[PlacedBlock] = field(default_factory=list)
    tfvars: dict[str, PlacedArgument] = field(default_factory=dict)
    backend: dict[str, PlacedArgument] = field(default_factory=dict)


DeclarationLoader: TypeAlias = Callable[[PurePath], Declarations]
"""Returns the declarations in a folder, which is relative to the project root."""


def collect_declarations(files: Iterable[File]) -> Declarations:
    """Return the declarations in some files."""
    declared = Declarations()
    for file in sorted(files, key=_precedence):
        name = file.path.name
        if name == "terraform.tfvars" or name.endswith(".auto.tfvars"):
            declared.tfvars.update(
                {key: PlacedArgument(argument, file.path) for key, argument in file.arguments.items()}
            )
        elif name == "backend.hcl":
            declared.backend.update(
                {key: PlacedArgument(argument, file.path) for key, argument in file.arguments.items()}
            )
        for block in file.blocks:
            _declare(declared, PlacedBlock(block, file.path))
    return declared


def _precedence(file: File) -> tuple[bool, str]:
    """Return a sort key: later files override earlier ones, `*.auto.tfvars` override `terraform.tfvars`."""
    return file.path.name.endswith(".auto.tfvars"), file.path.name


def _declare(declared: Declarations, placed: PlacedBlock) -> None:
    block = placed.block
    by_kind = {"variable": declared.variables, "output": declared.outputs, "module": declared.calls}
    if block.kind == "locals":
        declared.locals.update(
            {name: PlacedArgument(argument, placed.file) for name, argument in block.arguments.items()}
        )
    elif block.kind in by_kind and block.labels:
        by_kind[block.kind][block.labels[0]] = placed
    elif block.kind in {"resource", "data"}:
        declared.resources[address(block)] = placed
    else:
        declared.others.append(placed)


def address(block: Block) -> str:
    """Return the address of a resource or data source in its module."""
    return ("data." if block.kind == "data" else "") + ".".join(block.labels)


class Instance(NamedTuple):
    """One of the instances that `for_each` or `count` creates.

    Attributes:
        suffix: The suffix of the address: `["web"]`, `[0]`, `[*]` if the instances are unknown, or empty.
        key: The key of `for_each`; None without `for_each`.
        symbols: `each` or `count`.
    """

    suffix: str
    key: str | None
    symbols: Mapping[str, Value]


def instances(block: Block, scope: Scope) -> Iterator[Instance]:
    """Yield the instances of a resource or a module call."""
    if "for_each" in block.arguments:
        items = for_each_entries(evaluate(block.value("for_each"), scope))
        if items is None:
            yield Instance("[*]", None, {"each": dict(_UNKNOWN_EACH)})
            return
        for key, value in items.items():
            yield Instance(index_suffix(key), key, {"each": {"key": key, "value": value}})
    elif "count" in block.arguments:
        number = evaluate(block.value("count"), scope)
        if isinstance(number, int) and not isinstance(number, bool):
            yield from (
                Instance(index_suffix(index), None, {"count": {"index": index}}) for index in range(number)
            )
        else:
            yield Instance("[*]", None, {"count": {"index": UNKNOWN}})
    else:
        yield Instance("", None, {})


class CallSite(NamedTuple):
    """A module call.

    Attributes:
        placed: The `module` block.
        instance: The called instance.
        module: The calling module.
    """

    placed: PlacedBlock
    instance: Instance
    module: "Module"

    @property
    def scope(self) -> Scope:
        """The scope of the call's arguments."""
        return Scope(self.module, self.instance.symbols)


class Module:
    """A called module, or a stack's root module.

    Args:
        folders: Returns the declarations of modules.
        folder: Its folder, relative to the project root.
        declared: Its declarations.
        call: The call; None for a root module.
    """

    def __init__(
        self,
        folders: DeclarationLoader,
        folder: PurePath,
        declared: Declarations,
        call: CallSite | None = None,
    ) -> None:
        self.folder = folder
        self.declarations = declared
        self.call = call
        self._folders = folders
        self._values: dict[tuple[str, str], Value] = {}
        self._children: dict[tuple[str, str], Module | None] = {}
        self._instance_cache: dict[str, Mapping[str, Instance]] = {}

    @property
    def prefix(self) -> str:
        """The prefix of its resources' addresses."""
        if self.call is None:
            return ""
        return (
            f"{self.call.module.prefix}module.{self.call.placed.block.labels[0]}{self.call.instance.suffix}."
        )

    @property
    def root(self) -> "Module":
        """The root module of its stack."""
        return self.call.module.root if self.call else self

    def resolve(self, name: str, steps: Path) -> tuple[Value, Path]:
        """Return the value of a name with its first steps, and the remaining steps: see `Names`."""
        if not steps or name in _BUILT_IN_NAMES or (name == "data" and len(steps) < len(("type", "name"))):
            return UNKNOWN, ()
        first, rest = str(steps[0]), steps[1:]
        if name in {"var", "local"}:
            return self._memoized(name, first, self._variable if name == "var" else self._local), rest
        if name == "module":
            return self._output(first, rest)
        if name == "data":
            return self._resource(f"data.{first}.{rest[0]}", rest[1:])
        return self._resource(f"{name}.{first}", rest)

    def _memoized(self, kind: str, name: str, find: Callable[[str], Value]) -> Value:
        key = (kind, name)
        if key not in self._values:
            self._values[key] = UNKNOWN  # Terraform refuses self-references: avoid endless recursion
            self._values[key] = find(name)
        return self._values[key]

    def _local(self, name: str) -> Value:
        placed = self.declarations.locals.get(name)
        return evaluate(placed.argument.value, Scope(self)) if placed else UNKNOWN

    def _variable(self, name: str) -> Value:
        placed = self.declarations.variables.get(name)
        if placed is None:
            return UNKNOWN
        block, scope = placed.block, Scope(self)
        assigned = self.argument(name)
        value = evaluate(assigned[0].argument.value, assigned[1]) if assigned else UNKNOWN
        no_null = value is None and evaluate(block.value("nullable"), scope) is False
        if (assigned is None or no_null) and "default" in block.arguments:
            value = evaluate(block.value("default"), scope)
        return convert(value, block.value("type"))

    def argument(self, name: str) -> tuple[PlacedArgument, Scope] | None:
        """Return a variable's argument in the call, or in tfvars, and its scope; None without one."""
        if self.call is None:
            assigned = self.declarations.tfvars.get(name)
            return (assigned, Scope(self)) if assigned else None
        block, file = self.call.placed
        return (
            (PlacedArgument(block.arguments[name], file), self.call.scope)
            if name in block.arguments
            else None
        )

    def children(self, name: str) -> "Iterator[Module]":
        """Yield the instances of a called module; none if its source is not a local folder."""
        placed = self.declarations.calls[name]
        for instance in instances(placed.block, Scope(self)):
            if child := self._child(name, placed, instance):
                yield child

    def _child(self, name: str, placed: PlacedBlock, instance: Instance) -> "Module | None":
        key = (name, instance.suffix)
        if key not in self._children:
            self._children[key] = self._load_child(placed, instance)
        return self._children[key]

    def _load_child(self, placed: PlacedBlock, instance: Instance) -> "Module | None":
        source = placed.block.value("source")
        if not isinstance(source, str) or not source.startswith("."):
            return None
        folder = PurePath(normpath(self.folder / source))
        caller: Module | None = self
        while caller:
            if caller.folder == folder:
                raise CheckFailedError(f"{folder.as_posix()}: the module calls itself; remove the call")
            caller = caller.call.module if caller.call else None
        call = CallSite(placed, instance, self)
        return Module(self._folders, folder, self._folders(folder), call)

    def _output(self, name: str, steps: Path) -> tuple[Value, Path]:
        placed = self.declarations.calls.get(name)
        call_address = f"{self.prefix}module.{name}"
        if placed is None:
            return UNKNOWN, ()
        if "for_each" in placed.block.arguments or "count" in placed.block.arguments:
            key, steps = (steps[0], steps[1:]) if steps else (None, steps)
            suffix = index_suffix(key) if key is not None else ""
            children = [
                child for child in self.children(name) if child.call and child.call.instance.suffix == suffix
            ]
        else:
            children = list(self.children(name))
        if not steps:
            return UNKNOWN, ()
        if len(children) != 1:
            return Unknown(f"{call_address}.{steps[0]}"), steps[1:]
        return children[0].output(str(steps[0])), steps[1:]

    def output(self, name: str) -> Value:
        """Return the value of an output."""
        return self._memoized("output", name, self._output_value)

    def _output_value(self, name: str) -> Value:
        placed = self.declarations.outputs.get(name)
        return evaluate(placed.block.value("value"), Scope(self)) if placed else UNKNOWN

    def _resource(self, name: str, steps: Path) -> tuple[Value, Path]:
        """Return a resource's argument as written; a computed attribute is known only by its reference."""
        placed = self.declarations.resources.get(name)
        if placed is None:
            return UNKNOWN, ()
        by_suffix = self._instances(name, placed.block)
        reference = f"{self.prefix}{name}"
        if "[*]" in by_suffix:
            return Unknown(reference), steps
        if "" in by_suffix:
            return self._attribute(placed.block, by_suffix[""], reference, steps)
        if not steps:
            return self._memoized("resource", name, lambda _: _all(reference, by_suffix.values())), ()
        suffix = index_suffix(steps[0])
        if suffix not in by_suffix:
            return INVALID, ()
        return self._attribute(placed.block, by_suffix[suffix], reference + suffix, steps[1:])

    def _instances(self, name: str, block: Block) -> Mapping[str, Instance]:
        if name not in self._instance_cache:
            self._instance_cache[name] = {"[*]": Instance("[*]", None, {})}  # as `_memoized` does
            self._instance_cache[name] = {each.suffix: each for each in instances(block, Scope(self))}
        return self._instance_cache[name]

    def _attribute(self, block: Block, instance: Instance, reference: str, steps: Path) -> tuple[Value, Path]:
        whole = Unknown(reference, present=True)
        if not steps or str(steps[0]) not in block.arguments:
            return whole, steps
        argument = block.value(str(steps[0]))
        value = self._memoized(
            "argument", f"{reference}.{steps[0]}", lambda _: evaluate(argument, Scope(self, instance.symbols))
        )
        return (value, steps[1:]) if value is not None and is_known(value) else (whole, steps)


def _all(reference: str, members: Iterable[Instance]) -> Value:
    """Return all instances of a resource: by key, or as a list for `count`."""
    keyed = [(each.key, Unknown(f"{reference}{each.suffix}", present=True)) for each in members]
    by_key: dict[str, Value] = {key: value for key, value in keyed if key is not None}
    return by_key if len(by_key) == len(keyed) else [value for _, value in keyed]


def convert(value: Value, kind: Expression) -> Value:
    """Return a value in a variable's type: with optional attributes, without undeclared ones."""
    if value is None or isinstance(value, Unknown):
        return value
    try:
        return _converted(value, kind)
    except (KeyError, TypeError, ValueError):  # Terraform refuses it
        return UNKNOWN


def _converted(value: Value, kind: Expression) -> Value:
    match kind:
        case Reference(name):
            return _scalar(value, name)
        case Call("object", (Object(fields),)) if isinstance(value, dict):
            return {str(field.key): _attribute(value.get(str(field.key)), field.value) for field in fields}
        case Call("tuple", (Items(kinds),)) if isinstance(value, list):
            return [convert(*pair) for pair in zip(value, kinds, strict=True)]
        case Call(name, (inner,)) if name in _COLLECTIONS:
            return _COLLECTIONS[name](value, inner)
        case None:
            return value
        case _:
            return UNKNOWN


def _elements(items: list[Value], kind: Expression) -> list[Value]:
    return unify(items) if kind == Reference("any") else [convert(item, kind) for item in items]


def _map(value: Value, kind: Expression) -> Value:
    if not isinstance(value, dict):
        raise TypeError("not a map")
    return dict(zip(value, _elements(list(value.values()), kind), strict=True))


def _list(value: Value, kind: Expression) -> list[Value]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return _elements(in_order(value), kind)


_COLLECTIONS: Mapping[str, Callable[[Value, Expression], Value]] = {
    "list": _list,
    "map": _map,
    "set": lambda value, kind: to_set(_list(value, kind)),
}
_SCALARS: Mapping[str, Callable[[Value], Value]] = {
    "bool": to_boolean,
    "number": to_number,
    "string": to_text,
}


def _scalar(value: Value, kind: str) -> Value:
    if kind == "any" or (kind == "string" and isinstance(value, Document)):
        return value
    return _SCALARS[kind](value)


def _attribute(value: Value, kind: Expression) -> Value:
    """Return an attribute of an object, or its default if it is null."""
    if not (isinstance(kind, Call) and kind.function == "optional"):
        return convert(value, kind)
    inner, *default = kind.arguments
    return convert(evaluate(default[0], Scope(_NoNames())) if value is None and default else value, inner)


class _NoNames:
    def resolve(self, name: str, steps: Path) -> tuple[Value, Path]:  # noqa: ARG002 - the protocol's
        return UNKNOWN, ()
