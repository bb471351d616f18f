"""Values as HCL literals, which Terraform reads back as exactly these values."""

import re
from collections.abc import Mapping
from typing import TypeAlias

Literal: TypeAlias = "str | int | bool | tuple[Literal, ...] | list[Literal] | Mapping[str, Literal] | None"

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Words that are not valid as unquoted keys, or have a different meaning.
_KEYWORDS = frozenset({"for", "if", "in", "true", "false", "null"})

_LIST_COLUMNS = 80
"""Longest list on one line; with its name and indentation it stays within 120 columns."""

_ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x7F)}
    | {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
)


def literal(value: Literal) -> str:
    """Return a value as an HCL literal that Terraform reads back as exactly this value.

    Nothing in a string can start an interpolation, end the string or begin a new line.
    Objects are in key order.
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
            return _list([literal(item) for item in value])


def _list(items: list[str]) -> str:
    line = f"[{', '.join(items)}]"
    if len(line) <= _LIST_COLUMNS or "\n" in line:
        return line
    return "[\n" + "".join(f"{item},\n" for item in items) + "]"


def _quoted(value: str) -> str:
    text = value.translate(_ESCAPES)
    # python-hcl2 reads `$${` up to the next `}`, even in a later attribute: without one, escape differently.
    closed = text.rfind("}") + 1
    head = text[:closed].replace("${", "$${").replace("%{", "%%{")
    tail = text[closed:].replace("${", "\\u0024{").replace("%{", "\\u0025{")
    return f'"{head}{tail}"'


def key(name: str) -> str:
    """Return an object's key, quoted unless it is a plain identifier."""
    return name if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS else _quoted(name)


def _object(value: Mapping[str, Literal]) -> str:
    if not value:
        return "{}"
    lines = (f"{key(name)} = {literal(value[name])}" for name in sorted(value, key=_place))
    return "{\n" + "\n".join(lines) + "\n}"


def _place(name: str) -> tuple[str, bool]:
    """Where a key comes in an object."""
    return ("min", True) if name == "max" else (name, False)
