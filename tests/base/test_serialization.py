"""Typed serialization: every value is read back as it was, and nothing else is created."""

import ast
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetform.base.serialization import JsonCodec, UndecodableError
from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.serialization import RESOURCES
from fleetform.hcl.eval.values import Document, Set, Unknown
from tests.conftest import ROOT


class Color(StrEnum):
    """An enumeration."""

    RED = "red"


class Leaf(NamedTuple):
    """A named tuple."""

    name: str
    number: int


class Tree(NamedTuple):
    """A named tuple that contains itself."""

    left: "Node"
    right: "Node"


Node = str | Leaf | Tree | None


@dataclass(frozen=True)
class Everything:
    """A dataclass with a field of each kind."""

    flag: bool
    ratio: float
    data: bytes
    day: date
    path: PurePath
    color: Color
    pair: tuple[str, int]
    items: tuple[int, ...]
    leaves: Sequence[Leaf]
    names: frozenset[str]
    by_path: Mapping[PurePath, bytes]
    leaf: Leaf | None
    tree: Tree


EVERYTHING: JsonCodec[Everything] = JsonCodec(Everything)
VALUE = Everything(
    flag=True,
    ratio=1.0,
    data=b"\0\xff",
    day=date(2026, 1, 31),
    path=PurePath("a/b.tf"),
    color=Color.RED,
    pair=("\udcff", -(10**30)),
    items=(),
    leaves=[Leaf("é", 0)],
    names=frozenset({"a", "b"}),
    by_path={PurePath("a"): b""},
    leaf=None,
    tree=Tree(Tree("a", Leaf("b", 1)), None),
)

known_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.builds(Unknown, st.text(), st.booleans()),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(Set)
        | st.builds(Document, inner)
        | st.dictionaries(st.text() | st.sampled_from(["\0set", "\0dict", "\0unknown", "\0"]), inner)
    ),
)


def types_of(value: Any) -> Any:  # noqa: ANN401 - of any type
    """Return the types in a value, which equality does not compare."""
    if isinstance(value, dict):
        return type(value), [(key, types_of(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [types_of(item) for item in value]
    return type(value)


def test_a_value_of_every_kind_is_read_back() -> None:
    found = EVERYTHING.decode(EVERYTHING.encode(VALUE))
    assert found == VALUE
    assert repr(found) == repr(VALUE)


@given(known_values)
def test_the_values_of_a_resource_are_read_back(value: Any) -> None:  # noqa: ANN401 - of any type
    resource = Resource("aws_x.this", "resource", "aws_x", {"value": value}, "services")
    (found,) = RESOURCES.decode(RESOURCES.encode([resource]))
    assert found == resource
    assert types_of(found.values) == types_of(resource.values)


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | plain_values.map(lambda value: repr(value).encode()))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UndecodableError):
        EVERYTHING.decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"[[]]",
        b"[[1]]",
        b'[["a", "b"]]',
        b'[["a", true]]',
        b'[["a", 1, 2]]',
        b"[null]",
        b'{"a": 1}',
        b"[" * 100_000,
    ],
)
def test_a_different_shape_is_refused(data: bytes) -> None:
    leaves: JsonCodec[tuple[Leaf]] = JsonCodec(tuple[Leaf])
    with pytest.raises(UndecodableError):
        leaves.decode(data)


def test_a_value_that_is_nested_too_deeply_cannot_be_written() -> None:
    tree = Tree(None, None)
    for _ in range(10_000):
        tree = Tree(tree, None)
    with pytest.raises(ValueError, match="nested too deeply"):
        JsonCodec[Tree](Tree).encode(tree)


def test_no_module_of_ours_reads_data_that_can_run_code() -> None:
    forbidden = {"dill", "joblib", "marshal", "pickle", "shelve"}
    found = {}
    for file in sorted((ROOT / "fleetform").rglob("*.py")):
        if imported := forbidden & set(imports(file)):
            found[file.relative_to(ROOT).as_posix()] = imported
    assert found == {}


def imports(file: Path) -> list[str]:
    """Return the modules that a file imports."""
    nodes = [*ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    names = [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    return names + [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]


def test_a_cached_value_is_read_without_models_and_parsers() -> None:
    script = (
        "import sys, fleetform.base.cache, fleetform.base.serialization; print(*{'pydantic', 'yaml'} &"
        " {*sys.modules})"
    )
    assert (
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
        == "\n"
    )
