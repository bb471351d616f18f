"""docs/resources.md says of every key what it makes, and is right: by the modules, and by what is rendered."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from fleetform import hcl
from fleetform.catalog.models import Environment
from fleetform.catalog.reference import anchor, keys
from fleetform.catalog.unrendered import ENVIRONMENT, SERVICE
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.stacks import FOUNDATION
from tests.catalog.changes import changes, environments

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/resources.md"

REFUSED = frozenset({*ENVIRONMENT, *(f"services.*.{key}" for key in SERVICE)})

# They are gone before there is an environment: inheritance reads them.
INHERITANCE = frozenset({"defaults", "templates", "services.*.extends", "services.*.enabled_in"})

_ROW = re.compile(r"\| \[`([^`]+)`\]\(catalog\.md#([^)]+)\) \| (.*) \| (.*) \| (.*) \|")
_SPAN = re.compile(r"`([^`]+)`")
_NOTHING = re.compile(r"(none|refused): ")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        key: The key of the catalog.
        anchor: Where its link into the reference leads.
        terraform: What it makes or sets.
        variables: The modules' variables that carry it.
        files: The rendered files that it changes.
    """

    key: str
    anchor: str
    terraform: str
    variables: tuple[str, ...]
    files: tuple[str, ...]


def rows() -> list[Row]:
    """The rows of the table, in its order."""
    found = _ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    return [Row(row[1], row[2], row[3], tuple(_SPAN.findall(row[4])), tuple(_SPAN.findall(row[5]))) for row in found]


@cache
def blocks(kind: str) -> Mapping[tuple[str, str], list[hcl.Block]]:
    """The modules' blocks of a kind, by module and first label."""
    found = defaultdict(list)
    for path in sorted((ROOT / "modules").glob("*/*.tf")):
        for block in hcl.parse(path.read_bytes(), path).blocks:
            if block.kind == kind:
                found[path.parent.name, block.labels[0]].append(block)
    return found


def has(body: hcl.Value, steps: list[str], text: str) -> bool:
    """Whether a path of names leads somewhere in a body; in what is no block, whether its names are keys of any object.

    Args:
        body: The body, or what is in it.
        steps: The names.
        text: The module's whole text.
    """
    if not steps:
        return True
    if isinstance(body, list):
        return any(has(item, steps, text) for item in body)
    if not isinstance(body, dict):
        return all(re.search(rf"\b{step}\s*=", text) for step in steps)
    dynamic = body.get("dynamic", [])
    assert isinstance(dynamic, list)
    inside = [item[steps[0]] for item in dynamic if isinstance(item, dict) and steps[0] in item]
    contents = [block["content"] for block in inside if isinstance(block, dict)]
    return any(has(item, steps[1:], text) for item in (*contents, *([body[steps[0]]] if steps[0] in body else [])))


def text_of(module: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "modules" / module).glob("*.tf")))


def is_in_a_module(argument: str) -> bool:
    """Whether a resource of a module has an argument, written as `type.argument`."""
    kind, *steps = argument.split(".")
    return any(
        has(dict(block.body), steps, text_of(module))
        for (module, label), found in blocks("resource").items()
        if label == kind
        for block in found
    )


def is_a_variable(path: str) -> bool:
    """Whether a module has a variable, written as `module.variable`, and its type what more there is of the path."""
    module, name, *steps = path.split(".")
    types = [
        str(block.body["type"])
        for (folder, label), found in blocks("variable").items()
        if label == name and module in (folder, "*")
        for block in found
    ]
    return any(all(re.search(rf"\b{step} =", kind) for step in steps) for kind in types)


def place(stack: str, file: str) -> str:
    """A rendered file as the table calls it."""
    folder = stack if stack == FOUNDATION.name else "<group>"
    return f"{folder}/{re.sub('^service_.*', 'service_<name>.tf', file)}"


def rendered_files() -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """All files, and by key those that change with its value."""
    templates = Templates(ROOT / "templates")
    every: set[str] = set()
    found: dict[str, set[str]] = defaultdict(set)
    for environment in environments():
        before = dict(_texts(environment, templates))
        every |= {place(*file) for file in before}
        for key, changed in changes(environment):
            after = dict(_texts(changed, templates))
            found[key] |= {place(*file) for file in before.keys() | after.keys() if before.get(file) != after.get(file)}
    return frozenset(every), {key: frozenset(files) for key, files in found.items()}


def _texts(environment: Environment, templates: Templates) -> Iterator[tuple[tuple[str, str], str]]:
    for stack, files in render(environment, templates, {}).items():
        yield from (((stack, path.name), text) for path, text in files.items())


def shown(files: frozenset[str], every: frozenset[str]) -> tuple[str, ...]:
    """Files as the table lists them: `<group>/*` for all of a group's."""
    of_groups = {file for file in every if file.startswith("<group>/")}
    return tuple(sorted((files - of_groups) | {"<group>/*"} if files >= of_groups else files))


@pytest.fixture(scope="module")
def rendered() -> Mapping[str, tuple[str, ...]]:
    """The files that change with each key, as the table lists them."""
    every, found = rendered_files()
    return {key: () if key in REFUSED else shown(files, every) for key, files in found.items()}


def test_every_key_of_the_catalog_has_a_row_in_the_references_order() -> None:
    assert [row.key for row in rows()] == list(keys().values())


def test_a_key_leads_to_its_row_in_the_reference() -> None:
    assert {row.key: row.anchor for row in rows()} == {key: anchor(key.split(".")) for key in keys().values()}


def test_every_argument_is_one_of_a_resource_in_a_module() -> None:
    named = {span for row in rows() for span in _SPAN.findall(row.terraform) if span.startswith("aws_")}
    assert {argument for argument in named if not is_in_a_module(argument)} == set()


def test_every_variable_is_one_of_a_module() -> None:
    named = {path for row in rows() for path in row.variables}
    assert {path for path in named if not is_a_variable(path)} == set()


def test_every_key_is_given_another_value_somewhere(rendered: Mapping[str, tuple[str, ...]]) -> None:
    assert set(keys().values()) - rendered.keys() == INHERITANCE


def test_a_key_changes_just_the_rendered_files_that_its_row_names(rendered: Mapping[str, tuple[str, ...]]) -> None:
    assert {row.key: row.files for row in rows()} == {key: rendered.get(key, ()) for key in keys().values()}


def test_only_a_key_that_is_read_elsewhere_or_refused_changes_nothing(rendered: Mapping[str, tuple[str, ...]]) -> None:
    told = {row.key: found[1] for row in rows() if (found := _NOTHING.match(row.terraform))}
    assert told.keys() == {key for key in keys().values() if not rendered.get(key)}
    assert {key for key, word in told.items() if word == "refused"} == REFUSED
