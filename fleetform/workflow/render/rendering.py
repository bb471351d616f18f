"""What a render of an environment comes to, made anew only where something that it follows from has changed."""

import functools
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.base.errors import Position, Problem, ProgramError
from fleetform.catalog.files import CATALOG, environment_file, environment_names, lock_file
from fleetform.catalog.repository import leaves_repository
from fleetform.render.rendered_files import rendered_files
from fleetform.render.writer import Change, changes
from fleetform.stacks import emptied, stacks
from fleetform.terraform import installation
from fleetform.workflow.project import Project
from fleetform.workflow.render import extra_modules

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment
    from fleetform.workflow.render.loaded import LoadedCatalog


@dataclass(frozen=True)
class _Answer:
    """What is remembered of a render.

    Attributes:
        notices: What is allowed in the catalog and yet worth saying.
        stacks: The stacks, in the order of their apply.
        emptied: Those that all services have left, after them.
        expected: Digest of all files.
        builds: What images are built from; that none leads out of the repository was seen, and is seen again.
    """

    notices: list[Problem]
    stacks: list[str]
    emptied: list[str]
    expected: bytes
    builds: list[str]


class Rendering:
    """A render of an environment, of its files as they are when this is made; nothing is written.

    Catalog, lock, templates, our own code, Terraform's formatter and what `extra/` declares say what it comes to: where
    all are what they were, no catalog is loaded and no template rendered.

    Args:
        project: The checkout.
        name: The environment's name.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._project = project
        self._name = name

    @property
    def notices(self) -> list[Problem]:
        """What is allowed in the catalog and yet worth saying, by place; raises what loading the catalog does."""
        return self._remembered.notices if self._remembered else self._loaded.notices

    @property
    def stacks(self) -> list[str]:
        """The names of the stacks, in the order of their apply; without those that are emptied."""
        if self._remembered:
            return self._remembered.stacks
        return [stack.name for stack in stacks(self._loaded.environment)]

    @property
    def emptied(self) -> list[str]:
        """The names of the stacks that all services have left."""
        if self._remembered:
            return self._remembered.emptied
        return [stack.name for stack in emptied(self._loaded.environment, tuple(self._standing))]

    @functools.cached_property
    def changes(self) -> dict[str, list[Change]]:
        """What a render would change, by stack.

        Raises:
            InputError: The catalog is wrong, or a file that is not ours is in the way.
        """
        if self._remembered and self._remembered.expected == _digest(_flat(self._standing)):
            return {stack: [] for stack in (*self._remembered.stacks, *self._remembered.emptied)}
        files = self._loaded.render(tuple(self._standing))
        self._remember(files)
        root = self._project.root
        return {stack: changes(root, PurePath("envs", self._name, stack), texts) for stack, texts in files.items()}

    def _remember(self, files: dict[str, dict[PurePath, str]]) -> None:
        """Remembers a render, unless somebody wrote what it follows from meanwhile."""
        if self._key is None or self._make_key() != self._key:
            return
        flat = (
            (stack, path.name, texts[path].encode()) for stack, texts in sorted(files.items()) for path in sorted(texts)
        )
        answer = {
            "notices": [_packed(notice) for notice in self.notices],
            "stacks": self.stacks,
            "emptied": self.emptied,
            "expected": _digest(flat).hex(),
            "builds": sorted(set(_builds(self._loaded.environment))),
        }
        self._project.store.put_many({self._key: json.dumps(answer).encode()})

    @functools.cached_property
    def _standing(self) -> "dict[str, dict[str, bytes]]":
        return {name: dict(files) for name, files in rendered_files(self._project.root / "envs" / self._name).items()}

    @functools.cached_property
    def _loaded(self) -> "LoadedCatalog":
        from fleetform.workflow.render.loaded import LoadedCatalog  # noqa: PLC0415 - half a second unless it is cached

        return LoadedCatalog(self._project, self._name)

    @functools.cached_property
    def _key(self) -> bytes | None:
        return self._make_key()

    def _make_key(self) -> bytes | None:
        """A digest of all that a render follows from; None if there is no such environment, or no Terraform."""
        root = self._project.root
        names = environment_names(root)
        if self._name not in names:
            return None
        try:
            terraform = fingerprint.program(installation.find_program(), root)
        except ProgramError:
            return None
        sources = (CATALOG, environment_file(self._name), lock_file(self._name))
        return digest(
            b"rendering",
            fingerprint.code(),
            terraform,
            os.fsencode(self._name),
            digest(*map(os.fsencode, names)),
            *(_source(root, file) for file in sources),
            fingerprint.tree(root / "templates"),
            digest(*map(os.fsencode, self._standing)),
            extra_modules.identity(extra_modules.declared_variables(self._project, self._name)),
        )

    @functools.cached_property
    def _remembered(self) -> _Answer | None:
        found = self._project.store.get_many([self._key]) if self._key else {}
        for value in found.values():
            answer = _unpacked(json.loads(value))
            is_link = functools.cache(os.path.islink)
            if not any(leaves_repository(self._project.root, PurePath(path), is_link) for path in answer.builds):
                return answer
        return None


def _source(root: Path, file: PurePath) -> bytes:
    """A digest of a file and, as links out of the repository are refused, of where it really is."""
    real = os.path.relpath(os.path.realpath(root / file), os.path.realpath(root))
    return digest(os.fsencode(real), fingerprint.content(root / file))


def _flat(files: "dict[str, dict[str, bytes]]") -> Iterator[tuple[str, str, bytes]]:
    return ((stack, name, content) for stack, contents in files.items() for name, content in contents.items())


def _digest(files: Iterable[tuple[str, str, bytes]]) -> bytes:
    """A digest of files: stack, name and content of each, sorted."""
    return digest(*(part for stack, name, content in files for part in (stack.encode(), os.fsencode(name), content)))


def _builds(environment: "Environment") -> Iterator[str]:
    for service in environment.services.values():
        if service.build:
            yield service.build.context
            yield f"{service.build.context}/{service.build.dockerfile}"


def _packed(notice: Problem) -> list[str | int]:
    file, line, column = notice.position
    return [file.as_posix(), line, column, notice.message, notice.remedy]


def _unpacked(answer: dict[str, Any]) -> _Answer:
    notices = [
        Problem(Position(PurePath(file), line, column), message, remedy)
        for file, line, column, message, remedy in answer["notices"]
    ]
    expected = bytes.fromhex(answer["expected"])
    return _Answer(notices, answer["stacks"], answer["emptied"], expected, answer["builds"])
