"""What the modules of a team's own declare, which stand in the stacks' `extra/`."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from fleetform.base import fingerprint as identities
from fleetform.base.cache import digest
from fleetform.base.errors import CatalogError, Position, Problem
from fleetform.catalog.files import EXTRA_NAME
from fleetform.render.declared_variables import Variable
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.hcl.syntax import Block


def declared_variables(project: Project, name: str) -> dict[str, tuple[Variable, ...]]:
    """The variables of the module in each stack's `extra/`, by stack; of those alone that have one.

    Args:
        project: The checkout.
        name: The environment's name.

    Raises:
        CatalogError: A file that declares variables cannot be read.
    """
    found = {folder: _files(project.root / "envs" / name / folder) for folder in _folders(project.root, name)}
    return {
        folder: tuple(_variables(project, [PurePath("envs", name, folder, EXTRA_NAME, file) for file in files]))
        for folder, files in found.items()
        if files
    }


def identity(declared: dict[str, tuple[Variable, ...]]) -> bytes:
    """A digest of what a render follows from of it; where variables stand says nothing there."""
    named = {stack: sorted((each.name, each.required) for each in variables) for stack, variables in declared.items()}
    return digest(json.dumps(named, sort_keys=True).encode())


def _folders(root: Path, name: str) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(root / "envs" / name) if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _files(stack: Path) -> list[str]:
    """The files of its `extra/` that Terraform reads, by name."""
    try:
        names = os.listdir(stack / EXTRA_NAME)  # noqa: PTH208 - names alone are wanted
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if name.endswith(".tf") and not name.startswith("."))


def _variables(project: Project, files: Sequence[PurePath]) -> Iterator[Variable]:
    for file in files:
        content = (project.root / file).read_bytes()
        if b"variable" in content:
            yield from _variables_of_file(project, file, content)


def _variables_of_file(project: Project, file: PurePath, content: bytes) -> Iterator[Variable]:
    """The variables that a file declares: from the store, where what it holds was parsed before."""
    key = digest(b"declared", identities.code(), content)
    known = project.store.get_many([key]).get(key)
    if known is None:
        known = json.dumps([_describe(block) for block in _parsed(file, content)]).encode()
        project.store.put_many({key: known})
    for name, required, line, column in json.loads(known):
        yield Variable(name, required, Position(file, line, column))


def _parsed(file: PurePath, content: bytes) -> "Iterator[Block]":
    from fleetform.hcl.parsing import UnreadableError, parse  # noqa: PLC0415 - only an uncached file needs a parser

    try:
        blocks = parse(content, file).blocks
    except UnreadableError as error:
        remedy = "mend it, or if Terraform reads it, move the variables to a file of their own"
        raise CatalogError([Problem(error.position, "not valid HCL", remedy)]) from None
    return (block for block in blocks if block.kind == "variable" and block.labels)


def _describe(block: "Block") -> tuple[str, bool, int, int]:
    return block.labels[0], "default" not in block.arguments, block.line, block.column
