"""Parsing of HCL, with the position of everything. The only importer of python-hcl2."""

import re
import sys
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from fleetform.base.errors import CheckFailedError, Position
from fleetform.hcl.decimals import number
from fleetform.hcl.syntax import (
    Argument,
    Binary,
    Block,
    Call,
    Conditional,
    Entry,
    Expression,
    File,
    For,
    Index,
    Items,
    Object,
    Opaque,
    Reference,
    Splat,
    Template,
    Unary,
)

if TYPE_CHECKING:
    from lark import Token, Tree

    Node: TypeAlias = "Tree[Token]"

_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(["\\nrt]))|\$\$\{|%%\{')
_SURROGATES = range(0xD800, 0xE000)
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_MAX_DEPTH = 100  # levels of blocks; deeper ones can be parsed, but not cached
_LITERALS = {"true": True, "false": False, "null": None}
_IGNORED_NODES = frozenset({"new_line_or_comment"})
_LABELS = frozenset({"identifier", "keyword", "literal_value", "string"})
# Parts of heredocs: escapes, literals, and starts of interpolations or directives.
_BEYOND_STRING = re.compile(r'(?<!\\)(?:\\\\)*"|\n')
_ESCAPED_STARTS = frozenset({"${", "%{"})
_UNESCAPED = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_HEREDOC_PART = re.compile(r"\$\$\{|%%\{|\$\{|%\{")


class UnreadableError(CheckFailedError):
    """HCL that cannot be parsed.

    Args:
        position: Where parsing stopped.
        reason: The reason; empty for a plain syntax error.
    """

    def __init__(self, position: Position, reason: str = "") -> None:
        self.position = position
        self.reason = reason
        super().__init__(
            f"{position}: not valid HCL{f' ({reason})' if reason else ''}; fix it, or render again"
        )

    def __reduce__(self) -> tuple[type, tuple[Position, str]]:
        """Return how to build it again in a different process."""
        return type(self), (self.position, self.reason)


def parse(content: bytes, path: PurePath) -> File:
    """Parse the content of one file.

    Raises:
        UnreadableError: It is not valid HCL, or more than python-hcl2 understands.
    """
    from fleetform.hcl.grammar import LarkError, UnexpectedInput, grammar  # noqa: PLC0415 - 0.3 s if nothing is cached

    try:
        (body,) = grammar().parse(content.decode("utf-8") + "\n").children
        return File(path, tuple(_blocks(body, 0)), dict(_arguments(body)))
    except UnexpectedInput as error:
        raise UnreadableError(Position(path, max(error.line, 1), max(error.column, 1))) from None
    except UnreadableError as error:
        raise UnreadableError(error.position._replace(file=path), error.reason) from None
    except (LarkError, RecursionError, ValueError) as error:
        raise UnreadableError(Position(path, 1, 1), type(error).__name__) from None


def expression(text: str) -> Expression:
    """Parse one expression.

    Raises:
        UnreadableError: It is not an expression.
    """
    return parse(f"value = {text}\n".encode(), PurePath("expression")).arguments["value"].value


def _place(node: "Node") -> tuple[int, int]:
    """Return line and column of a node's first token."""
    first = node.children[0]
    while not isinstance(first, str):
        first = first.children[0]
    return first.line, first.column  # type: ignore[return-value]


def _end(node: "Node") -> int:
    """Return the line of a node's last token."""
    last = node.children[-1]
    while not isinstance(last, str):
        last = last.children[-1]
    return last.line  # type: ignore[return-value]


def _trees(node: "Node") -> "list[Node]":
    """Return a node's children without punctuation, line breaks and comments."""
    return [
        child for child in node.children if not isinstance(child, str) and child.data not in _IGNORED_NODES
    ]


def _word(node: "Node") -> str:
    return str(node.children[0])


def _arguments(body: Any) -> Iterator[tuple[str, Argument]]:  # noqa: ANN401 - lark's type
    for node in body.children:
        if node.data == "attribute":
            name, value = _trees(node)
            yield _word(name), Argument(_expression(value), *_place(name))


def _blocks(body: Any, depth: int) -> Iterator[Block]:  # noqa: ANN401 - lark's type
    if depth > _MAX_DEPTH:
        raise RecursionError
    for node in body.children:
        if node.data == "block":
            kind, *rest = _trees(node)
            labels = tuple(_label(child) for child in rest if child.data in _LABELS)
            inner = rest[-1]
            yield Block(
                _word(kind),
                labels,
                dict(_arguments(inner)),
                tuple(_blocks(inner, depth + 1)),
                *_place(node),
                _end(node),
            )


def _label(node: "Node") -> str:
    return "".join(_unescape(_word(part)) for part in _trees(node)) if node.data == "string" else _word(node)


def _expression(node: "Node") -> Expression:
    return _BUILDERS[node.data](node)


def _term(node: "Node") -> Expression:
    (inner,) = _trees(node)
    return _expression(inner)


def _identifier(node: "Node") -> Reference:
    return Reference(_word(node))


def _float(node: "Node") -> Expression:
    try:
        return number(_word(node))
    except ValueError:
        return Opaque(_word(node))


def _integer(node: "Node") -> Expression:
    try:
        return int(_word(node))
    except ValueError:  # more digits than Python reads
        return Opaque(_word(node))


def _literal_value(node: "Node") -> Expression:
    return _LITERALS[_word(node)]


def _string(node: "Node") -> Expression:
    parts: list[Expression] = []
    for part in _trees(node):
        (child,) = part.children
        if isinstance(child, str):
            parts.append(_literal_part(str(child)))
        elif child.data == "interpolation":
            parts.append(_expression(_trees(child)[0]))
        else:
            return Opaque("directives")
    return _template(_join_literals(parts) if len(parts) > 1 else parts)


def _literal_part(text: str) -> Expression:
    """Return literal text; python-hcl2 includes everything from `$${` to the next `}` in it."""
    if text[1:3] not in _ESCAPED_STARTS:
        return _unescape(text)
    if _BEYOND_STRING.search(text):
        raise ValueError("an escape that python-hcl2 reads beyond its string")
    return Opaque("escapes") if _UNESCAPED.search(text, len("$${")) else _unescape(text)


def _template(parts: list[Expression]) -> Expression:
    """Return joined literals as text, a single interpolation as its value."""
    if all(isinstance(part, str) for part in parts):
        return "".join(map(str, parts))
    return parts[0] if len(parts) == 1 else Template(tuple(parts))


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text) if "\\" in text or "{" in text else text


def _unescaped(match: re.Match[str]) -> str:
    short, long, simple = match.groups()
    if short or long:
        code = int(short or long, 16)
        if code in _SURROGATES or code > sys.maxunicode:
            raise ValueError(f"not a character: {match.group()}")
        return chr(code)
    return _ESCAPED[simple] if simple else match.group()[1:]


def _heredoc(node: "Node") -> Expression:
    first, *lines = _word(node).replace("\r\n", "\n").splitlines(keepends=True)
    try:
        parts = list(_heredoc_parts("".join(lines[:-1])))
    except UnreadableError:
        place = Position(PurePath(), *_place(node))
        raise UnreadableError(place, "an interpolation in a heredoc") from None
    if any(isinstance(part, Opaque) for part in parts):
        return Opaque("directives")
    return _template(_join_literals(_dedent(parts) if first.startswith("<<-") else parts))


def _heredoc_parts(text: str) -> Iterator[Expression]:
    """Yield lines, or the parts of lines between interpolations."""
    at = 0
    while match := _HEREDOC_PART.search(text, at):
        yield from text[at : match.start()].splitlines(keepends=True)
        if match.group() == "%{":
            yield Opaque("directives")
            return
        if match.group() == "${":
            at = _closing_brace(text, match.end())
            inside = text[match.end() : at]
            yield Opaque("strip markers") if inside[:1] == "~" or inside[-1:] == "~" else expression(inside)
            at += 1
        else:
            yield match.group()[1:]
            at = match.end()
    yield from text[at:].splitlines(keepends=True)


def _dedent(parts: list[Expression]) -> list[Expression]:
    """Return parts without the indent that all lines share, for `<<-`; blank lines stay as they are."""
    begins = [index for index in range(len(parts)) if not index or _ends_line(parts[index - 1])]
    indented = [index for index in begins if not _is_blank(parts[index])]
    least = min((_indent(parts[index]) for index in indented), default=0)
    starts = frozenset(indented)
    return [
        part[least:] if index in starts and isinstance(part, str) else part
        for index, part in enumerate(parts)
    ]


def _ends_line(part: Expression) -> bool:
    return isinstance(part, str) and part.endswith("\n")


def _is_blank(part: Expression) -> bool:
    return isinstance(part, str) and part.endswith("\n") and not part.strip()


def _indent(part: Expression) -> int:
    return len(part) - len(part.lstrip()) if isinstance(part, str) else 0


def _join_literals(parts: list[Expression]) -> list[Expression]:
    """Return parts with adjacent literals joined and empty ones removed."""
    result: list[Expression] = []
    for part in (part for part in parts if part != ""):
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        else:
            result.append(part)
    return result


_IN_INTERPOLATION = re.compile(r'["{}]')
_IN_STRING = re.compile(r'\\.|\$\$\{|%%\{|[$%]\{|"', re.DOTALL)


def _closing_brace(text: str, at: int) -> int:
    """Return the position of the brace that ends an interpolation."""
    depth = 0
    while match := _IN_INTERPOLATION.search(text, at):
        at = match.end()
        if match.group() == '"':
            at = _end_of_string(text, at)
        elif match.group() == "{":
            depth += 1
        elif not depth:
            return match.start()
        else:
            depth -= 1
    raise UnreadableError(Position(PurePath(), 1, 1))


def _end_of_string(text: str, at: int) -> int:
    while match := _IN_STRING.search(text, at):
        at = match.end()
        if match.group() == '"':
            return at
        if match.group() in {"${", "%{"}:
            at = _closing_brace(text, at) + 1
    return len(text)


def _items(node: "Node") -> Items:
    trees = _trees(node)
    return Items(tuple(map(_expression, trees)), tuple(map(_place, trees)))


def _object(node: "Node") -> Object:
    return Object(tuple(map(_entry, _trees(node))))


def _entry(node: "Node") -> Entry:
    key, value = _trees(node)
    return Entry(_key(key), _expression(value), *_place(key))


def _key(node: "Node") -> Expression:
    (inner,) = _trees(node)
    if inner.data == "keyword":
        return _word(inner)
    parenthesised = inner.data == "expr_term" and isinstance(inner.children[0], str)
    key = _expression(inner)
    if parenthesised:
        return key
    if isinstance(key, Reference) and not key.steps:
        return key.name
    return "null" if key is None else str(key).lower() if isinstance(key, (bool, int, float)) else key


def _call(node: "Node") -> Call:
    names = [_word(tree) for tree in _trees(node) if tree.data == "identifier"]
    arguments = next((tree for tree in _trees(node) if tree.data == "arguments"), None)
    if arguments is None:
        return Call("::".join(names), ())
    spread = any(isinstance(child, str) and child.type == "ELLIPSIS" for child in arguments.children)
    return Call("::".join(names), tuple(map(_expression, _trees(arguments))), spread)


def _index(node: "Node") -> Expression:
    source, step = _trees(node)
    return _with_step(_expression(source), _step(step))


def _with_step(source: Expression, key: Expression) -> Expression:
    constant = isinstance(key, (str, int)) and not isinstance(key, bool)
    if isinstance(source, Reference) and constant:
        return Reference(source.name, (*source.steps, key))  # type: ignore[arg-type]
    return Index(source, key)


def _step(node: "Node") -> Expression:
    if node.data == "short_index":
        return int(str(node.children[1]))
    (inner,) = _trees(node)
    return _word(inner) if node.data == "get_attr" else _expression(inner)


def _splat(node: "Node") -> Splat:
    source, steps = _trees(node)
    return Splat(_expression(source), tuple(map(_step, _trees(steps))))


def _attribute_splat(node: "Node") -> Expression:
    """Build ``source.*.name``: unlike after ``[*]``, a following index is one of the resulting list."""
    source, steps = _trees(node)
    trees = _trees(steps)
    inner = list(takewhile(lambda step: step.data == "get_attr", trees))
    result: Expression = Splat(_expression(source), tuple(map(_step, inner)))
    for step in trees[len(inner) :]:
        result = Index(result, _step(step))
    return result


def _conditional(node: "Node") -> Conditional:
    return Conditional(*map(_expression, _trees(node)))


def _unary(node: "Node") -> Expression:
    operand = _term_of(node)
    if str(node.children[0]) == "-" and isinstance(operand, (int, float)) and not isinstance(operand, bool):
        return -operand
    return Unary(str(node.children[0]), operand)


def _term_of(node: "Node") -> Expression:
    return _expression(_trees(node)[0])


def _binary(node: "Node") -> Binary:
    left, term = _trees(node)
    operator, right = _trees(term)
    # The token has the line break before it.
    return Binary(_word(operator).strip(), _expression(left), _expression(right))


def _for(node: "Node") -> For:
    intro, *values = (tree for tree in _trees(node) if tree.data != "for_cond")
    *names, collection = _trees(intro)
    condition = next((_term_of(tree) for tree in _trees(node) if tree.data == "for_cond"), True)
    grouped = any(isinstance(child, str) and child.type == "ELLIPSIS" for child in node.children)
    key = _expression(values[0]) if node.data == "for_object_expr" else None
    return For(
        tuple(map(_word, names)), _expression(collection), key, _expression(values[-1]), condition, grouped
    )


_BUILDERS: "dict[str, Callable[[Node], Expression]]" = {
    "attr_splat_expr_term": _attribute_splat,
    "binary_op": _binary,
    "conditional": _conditional,
    "expr_term": _term,
    "float_lit": _float,
    "for_object_expr": _for,
    "for_tuple_expr": _for,
    "full_splat_expr_term": _splat,
    "function_call": _call,
    "get_attr_expr_term": _index,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "identifier": _identifier,
    "index_expr_term": _index,
    "int_lit": _integer,
    "literal_value": _literal_value,
    "object": _object,
    "string": _string,
    "template_string": lambda node: Opaque(_word(node)),
    "tuple": _items,
    "unary_op": _unary,
}


if __name__ == "__main__":  # `./run` runs this once, at installation, to write the grammar's cache
    parse(b"", PurePath("empty.tf"))
