"""The nodes of parsed HCL: Python values for literals, and a tuple for everything else.

A large project has hundreds of thousands of nodes, which are cached.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple, TypeAlias


class Reference(NamedTuple):
    """A name with attributes: ``var.ports["web"]``; a type such as ``string`` has no steps.

    Attributes:
        name: The first word.
        steps: The attributes and constant indices after it.
    """

    name: str
    steps: tuple[str | int, ...] = ()


class Index(NamedTuple):
    """An element of an expression that is not a name, or under a computed key: ``f(x)[var.key]``."""

    source: "Expression"
    key: "Expression"


class Splat(NamedTuple):
    """The same attribute of every element: ``source[*].id``."""

    source: "Expression"
    steps: "tuple[Expression, ...]"


class Template(NamedTuple):
    """Text with interpolations; its literal parts are strings."""

    parts: "tuple[Expression, ...]"


class Call(NamedTuple):
    """A function call; `spread` if its last argument is followed by ``...``."""

    function: str
    arguments: "tuple[Expression, ...]"
    spread: bool = False


class Items(NamedTuple):
    """A list; `places` has line and column of each item."""

    items: "tuple[Expression, ...]"
    places: tuple[tuple[int, int], ...]


class Entry(NamedTuple):
    """An attribute of an object, with the place of its key."""

    key: "Expression"
    value: "Expression"
    line: int
    column: int


class Object(NamedTuple):
    """An object or map."""

    entries: tuple[Entry, ...]


class Conditional(NamedTuple):
    """``condition ? yes : no``."""

    condition: "Expression"
    yes: "Expression"
    no: "Expression"


class Unary(NamedTuple):
    """``!operand`` or ``-operand``."""

    operator: str
    operand: "Expression"


class Binary(NamedTuple):
    """Two operands with an operator between them."""

    operator: str
    left: "Expression"
    right: "Expression"


class For(NamedTuple):
    """``[for ...]``, or ``{for ...}`` if it has a key.

    Attributes:
        names: One name for values, or two for keys and values.
        collection: The collection.
        key: The key of each entry; None for a list.
        value: The value of each entry.
        condition: Which elements are included; True for all.
        grouped: Whether values of the same key are collected: ``...``.
    """

    names: tuple[str, ...]
    collection: "Expression"
    key: "Expression"
    value: "Expression"
    condition: "Expression"
    grouped: bool


class Opaque(NamedTuple):
    """An expression that is not analyzed, such as a template with ``%{`` directives."""

    text: str


Expression: TypeAlias = (
    "str | int | float | bool | Reference | Index | Splat | Template | Call | Items | Object | Conditional"
    " | Unary"
    " | Binary | For | Opaque | None"
)


class Argument(NamedTuple):
    """``name = value``, with the place of its name."""

    value: Expression
    line: int
    column: int


class Block(NamedTuple):
    """A block.

    Attributes:
        kind: `resource`, `module`, `variable`...
        labels: Its labels, without quotes.
        arguments: By name; of two with one name, which Terraform refuses, the last.
        blocks: The blocks in it, in order.
        line: Where it starts, 1-based.
        column: Where it starts, 1-based.
        end: Its last line.
    """

    kind: str
    labels: tuple[str, ...]
    arguments: Mapping[str, Argument]
    blocks: "tuple[Block, ...]"
    line: int
    column: int
    end: int

    def value(self, name: str) -> Expression:
        """An argument's value; None if it is not given."""
        argument = self.arguments.get(name)
        return argument.value if argument else None


class File(NamedTuple):
    """A parsed file.

    Attributes:
        path: The path, as messages show it.
        blocks: Its top-level blocks, in order.
        arguments: Its top-level arguments, which only tfvars and backend files have.
    """

    path: PurePath
    blocks: tuple[Block, ...]
    arguments: Mapping[str, Argument]
