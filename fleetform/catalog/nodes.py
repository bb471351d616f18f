"""YAML as a tree in which every value knows the file, line and column that it came from.

YAML is data here: no tags, no merge keys, no templating, bounded aliases and depth. Plain scalars are read so that
nothing is lost: `true` and `false` are booleans, canonical decimal integers are integers, `null`, `~` and nothing are
null; all else is text as written (`1.10`, `no`, `0o755`, `2024-01-01`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import yaml

from fleetform.catalog.syntax import syntax_problem
from fleetform.errors import CatalogError, InputError, Position, Problem

Scalar: TypeAlias = str | int | bool | None
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"

MAX_DEPTH = 32
MAX_NODES = 500_000

_STANDARD = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A YAML value and where it is written.

    Attributes:
        value: A scalar, a list of nodes, or nodes by key in the order written.
        position: Where the value starts.
        key_position: Where its key starts, if it is a mapping's value.
        replaced: The value that this one was laid over and took the place of.
    """

    value: "Scalar | list[Node] | dict[str, Node]"
    position: Position
    key_position: Position | None = None
    replaced: "Node | None" = None

    def at(self, path: tuple[str | int, ...]) -> "Node | None":
        """The node that a path of keys and indices leads to, None if it leads nowhere."""
        node: Node = self
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                node = node.value[str(step)]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                return None
        return node

    def plain(self) -> Plain:
        """The value without positions."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class _Refused(Exception):  # noqa: N818 - no error for callers: it ends the reading of a file
    """Reading cannot go on past this problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Reader:
    """Builds nodes from YAML events; problems that reading can go on past are collected."""

    def __init__(self, text: str, file: PurePath) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def document(self) -> Node:
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Node({}, Position(self.file, 1, 1))
        root = self._node(event, depth=0)
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._refusal(after, "a second YAML document", "keep one document in a file")
        return root

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _position(self, event: yaml.Event) -> Position:
        return _position(event.start_mark, self.file)

    def _refusal(self, event: yaml.Event, message: str, remedy: str) -> _Refused:
        return _Refused(Problem(self._position(event), message, remedy))

    def _node(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - the event classes have no common type
        if depth > MAX_DEPTH:
            raise self._too_deep(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        before = self._count
        self._grow(event, 1)
        if event.tag is not None:
            self.problems.append(
                Problem(
                    self._position(event),
                    f"YAML tag `{event.tag.replace(_STANDARD, '!!')}`",
                    "leave it out; to say that it is text, quote it",
                )
            )
        node = Node(self._value(event, depth), self._position(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _too_deep(self, event: yaml.Event) -> _Refused:
        return self._refusal(event, f"nesting deeper than {MAX_DEPTH} levels", "flatten it")

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        if event.anchor not in self._anchors:
            raise self._refusal(
                event, f"alias *{event.anchor} has no anchor before it", f"define &{event.anchor} first"
            )
        node, size = self._anchors[event.anchor]
        self._grow(event, size)
        if depth + _height(node) > MAX_DEPTH:
            raise self._too_deep(event)
        return node

    def _grow(self, event: yaml.Event, size: int) -> None:
        self._count += size
        if self._count > MAX_NODES:
            raise self._refusal(event, f"more than {MAX_NODES} values once aliases are expanded", "use fewer aliases")

    def _value(self, event: yaml.Event, depth: int) -> "Scalar | list[Node] | dict[str, Node]":
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return list(self._items(depth))
        return self._mapping(depth)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or not event.value:
                raise self._refusal(event, "a key that is not a word", "write `key: value`")
            value = self._node(self._next(), depth + 1)
            position = self._position(event)
            if event.value in entries:
                first = entries[event.value].key_position
                self.problems.append(
                    Problem(position, f"duplicate key `{event.value}`", f"it is given at {first} already; keep one")
                )
            elif event.value == "<<":
                self.problems.append(Problem(position, "merge key `<<`", "write the keys out"))
            else:
                entries[event.value] = Node(value.value, value.position, position)
        return entries


def _height(node: Node) -> int:
    """Levels below a node."""
    if not isinstance(node.value, (dict, list)):
        return 0
    children = node.value.values() if isinstance(node.value, dict) else node.value
    return 1 + max(map(_height, children), default=-1)


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text


def parse(text: str, file: PurePath) -> tuple[Node, list[Problem]]:
    """Reads one YAML document.

    Args:
        text: The document.
        file: Its path, for positions.

    Returns:
        The root node and the problems found. An empty document is an empty mapping, as is one that cannot be read.
    """
    empty = Node({}, Position(file, 1, 1))
    reader = None
    try:
        reader = _Reader(text, file)
        root = reader.document()
    except _Refused as refused:
        return empty, [*(reader.problems if reader else []), refused.problem]
    except yaml.MarkedYAMLError as error:
        return empty, [syntax_problem(error, text, file)]
    except yaml.reader.ReaderError as error:
        position = _position_of(text, error.position, file)
        return empty, [Problem(position, "a character that YAML does not allow", "remove it or write it as an escape")]
    if root.value is None:
        return empty, reader.problems
    return root, reader.problems


def read(path: Path, shown_as: PurePath) -> tuple[Node, list[Problem]]:
    """Reads a YAML file; see `parse`.

    Raises:
        InputError: The file is missing or cannot be read.
        CatalogError: It is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{shown_as}: no such file; create it or choose another --env") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CatalogError([Problem(Position(shown_as, line, 1), "not UTF-8", "save the file as UTF-8")]) from None
    except OSError as error:
        raise InputError(f"{shown_as}: {error.strerror}; make it a readable file") from None
    return parse(text, shown_as)


def _position(mark: Any, file: PurePath) -> Position:  # noqa: ANN401 - libyaml's marks and PyYAML's own
    return Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)


def _position_of(text: str, offset: int, file: PurePath) -> Position:
    before = text[:offset]
    return Position(file, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
