"""The generated part of each module's README: `./run golden` writes it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hcl2

MARK = "<!-- Generated from here on: ./run golden -->"

_OPTIONS = hcl2.SerializationOptions(strip_string_quotes=True, explicit_blocks=False, with_comments=False)


def current(module: Path) -> str:
    """Return the module's README with its generated part up to date.

    Args:
        module: The module's folder.
    """
    written, _, _ = (module / "README.md").read_text(encoding="utf-8").partition(MARK)
    example = (module / "examples/basic/main.tf").read_text(encoding="utf-8")
    sections = [
        MARK,
        f"## Example\n\n```hcl\n{example}```",
        "## Inputs\n\n"
        + _table(["Name", "Description", "Type", "Default"], map(_input, _blocks(module, "variable"))),
        "## Outputs\n\n" + _table(["Name", "Description"], map(_output, _blocks(module, "output"))),
    ]
    return written + "\n\n".join(sections) + "\n"


def _blocks(module: Path, kind: str) -> list[tuple[str, dict[str, Any]]]:
    text = (module / f"{kind}s.tf").read_text(encoding="utf-8")
    return [
        item for block in hcl2.loads(text, serialization_options=_OPTIONS)[kind] for item in block.items()
    ]


def _input(item: tuple[str, dict[str, Any]]) -> list[str]:
    name, body = item
    default = _code(_literal(body["default"])) if "default" in body else "required"
    return [
        _code(name),
        _description(body),
        _code(body["type"].removeprefix("${").removesuffix("}")),
        default,
    ]


def _output(item: tuple[str, dict[str, Any]]) -> list[str]:
    name, body = item
    return [_code(name), _description(body)]


def _description(body: dict[str, Any]) -> str:
    """A description on one line, whether it is a string or a heredoc."""
    _, mark, lines = body["description"].partition("<<-EOT\n")
    return " ".join(lines.removesuffix("EOT").split()) if mark else str(body["description"])


def _literal(value: Any) -> str:  # noqa: ANN401 -- whatever a default may be
    match value:
        case dict():
            return (
                "{ " + ", ".join(f"{key} = {_literal(item)}" for key, item in value.items()) + " }"
                if value
                else "{}"
            )
        case list():
            return "[" + ", ".join(map(_literal, value)) + "]"
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def _code(text: str) -> str:
    return f"`{text}`"


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows])
