"""The table of docs/resources.md: ``./run golden`` writes what of it is generated.

Generated are the rows, in the reference's order with links into it, and the last column: the files that
`render` changes when a key's value changes. What a key makes, and by which variables, is written by hand, and
checked by tests. A new key of a service whose module has a variable of the same name gets these columns, too,
if resources refer to the variable directly.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fleetform.catalog.models import Environment
from fleetform.catalog.reference import key_paths
from fleetform.hcl.parsing import parse
from fleetform.hcl.syntax import Block, Reference
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.stacks import FOUNDATION
from tests.catalog.changes import changes, environments

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/resources.md"

NEW = "?"
"""What the cells of a new key hold until they are written by hand."""

_HEAD = "| key | Terraform | variables | rendered in |\n| --- | --- | --- | --- |"
_ROW = re.compile(r"\| \[`([^`]+)`\]\([^)]+\) \| (.*) \| (.*) \| (.*) \|")
_META_ARGUMENTS = frozenset({"count", "for_each"})
_GROUPS = "<group>"
_NOTHING = "–"  # noqa: RUF001 - a dash, as in any table


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        key: The key of the catalog.
        terraform: What it makes or sets.
        variables: The modules' variables that carry it.
        files: The rendered files that it changes.
    """

    key: str
    terraform: str
    variables: str
    files: str


def rows(text: str) -> list[Row]:
    """The rows of the document, in its order."""
    return [Row(*row) for row in _ROW.findall(text)]


def current(text: str) -> str:
    """Return the document with what is generated up to date."""
    intro, *chapters = re.split(r"^## ", text, flags=re.MULTILINE)
    titles = {rows(chapter)[0].key: chapter.partition("\n")[0] for chapter in chapters}
    cells = {row.key: (row.terraform, row.variables) for row in rows(text)}
    written = {key: pair for key, pair in cells.items() if NEW not in pair}
    files = files_by_key()
    lines = [intro.rstrip("\n")]
    for key in key_paths().values():
        if key in titles:
            lines.append(f"\n## {titles[key]}\n\n{_HEAD}")
        terraform, variables = written.get(key) or new_cells(key)
        places = ", ".join(f"`{file}`" for file in files.get(key, ())) or _NOTHING
        anchor = key.replace(".*", "").replace(".", "-")
        lines.append(f"| [`{key}`](catalog.md#{anchor}) | {terraform} | {variables} | {places} |")
    return "\n".join(lines) + "\n"


def new_cells(key: str) -> tuple[str, str]:
    """Return what a new key makes, and by which variables, as the service's module shows it."""
    name = key.removeprefix("services.*.")
    module = ROOT / "modules/ecs_service"
    files = [parse(path.read_bytes(), path) for path in sorted(module.glob("*.tf"))]
    uses = dict.fromkeys(
        f"`{block.labels[0]}.{argument}`"
        for file in files
        for block in file.blocks
        if block.kind == "resource"
        for argument in arguments_of(block, Reference("var", (name,)))
    )
    return (", ".join(uses), f"`ecs_service.{name}`") if uses else (NEW, NEW)


def arguments_of(block: Block, variable: Reference) -> Iterator[str]:
    """Yield the arguments of a block that refer to a variable, and the blocks in it that one causes."""
    for name, argument in block.arguments.items():
        if name not in _META_ARGUMENTS and refers(argument.value, variable):
            yield name
    for inner in block.blocks:
        if inner.kind == "dynamic" and refers(inner.value("for_each"), variable):
            yield inner.labels[0]
        elif inner.kind == "dynamic":
            yield from (f"{inner.labels[0]}.{path}" for path in arguments_of(inner.blocks[0], variable))
        else:
            yield from (f"{inner.kind}.{path}" for path in arguments_of(inner, variable))


def refers(node: object, variable: Reference) -> bool:
    """Return whether an expression refers to a variable, or to a part of it."""
    if isinstance(node, Reference):
        return node.name == variable.name and node.steps[: len(variable.steps)] == variable.steps
    return isinstance(node, tuple) and any(refers(part, variable) for part in node)


@cache
def files_by_key() -> Mapping[str, tuple[str, ...]]:
    """Return, for each key of an environment, the rendered files that change with its value."""
    templates = Templates(ROOT / "templates")
    every: set[str] = set()
    found: dict[str, set[str]] = defaultdict(set)
    for environment in environments():
        before = _texts(environment, templates)
        every |= {_place(*file) for file in before}
        for key, changed in changes(environment):
            after = _texts(changed, templates)
            differing = (file for file in before.keys() | after.keys() if before.get(file) != after.get(file))
            found[key] |= {_place(*file) for file in differing}
    of_groups = {file for file in every if file.startswith(_GROUPS)}
    return {key: tuple(_shown(files, of_groups)) for key, files in found.items()}


def _texts(environment: Environment, templates: Templates) -> dict[tuple[str, str], str]:
    stacks = render(environment, templates, {})
    return {(stack, path.name): text for stack, files in stacks.items() for path, text in files.items()}


def _place(stack: str, file: str) -> str:
    """A rendered file as the table calls it."""
    folder = stack if stack == FOUNDATION.name else _GROUPS
    return f"{folder}/{re.sub('^service_.*', 'service_<name>.tf', file)}"


def _shown(files: set[str], of_groups: set[str]) -> Iterator[str]:
    if files >= of_groups:
        yield f"{_GROUPS}/*"
        files = files - of_groups
    yield from sorted(files)
