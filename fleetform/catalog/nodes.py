"""YAML as a tree in which every value knows the file, line and column that it came from.

YAML is only data here: no tags, no merge keys, no templating, and limited aliases and depth. Plain scalars
keep everything that was written: `true` and `false` are booleans, canonical decimal integers are integers,
`null`, `~` and nothing are null, and everything else is text (`1.10`, `no`, `0o755`, `2024-01-01`).
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from fleetform.base.errors import CatalogError, InputError, Position, Problem
from fleetform.catalog.syntax import syntax_problem

if TYPE_CHECKING:
    from collections.abc import Callable

Scalar: TypeAlias = str | int | bool | None
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"

MAX_BYTES = 5 * 1024 * 1024
"""Maximum size of a file in bytes, and of its text in characters once aliases are expanded."""
MAX_DEPTH = 32
MAX_NODES = 500_000

_STANDARD = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_INTEGER_START = frozenset("-0123456789")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Node(NamedTuple):
    """A YAML value and its position. A tuple, because a large catalog has many.

    Attributes:
        value: A scalar, a list of nodes, or nodes by key in the order written.
        position: Where the value starts.
        key_position: Where its key starts, if it is a mapping's value.
        replaced: The value that this one replaced when it was laid over it.
    """

    value: "Scalar | list[Node] | dict[str, Node]"
    position: Position
    key_position: Position | None = None
    replaced: "Node | None" = None

    def at(self, path: tuple[str | int, ...]) -> "Node | None":
        """Return the node at a path of keys and indices, or None."""
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
        """Return the value without positions."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class _FatalProblem(Exception):  # noqa: N818 - not an error for callers: it ends the reading of a file
    """A problem that ends the reading of a file."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@dataclass(frozen=True)
class _Anchor:
    """A value that aliases may repeat, and its size: values, and characters of text."""

    node: Node
    nodes: int
    characters: int


class _Reader:
    """Builds nodes from YAML events, and collects the problems that do not end the reading.

    Events come from libyaml one by one, so that limits apply before anything grows. The code for plain values
    runs once per value and is written for speed.
    """

    def __init__(self, text: str, file: PurePath) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._next_event: Callable[[], Any] = _LOADER(text).get_event  # the event classes have no common type
        self._anchors: dict[str, _Anchor] = {}
        self._nodes = 0
        self._characters = 0

    def read_document(self) -> Node:
        event = self._next_event()
        while isinstance(event, (StreamStartEvent, DocumentStartEvent)):
            event = self._next_event()
        if isinstance(event, StreamEndEvent):
            return Node({}, Position(self.file, 1, 1))
        root = self._read_node(event, depth=0)
        self._next_event()
        after = self._next_event()
        if not isinstance(after, StreamEndEvent):
            raise self._fatal(after, "more than one YAML document", "keep one document per file")
        return root

    def _position(self, event: Any) -> Position:  # noqa: ANN401 - as `_next_event`
        mark = event.start_mark
        return Position(self.file, mark.line + 1, mark.column + 1)

    def _fatal(self, event: Any, message: str, remedy: str) -> _FatalProblem:  # noqa: ANN401 - as `_next_event`
        return _FatalProblem(Problem(self._position(event), message, remedy))

    def _read_node(self, event: Any, depth: int, key: Position | None = None) -> Node:  # noqa: ANN401 - as `_next_event`
        if depth > MAX_DEPTH:
            raise self._depth_problem(event)
        kind = type(event)
        if kind is AliasEvent:
            return self._read_alias(event, depth, key)
        nodes, characters = self._nodes, self._characters
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._size_problem(event)
        if event.tag is not None:
            self._reject_tag(event)
        value: Scalar | list[Node] | dict[str, Node]
        if kind is ScalarEvent:
            self._characters += len(event.value)
            value = event.value if event.style else _parse_scalar(event.value)
        else:
            value = (
                self._read_items(depth + 1) if kind is SequenceStartEvent else self._read_mapping(depth + 1)
            )
        node = Node(value, self._position(event), key)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(node, self._nodes - nodes, self._characters - characters)
        return node

    def _reject_tag(self, event: Any) -> None:  # noqa: ANN401 - as `_next_event`
        remedy = "remove it; if the value is text, quote it"
        self.problems.append(
            Problem(
                self._position(event), f"unsupported YAML tag `{event.tag.replace(_STANDARD, '!!')}`", remedy
            )
        )

    def _depth_problem(self, event: yaml.Event) -> _FatalProblem:
        return self._fatal(event, f"nested deeper than {MAX_DEPTH} levels", "flatten it")

    def _read_alias(self, event: Any, depth: int, key: Position | None) -> Node:  # noqa: ANN401 - as `_next_event`
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            raise self._fatal(
                event, f"alias *{event.anchor} has no anchor before it", f"define &{event.anchor} first"
            )
        self._nodes += anchored.nodes
        if self._nodes > MAX_NODES:
            raise self._size_problem(event)
        self._characters += anchored.characters
        if self._characters > MAX_BYTES:
            message = f"more than {MAX_BYTES // 2**20} MiB of text once aliases are expanded"
            raise self._fatal(event, message, "use fewer aliases")
        if depth + _measure_depth(anchored.node) > MAX_DEPTH:
            raise self._depth_problem(event)
        return Node(anchored.node.value, anchored.node.position, key)

    def _size_problem(self, event: yaml.Event) -> _FatalProblem:
        message = f"more than {MAX_NODES} values once aliases are expanded"
        return self._fatal(event, message, "use fewer values and aliases")

    def _read_items(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while type(event := self._next_event()) is not SequenceEndEvent:
            items.append(self._read_node(event, depth))
        return items

    def _read_mapping(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while type(event := self._next_event()) is not MappingEndEvent:
            if type(event) is not ScalarEvent or not event.value:
                raise self._fatal(event, "the key is not a word", "write `key: value`")
            if event.tag is not None:
                self._reject_tag(event)
            key: str = event.value
            self._characters += len(key)
            node = self._read_node(self._next_event(), depth, self._position(event))
            if key in entries or key == "<<":
                self._reject_key(event, entries)
            else:
                entries[key] = node
        return entries

    def _reject_key(self, event: ScalarEvent, entries: dict[str, Node]) -> None:
        message, remedy = "unsupported merge key `<<`", "write out the keys"
        if event.value in entries:
            message = f"duplicate key `{event.value}`"
            remedy = f"it is already defined at {entries[event.value].key_position}; keep one"
        self.problems.append(Problem(self._position(event), message, remedy))


def _measure_depth(node: Node) -> int:
    """Return the number of levels below a node."""
    if not isinstance(node.value, (dict, list)):
        return 0
    children = node.value.values() if isinstance(node.value, dict) else node.value
    return 1 + max(map(_measure_depth, children), default=-1)


def _parse_scalar(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if text[0] in _INTEGER_START and _INTEGER.fullmatch(text) else text


def parse_yaml(text: str, file: PurePath) -> tuple[Node, list[Problem]]:
    """Read one YAML document.

    Args:
        text: The document.
        file: Its path, for positions.

    Returns:
        The root node and the problems. A document that is empty or cannot be read gives an empty mapping.
    """
    empty = Node({}, Position(file, 1, 1))
    reader = None
    try:
        reader = _Reader(text, file)
        root = reader.read_document()
    except _FatalProblem as refused:
        return empty, [*(reader.problems if reader else []), refused.problem]
    except yaml.MarkedYAMLError as error:
        return empty, [syntax_problem(error, text, _position_at(text, len(text), file))]
    except yaml.reader.ReaderError as error:
        position = _position_at(text, error.position, file)
        return empty, [
            Problem(position, "a character that YAML does not allow", "remove it or write it as an escape")
        ]
    if root.value is None:
        return empty, reader.problems
    return root, reader.problems


def read_yaml(path: Path, shown_as: PurePath) -> tuple[Node, list[Problem]]:
    """Read a YAML file; see `parse_yaml`.

    Raises:
        InputError: The file is missing, too large, or cannot be read.
        CatalogError: It is not UTF-8.
    """
    try:
        text = _read_bytes(path, shown_as).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{shown_as}: file not found; create it or choose a different --env") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CatalogError(
            [Problem(Position(shown_as, line, 1), "not UTF-8", "save the file as UTF-8")]
        ) from None
    except OSError as error:
        raise InputError(f"{shown_as}: {error.strerror}; make it a readable file") from None
    return parse_yaml(text, shown_as)


def _read_bytes(path: Path, shown_as: PurePath) -> bytes:
    """Read the bytes of a file, without waiting for a named pipe or a device, which may never end."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise InputError(f"{shown_as}: is a pipe or a device; replace it with a regular file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise InputError(
            f"{shown_as}:1:1: larger than {MAX_BYTES // 2**20} MiB; remove what does not belong in a catalog"
        )
    return content


def _position_at(text: str, offset: int, file: PurePath) -> Position:
    breaks = [match.end() for match in _LINE_BREAK.finditer(text, 0, offset)]
    return Position(file, len(breaks) + 1, offset - (breaks[-1] if breaks else 0) + 1)
