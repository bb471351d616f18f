"""The render of an environment, made again only if something that it follows from has changed."""

import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from fleetform.base import fingerprint
from fleetform.base.cache import Kind, digest
from fleetform.base.errors import Problem, ProgramError
from fleetform.base.serialization import JsonCodec
from fleetform.catalog.files import (
    CATALOG,
    NETWORK_LOCK_NAME,
    environment_file,
    environment_names,
    lock_file,
    network_lock_file,
)
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


class _Summary(NamedTuple):
    """The cached facts about a render.

    Attributes:
        notices: The catalog's warnings.
        stacks: The stacks, in the order of their apply.
        emptied: The stacks that all services have left, after them.
        expected: A digest of all files.
        builds: The paths that images are built from. Each time, they are checked not to leave the repository.
    """

    notices: list[Problem]
    stacks: list[str]
    emptied: list[str]
    expected: bytes
    builds: list[str]


_SUMMARY: Kind[_Summary] = Kind("rendering", JsonCodec(_Summary))


class Rendering:
    """A render of an environment, of its files as they are when this is made; nothing is written.

    It follows from the catalog, the lock, the templates, our code, Terraform's formatter and the variables of
    `extra/`. If none of these has changed, no catalog is loaded and no template rendered.

    Args:
        project: The checkout.
        name: The environment's name.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._project = project
        self._name = name

    def again(self) -> "Rendering":
        """Return a render of the files as they are now."""
        return Rendering(self._project, self._name)

    @property
    def notices(self) -> list[Problem]:
        """Return the catalog's warnings, by place; raises the errors of loading the catalog."""
        return self._cached.notices if self._cached else self._loaded.notices

    @property
    def stacks(self) -> list[str]:
        """Return the names of the stacks, in the order of their apply, without emptied ones."""
        if self._cached:
            return self._cached.stacks
        return [stack.name for stack in stacks(self._loaded.environment)]

    @property
    def emptied(self) -> list[str]:
        """Return the names of the stacks that all services have left."""
        if self._cached:
            return self._cached.emptied
        return [stack.name for stack in emptied(self._loaded.environment, tuple(self._rendered_files))]

    @functools.cached_property
    def changes(self) -> dict[str, list[Change]]:
        """Return the changes that a render would make, by stack; that of the network lock by its name.

        Raises:
            InputError: The catalog is wrong, or a file that was not generated is in the way.
        """
        if self._cached and self._cached.expected == self._digest(_flat(self._rendered_files), self._lock):
            return {stack: [] for stack in (*self._cached.stacks, *self._cached.emptied)}
        files = self._loaded.render(tuple(self._rendered_files))
        self._cache(files)
        root = self._project.root
        stack_changes = {
            stack: changes(root, PurePath("envs", self._name, stack), texts) for stack, texts in files.items()
        }
        lock = self._loaded.network_lock
        if lock not in (None, self._lock):
            change = Change(network_lock_file(self._name), self._lock, lock)
            return {NETWORK_LOCK_NAME: [change], **stack_changes}
        return stack_changes

    @functools.cached_property
    def _lock(self) -> str | None:
        """Return the text of the network lock; None if it does not exist."""
        try:
            return (self._project.root / network_lock_file(self._name)).read_text(
                encoding="utf-8", errors="replace"
            )
        except OSError:
            return None

    @staticmethod
    def _digest(files: Iterable[tuple[str, str, bytes]], lock: str | None) -> bytes:
        return digest(_digest(files), *([] if lock is None else [lock.encode()]))

    def _cache(self, files: dict[str, dict[PurePath, str]]) -> None:
        """Cache a render, unless something that it follows from has changed in the meantime."""
        if self._parts is None or self._collect_parts() != self._parts:
            return
        flat = (
            (stack, path.name, texts[path].encode())
            for stack, texts in sorted(files.items())
            for path in sorted(texts)
        )
        builds = sorted(set(_builds(self._loaded.environment)))
        lock = self._loaded.network_lock
        expected = self._digest(flat, self._lock if lock is None else lock)
        summary = _Summary(self.notices, self.stacks, self.emptied, expected, builds)
        self._project.cache.keep(_SUMMARY, {"": self._parts}, {"": summary})

    @functools.cached_property
    def _rendered_files(self) -> "dict[str, dict[str, bytes]]":
        return {
            name: dict(files)
            for name, files in rendered_files(self._project.root / "envs" / self._name).items()
        }

    @functools.cached_property
    def _loaded(self) -> "LoadedCatalog":
        from fleetform.workflow.render.loaded import LoadedCatalog  # noqa: PLC0415 - half a second unless it is cached

        return LoadedCatalog(self._project, self._name)

    @functools.cached_property
    def _parts(self) -> tuple[bytes, ...] | None:
        return self._collect_parts()

    def _collect_parts(self) -> tuple[bytes, ...] | None:
        """Return digests of everything that a render follows from.

        None without such an environment or Terraform.
        """
        root = self._project.root
        names = environment_names(root)
        if self._name not in names:
            return None
        try:
            terraform = fingerprint.program(installation.find_program(), root)
        except ProgramError:
            return None
        sources = (
            CATALOG,
            environment_file(self._name),
            lock_file(self._name),
            network_lock_file(self._name),
        )
        return (
            fingerprint.code(),
            terraform,
            os.fsencode(self._name),
            digest(*map(os.fsencode, names)),
            *(_source(root, file) for file in sources),
            *map(fingerprint.tree, self._project.templates),
            digest(*map(os.fsencode, self._rendered_files)),
            extra_modules.variables_fingerprint(extra_modules.declared_variables(self._project, self._name)),
        )

    @functools.cached_property
    def _cached(self) -> _Summary | None:
        if self._parts is None:
            return None
        for summary in self._project.cache.find(_SUMMARY, {"": self._parts}).values():
            is_link = functools.cache(os.path.islink)
            if not any(
                leaves_repository(self._project.root, PurePath(path), is_link) for path in summary.builds
            ):
                return summary
        return None


def _source(root: Path, file: PurePath) -> bytes:
    """Return a digest of a file and of its real place, because links out of the repository are refused."""
    real = os.path.relpath(os.path.realpath(root / file), os.path.realpath(root))
    return digest(os.fsencode(real), fingerprint.content(root / file))


def _flat(files: "dict[str, dict[str, bytes]]") -> Iterator[tuple[str, str, bytes]]:
    return ((stack, name, content) for stack, contents in files.items() for name, content in contents.items())


def _digest(files: Iterable[tuple[str, str, bytes]]) -> bytes:
    """Return a digest of files: stack, name and content of each, sorted."""
    return digest(
        *(part for stack, name, content in files for part in (stack.encode(), os.fsencode(name), content))
    )


def _builds(environment: "Environment") -> Iterator[str]:
    for service in environment.services.values():
        if service.build:
            yield service.build.context
            yield f"{service.build.context}/{service.build.dockerfile}"
