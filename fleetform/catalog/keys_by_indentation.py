"""Find the key that is written at a position of a YAML file, by indentation, even in invalid YAML.

Parsing the file again would be exact in every case, but takes as long as loading the catalog.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TypeAlias

from fleetform.base.errors import Position
from fleetform.catalog.nodes import Node, parse_yaml

KeyPath: TypeAlias = tuple[str | int, ...]

# The dashes of a list before a key, the key, and its colon.
_ENTRY = re.compile(
    r"""( *(?:- +)*)("(?:\\.|[^"\\])*"|'(?:''|[^'])*'"""
    r"""|[^\s#"'\[\]{},&*!|>%@`-][^:#]*(?::(?=\S)[^:#]+)*):(?:\s|$)"""
)
_INDENT = re.compile(r" *(?:- +)*")


def find_key_paths(lines: Sequence[str], positions: Collection[Position]) -> dict[Position, KeyPath]:
    """Return the path of keys at each position of a file.

    Args:
        lines: The file's lines.
        positions: Positions in the file.
    """
    by_line: dict[int, list[Position]] = {}
    for position in positions:
        by_line.setdefault(position.line, []).append(position)
    paths: dict[Position, KeyPath] = {}
    first = next((number for number, line in enumerate(lines, 1) if _ENTRY.match(line)), 0)
    for number, above in _keys_above(lines, by_line):
        inside = _keys_inside(lines[number - 1])
        if number == first:
            inside = {**inside, 1: ()}  # keys missing from the whole file are reported there
        for position in by_line[number]:
            paths[position] = (*above, *inside.get(position.column, ()))
    return paths


def _keys_above(lines: Sequence[str], numbers: Collection[int]) -> Iterator[tuple[int, KeyPath]]:
    """Yield each line in `numbers` with the keys that are above it and less indented."""
    above: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if entry := _ENTRY.match(line):
            dash = entry[1].find(
                "-"
            )  # it ends the item before it; its list's key may have the same indentation
            while above and above[-1][0] >= (dash + 1 or entry.end(1)):
                above.pop()
        if number in numbers:
            indent = entry.end(1) if entry else _measure_indent(line)
            yield number, tuple(key for column, key in above if column < indent)
        if entry:
            above.append((entry.end(1), _key_of(entry)))


def _key_of(entry: re.Match[str]) -> str:
    return entry[2].strip("\"' ")


def _measure_indent(line: str) -> int:
    indent = _INDENT.match(line)
    return indent.end() if indent else 0


def _keys_inside(line: str) -> Mapping[int, KeyPath]:
    """Return the keys of a line, by the columns at which they and their values begin; empty without a key."""
    entry = _ENTRY.match(line)
    if entry is None:
        return {}
    start = entry.end(1)
    tree, _ = parse_yaml(line[start:], PurePath())
    key: KeyPath = (_key_of(entry),)
    columns = dict.fromkeys(range(start + 1, len(line) + 2), key)
    columns |= {start + position.column: path for position, path in _paths(tree, ())}
    return columns | (
        {start + 1: ()} if "-" in entry[1] else {}
    )  # keys missing from an item are reported there


def _paths(node: Node, path: KeyPath) -> Iterator[tuple[Position, KeyPath]]:
    """Yield the position and path of each key and value below a node; innermost last."""
    for key, child in node.value.items() if isinstance(node.value, dict) else ():
        if child.key_position:
            yield child.key_position, (*path, key)
        yield child.position, (*path, key)
        yield from _paths(child, (*path, key))
    for index, item in enumerate(node.value if isinstance(node.value, list) else ()):
        yield item.position, (*path, index)
        yield from _paths(item, (*path, index))
