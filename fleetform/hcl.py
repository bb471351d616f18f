"""HCL literals out, parsed HCL in. The only importer of python-hcl2."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from fleetform.errors import CheckFailedError

if TYPE_CHECKING:
    from hcl2.rules.base import BlockRule, BodyRule

Literal: TypeAlias = "str | int | bool | tuple[Literal, ...] | list[Literal] | Mapping[str, Literal] | None"

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Words that an object's key may not be without quotes, or that would read as something else.
_KEYWORDS = frozenset({"for", "if", "in", "true", "false", "null"})

_ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x7F)}
    | {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
)


def literal(value: Literal) -> str:
    """Writes a value as an HCL literal that Terraform reads back as exactly this value.

    Nothing in a string can start an interpolation, end the string or begin a new line. Objects are in key order.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _quoted(value)
        case Mapping():
            return _object(value)
        case _:
            return f"[{', '.join(map(literal, value))}]"


def _quoted(value: str) -> str:
    text = value.translate(_ESCAPES)
    # python-hcl2 reads `$${` on to the next `}`, be it in another attribute; where none follows, escape otherwise.
    closed = text.rfind("}") + 1
    head = text[:closed].replace("${", "$${").replace("%{", "%%{")
    tail = text[closed:].replace("${", "\\u0024{").replace("%{", "\\u0025{")
    return f'"{head}{tail}"'


def key(name: str) -> str:
    """Writes an object's key, quoted unless it is a plain identifier."""
    return name if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS else _quoted(name)


def _object(value: Mapping[str, Literal]) -> str:
    if not value:
        return "{}"
    lines = (f"{key(name)} = {literal(value[name])}" for name in sorted(value))
    return "{\n" + "\n".join(lines) + "\n}"


@dataclass(frozen=True)
class Expression:
    """HCL that is not a literal: a reference, a template with interpolations, a call.

    Attributes:
        text: The expression as HCL: `var.name`, or with its quotes `"${var.name}-app"`.
    """

    text: str


@dataclass(frozen=True)
class Call:
    """A call of a function that wraps one value: `jsonencode({...})`, `toset([...])`.

    Attributes:
        function: Its name.
        argument: The value.
    """

    function: str
    argument: "Value"


Value: TypeAlias = "str | int | float | bool | Expression | Call | list[Value] | dict[str, Value] | None"


@dataclass(frozen=True)
class Block:
    """A block of a Terraform file.

    Attributes:
        kind: `resource`, `module`, `variable`...
        labels: Its labels, without quotes.
        body: Values by attribute; of nested blocks, the list of their bodies by kind.
        line: Where it starts, 1-based.
        lines: The line of each attribute, nested block and object key in it, by its path of names.
    """

    kind: str
    labels: tuple[str, ...]
    body: Mapping[str, Value]
    line: int
    lines: Mapping[tuple[str, ...], int]

    def line_of(self, *path: str) -> int:
        """The line of what a path leads to, or of the nearest thing above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return self.line


@dataclass(frozen=True)
class File:
    """A parsed Terraform file.

    Attributes:
        path: As shown to people.
        blocks: Its top-level blocks, in order.
        attributes: Its top-level attributes, which only tfvars and backend files have.
    """

    path: PurePath
    blocks: tuple[Block, ...]
    attributes: Mapping[str, Value]


def parse(content: bytes, path: PurePath) -> File:
    """Parses the content of one file.

    Raises:
        CheckFailedError: It is not valid HCL; the message says where.
    """
    import hcl2  # noqa: PLC0415 - a tenth of a second that rendering need not pay
    from hcl2.rules.base import AttributeRule, BlockRule  # noqa: PLC0415
    from lark.exceptions import LarkError, UnexpectedInput  # noqa: PLC0415

    try:
        body = hcl2.parses(content.decode("utf-8")).body
        blocks = tuple(_block(child) for child in body.children if isinstance(child, BlockRule))
        attributes = [child for child in body.children if isinstance(child, AttributeRule)]
        plain = {name: value for attribute in attributes for name, value in attribute.serialize(_options()).items()}
    except UnexpectedInput as error:
        raise CheckFailedError(f"{path}:{error.line}:{error.column}: not valid HCL; mend it, or render again") from None
    except (LarkError, RecursionError, UnicodeDecodeError) as error:
        raise CheckFailedError(
            f"{path}:1:1: not valid HCL ({type(error).__name__}); mend it, or render again"
        ) from None
    return File(path, blocks, {name: _value(value) for name, value in plain.items()})


def _options() -> Any:  # noqa: ANN401 - python-hcl2 is not typed
    from hcl2.utils import SerializationOptions  # noqa: PLC0415

    return SerializationOptions(with_comments=False, explicit_blocks=False)


def _block(rule: "BlockRule") -> Block:
    kind, *labels = (_unquoted(label.serialize(_options())) for label in rule.labels)
    body = {name: _value(value) for name, value in rule.body.serialize(_options()).items()}
    return Block(kind, tuple(labels), body, rule._meta.line, dict(_lines(rule.body)))  # noqa: SLF001 - its only place for lines


def _lines(body: "BodyRule", path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    from hcl2.rules.base import AttributeRule, BlockRule  # noqa: PLC0415

    for child in body.children:
        if isinstance(child, AttributeRule):
            name = (*path, child.identifier.serialize())
            yield name, child._meta.line  # noqa: SLF001 - its only place for lines
            yield from _lines_of_object(child.expression, name)
        elif isinstance(child, BlockRule):
            name = (*path, _unquoted(child.labels[0].serialize(_options())))
            yield name, child._meta.line  # noqa: SLF001 - its only place for lines
            yield from _lines(child.body, name)


def _lines_of_object(expression: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:  # noqa: ANN401
    from hcl2.rules.containers import ObjectRule  # noqa: PLC0415
    from hcl2.rules.expressions import ExprTermRule  # noqa: PLC0415

    while isinstance(expression, ExprTermRule):
        expression = expression.expression
    for element in expression.elements if isinstance(expression, ObjectRule) else ():
        name = (*path, _unquoted(str(element.key.serialize(_options()))))
        yield name, element._meta.line  # noqa: SLF001 - its only place for lines
        yield from _lines_of_object(element.expression, name)


_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(["\\nrt]))|\$\$\{|%%\{')
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_TEMPLATE = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
_WRAPPED = re.compile(r"(jsonencode|toset)\((.*)\)", re.DOTALL)
_HEREDOC = re.compile(r'"<<-?[\w.-]+\r?\n')


def _value(plain: Any) -> Value:  # noqa: ANN401 - what python-hcl2 serializes to
    """Tells literals from expressions in what python-hcl2 serializes to."""
    match plain:
        case dict():
            return {_unquoted(name): _value(value) for name, value in plain.items()}
        case list():
            return [_value(item) for item in plain]
        case str() if plain.startswith('"') and not _TEMPLATE.search(plain) and not _HEREDOC.match(plain):
            return _unquoted(plain)
        case str() if plain.startswith("${") and plain.endswith("}"):
            return _call(plain[2:-1]) or Expression(plain[2:-1])
        case str():
            return Expression(plain)
        case _:
            return plain  # type: ignore[no-any-return]


def _call(text: str) -> Call | None:
    """A call of a function that wraps one value; None if the expression is something else."""
    match = _WRAPPED.fullmatch(text)
    if match is None:
        return None
    try:
        return Call(match[1], parse(f"value = {match[2]}".encode(), PurePath("expression")).attributes["value"])
    except CheckFailedError:  # two calls with an operator between them
        return None


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    short, long, simple = match.groups()
    if short or long:
        return chr(int(short or long, 16))
    return _ESCAPED[simple] if simple else match.group()[1:]


if __name__ == "__main__":  # `./run` makes python-hcl2 write its grammar's cache once, at installation
    parse(b"", PurePath("empty.tf"))
