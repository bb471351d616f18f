"""The variables of custom Terraform, the modules in the stacks' `extra/`."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from fleetform.base import fingerprint
from fleetform.base.cache import Kind, digest
from fleetform.base.errors import CatalogError, Position, Problem
from fleetform.base.serialization import JsonCodec
from fleetform.catalog.files import EXTRA_NAME
from fleetform.render.declared_variables import Variable
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.hcl.syntax import Block


class _Declaration(NamedTuple):
    """A variable and where its block starts in a file."""

    name: str
    required: bool
    line: int
    column: int


_DECLARED: Kind[list[_Declaration]] = Kind("declared", JsonCodec(list[_Declaration]))


def declared_variables(project: Project, name: str) -> dict[str, tuple[Variable, ...]]:
    """Return the variables of the module in each stack's `extra/`, by stack, for the stacks that have one.

    Args:
        project: The checkout.
        name: The environment's name.

    Raises:
        CatalogError: A file that declares variables cannot be read.
    """
    found = {folder: _files(project.root / "envs" / name / folder) for folder in _folders(project.root, name)}
    return {
        folder: tuple(
            _variables(project, [PurePath("envs", name, folder, EXTRA_NAME, file) for file in files])
        )
        for folder, files in found.items()
        if files
    }


def variables_fingerprint(declared: dict[str, tuple[Variable, ...]]) -> bytes:
    """Return a digest of the variables as a render uses them, without their places."""
    stacks = {
        stack: sorted((each.name, each.required) for each in variables)
        for stack, variables in declared.items()
    }
    return digest(json.dumps(stacks, sort_keys=True).encode())


def _folders(root: Path, name: str) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(root / "envs" / name) if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _files(stack: Path) -> list[str]:
    """Return the files of its `extra/` that Terraform reads, by name."""
    try:
        names = os.listdir(stack / EXTRA_NAME)  # noqa: PTH208 - only names are needed
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if name.endswith(".tf") and not name.startswith("."))


def _variables(project: Project, files: Sequence[PurePath]) -> Iterator[Variable]:
    for file in files:
        content = (project.root / file).read_bytes()
        if b"variable" in content:
            yield from _variables_of_file(project, file, content)


def _variables_of_file(project: Project, file: PurePath, content: bytes) -> Iterator[Variable]:
    """Yield the variables that a file declares; the same content is parsed once."""
    declarations = project.cache.memo(
        _DECLARED,
        (fingerprint.code(), content),
        lambda: [_describe(block) for block in _variable_blocks(file, content)],
    )
    for name, required, line, column in declarations:
        yield Variable(name, required, Position(file, line, column))


def _variable_blocks(file: PurePath, content: bytes) -> "Iterator[Block]":
    from fleetform.hcl.parsing import UnreadableError, parse  # noqa: PLC0415 - only an uncached file needs a parser

    try:
        blocks = parse(content, file).blocks
    except UnreadableError as error:
        remedy = "fix it, or if Terraform reads it, move the variables to a separate file"
        raise CatalogError([Problem(error.position, "not valid HCL", remedy)]) from None
    return (block for block in blocks if block.kind == "variable" and block.labels)


def _describe(block: "Block") -> _Declaration:
    return _Declaration(block.labels[0], "default" not in block.arguments, block.line, block.column)
