"""docs/resources.md says of every key what it makes, and is right.

By the modules, and by what is rendered.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import pytest

from fleetform.catalog.reference import key_paths
from fleetform.hcl.parsing import parse
from fleetform.hcl.syntax import Block, Entry
from tests import resources
from tests.generated import Generated
from tests.resources import ROOT, Row

# Gone before there is an environment: inheritance reads them.
INHERITANCE = frozenset({"defaults", "templates", "services.*.extends", "services.*.enabled_in"})

_SPAN = re.compile(r"`([^`]+)`")


@pytest.fixture(scope="module")
def text() -> str:
    return resources.DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(text: str) -> list[Row]:
    return resources.rows(text)


@cache
def blocks(kind: str) -> Mapping[tuple[str, str], list[Block]]:
    """The modules' blocks of a kind, by module and first label."""
    found = defaultdict(list)
    for path in sorted((ROOT / "modules").glob("*/*.tf")):
        for block in parse(path.read_bytes(), path).blocks:
            if block.kind == kind:
                found[path.parent.name, block.labels[0] if block.labels else ""].append(block)
    return found


def is_in_a_module(argument: str) -> bool:
    """Whether a module's resource has an argument, written as `type.argument` with its blocks."""
    kind, *steps = argument.split(".")
    return any(
        leads_somewhere(block, steps, module)
        for (module, label), found in blocks("resource").items()
        if label == kind
        for block in found
    )


def leads_somewhere(block: Block, steps: Sequence[str], module: str) -> bool:
    """Whether there is something in a block at the end of a path of names."""
    if not steps:
        return True
    first, *rest = steps
    return any(leads_somewhere(inner, rest, module) for inner in inside(block, first)) or (
        first in block.arguments and keys_of(module).issuperset(rest)
    )


def inside(block: Block, name: str) -> Iterator[Block]:
    """The nested blocks of a kind; of a dynamic one, the content."""
    for inner in block.blocks:
        if inner.kind == name:
            yield inner
        elif (inner.kind, inner.labels) == ("dynamic", (name,)):
            yield from (content for content in inner.blocks if content.kind == "content")


def keys_within(node: object) -> Iterator[str]:
    """The keys of all objects in something parsed, and the names of all arguments."""
    if isinstance(node, Entry) and isinstance(node.key, str):
        yield node.key
    if isinstance(node, Block):
        yield from node.arguments
        yield from keys_within(tuple(node.arguments.values()))
    if isinstance(node, tuple):
        for part in node:
            yield from keys_within(part)


@cache
def keys_of(module: str) -> frozenset[str]:
    """All that has a key in a module: what a resource gets may be made in its locals."""
    kinds = (blocks(kind) for kind in ("locals", "resource", "data"))
    return frozenset(
        key
        for found in kinds
        for (name, _), each in found.items()
        if name == module
        for key in keys_within(tuple(each))
    )


def is_a_variable(path: str) -> bool:
    """Whether a module (`*` for any) has a variable, written as `module.variable` and keys of its type."""
    module, name, *steps = path.split(".")
    types = [
        block.value("type")
        for (folder, label), found in blocks("variable").items()
        if label == name and module in (folder, "*")
        for block in found
    ]
    return any(set(steps) <= set(keys_within(kind)) for kind in types)


def test_it_has_every_key_and_the_rendered_files_that_change_with_it(text: str, generated: Generated) -> None:
    generated.check(resources.DOCUMENT, resources.current(text))


@pytest.mark.parametrize(
    ("key", "cells"),
    [
        ("cpu", ("`aws_ecs_task_definition.cpu`", "`ecs_service.cpu`")),
        (
            "architecture",
            ("`aws_ecs_task_definition.runtime_platform.cpu_architecture`", "`ecs_service.architecture`"),
        ),
        (
            "ephemeral_storage",
            ("`aws_ecs_task_definition.ephemeral_storage`", "`ecs_service.ephemeral_storage`"),
        ),
        ("public", (resources.NEW, resources.NEW)),
    ],
)
def test_a_new_key_gets_the_arguments_that_refer_to_its_variable(key: str, cells: tuple[str, str]) -> None:
    assert resources.new_cells(f"services.*.{key}") == cells


def test_every_key_has_its_effect_written(rows: list[Row]) -> None:
    assert [row.key for row in rows if resources.NEW in (row.terraform, row.variables)] == []


def test_every_argument_is_one_of_a_resource_in_a_module(rows: list[Row]) -> None:
    named = {span for row in rows for span in _SPAN.findall(row.terraform) if span.startswith("aws_")}
    assert {argument for argument in named if not is_in_a_module(argument)} == set()


def test_every_variable_is_one_of_a_module(rows: list[Row]) -> None:
    named = {path for row in rows for path in _SPAN.findall(row.variables)}
    assert {path for path in named if not is_a_variable(path)} == set()


def test_every_key_is_given_another_value_somewhere() -> None:
    assert set(key_paths().values()) - resources.files_by_key().keys() == INHERITANCE


def test_a_key_that_changes_nothing_rendered_is_read_elsewhere_or_refused(rows: list[Row]) -> None:
    silent = {key for key in key_paths().values() if not resources.files_by_key().get(key)}
    assert {row.key for row in rows if re.match(r"(none|refused): ", row.terraform)} == silent
