"""docs/resources.md says of every key what it makes, and is right: by the modules, and by what is rendered."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from fleetform import hcl
from fleetform.catalog.reference import keys
from tests import resources
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
def blocks(kind: str) -> Mapping[tuple[str, str], list[hcl.Block]]:
    """The modules' blocks of a kind, by module and first label."""
    found = defaultdict(list)
    for path in sorted((ROOT / "modules").glob("*/*.tf")):
        for block in hcl.parse(path.read_bytes(), path).blocks:
            if block.kind == kind:
                found[path.parent.name, block.labels[0]].append(block)
    return found


@cache
def module_text(module: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "modules" / module).glob("*.tf")))


def is_in_a_module(argument: str) -> bool:
    """Whether a resource of a module has an argument, written as `type.argument` with the blocks that it is in."""
    kind, *steps = argument.split(".")
    return any(
        leads_somewhere(dict(block.body), steps, module_text(module))
        for (module, label), found in blocks("resource").items()
        if label == kind
        for block in found
    )


def leads_somewhere(body: hcl.Value, steps: Sequence[str], text: str) -> bool:
    """Whether there is something in a block at the end of a path of names.

    Args:
        body: The block's body, the bodies of several, or an argument's value: of that, names are keys of any object.
        steps: The names.
        text: The whole module.
    """
    if isinstance(body, list):
        return any(leads_somewhere(item, steps, text) for item in body)
    if not isinstance(body, dict):
        return all(re.search(rf"\b{step}\s*=", text) for step in steps)
    return not steps or any(leads_somewhere(item, steps[1:], text) for item in inside(body, steps[0]))


def inside(body: Mapping[str, hcl.Value], name: str) -> list[hcl.Value]:
    """What is called so in a block: an argument, a block, or the content of a dynamic one."""
    dynamic = body.get("dynamic", [])
    assert isinstance(dynamic, list)
    named = [item[name] for item in dynamic if isinstance(item, dict) and name in item]
    contents = [block["content"] for block in named if isinstance(block, dict)]
    return [*contents, *([body[name]] if name in body else [])]


def is_a_variable(path: str) -> bool:
    """Whether a module, `*` for any, has a variable, written as `module.variable`, and its type what else is named."""
    module, name, *steps = path.split(".")
    types = [
        str(block.body["type"])
        for (folder, label), found in blocks("variable").items()
        if label == name and module in (folder, "*")
        for block in found
    ]
    return any(all(re.search(rf"\b{step} =", kind) for step in steps) for kind in types)


def test_it_has_every_key_and_the_rendered_files_that_change_with_it(text: str) -> None:
    assert text == resources.current(text), "run: python -m tests.resources"


def test_every_key_is_told(rows: list[Row]) -> None:
    assert [row.key for row in rows if resources.NEW in (row.terraform, row.variables)] == []


def test_every_argument_is_one_of_a_resource_in_a_module(rows: list[Row]) -> None:
    named = {span for row in rows for span in _SPAN.findall(row.terraform) if span.startswith("aws_")}
    assert {argument for argument in named if not is_in_a_module(argument)} == set()


def test_every_variable_is_one_of_a_module(rows: list[Row]) -> None:
    named = {path for row in rows for path in _SPAN.findall(row.variables)}
    assert {path for path in named if not is_a_variable(path)} == set()


def test_every_key_is_given_another_value_somewhere() -> None:
    assert set(keys().values()) - resources.files_by_key().keys() == INHERITANCE


def test_a_key_that_changes_nothing_rendered_is_read_elsewhere_or_refused(rows: list[Row]) -> None:
    silent = {key for key in keys().values() if not resources.files_by_key().get(key)}
    assert {row.key for row in rows if re.match(r"(none|refused): ", row.terraform)} == silent
