"""Snapshots of the files that an environment's stacks consist of.

Digests, and the outputs that stacks read.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import NamedTuple

from fleetform.base.cache import digest
from fleetform.catalog.images_lock import load_lock
from fleetform.render.rendered_files import HEADER_START, rendered_files
from fleetform.render.rendering import render, service_file
from fleetform.render.template import Templates
from fleetform.stacks import FOUNDATION, Stack, emptied, stacks
from fleetform.validation.loading import load
from fleetform.workflow.project import Project
from fleetform.workflow.render import extra_modules

_TERRAFORM = (".tf", ".tf.json")
_PROSE = ".md"
# Searched in the text, so that invalid files count too. A match in a comment does no harm.
_SOURCE = re.compile(r'\bsource"?\s*[=:]\s*"(\.[^"$]*)"')
_READ = re.compile(r'\blocal\.foundation\.(\w+)(?:\["([^"]+)"\])?')
_CALL = re.compile(r'\bmodule\s+"([^"]+)"\s*\{\s*source\s*=\s*"(\.[^"$]*)"')


class OutputRead(NamedTuple):
    """An output of the foundation that a stack reads, or its entry for a key.

    The key is empty for the whole output.
    """

    output: str
    key: str

    def __str__(self) -> str:
        """Return it in Terraform's syntax."""
        return f'{self.output}["{self.key}"]' if self.key else self.output


class Inventory(NamedTuple):
    """The files that a stack consists of, with paths relative to the project's root.

    Attributes:
        folder: Its folder.
        files: The digest of each file that Terraform reads: those in its folder and of the modules that it
            calls.
        services: The files of each service: its own file and those of the modules that this calls.
        reads: The outputs of the foundation that the files in its folder read, by file.
    """

    folder: PurePath
    files: Mapping[PurePath, bytes]
    services: Mapping[str, frozenset[PurePath]]
    reads: Mapping[PurePath, frozenset[OutputRead]]


class Snapshot(NamedTuple):
    """The files that an environment consists of.

    Attributes:
        stacks: Its stacks by name, in the order in which they are applied, then those without services.
        outputs: The text of the files that declare outputs, of the foundation and the modules that it calls.
        modules: The folders of the modules that the foundation calls, by their names in it.
    """

    stacks: Mapping[str, Inventory]
    outputs: Mapping[PurePath, str]
    modules: Mapping[str, PurePath]


EMPTY = Snapshot({}, {}, {})
"""The snapshot of an environment that does not exist."""


class _File(NamedTuple):
    """A file: its digest, its text if it is Terraform's, and the folders of the modules that it calls."""

    digest: bytes
    text: str
    sources: frozenset[PurePath]


def take_snapshot(project: Project, name: str) -> Snapshot:
    """Take a snapshot of an environment: it is rendered in memory and combined with the files in its folders.

    Raises:
        InputError: The catalog has problems, or the environment does not exist.
    """
    root = project.root
    environment = load(root, name)
    folders = tuple(rendered_files(root / "envs" / name))
    lock, declared = load_lock(root, name), extra_modules.declared_variables(project, name)
    texts = render(environment, Templates(*project.templates), lock, folders, declared)
    modules = _ModuleCache(root)
    rendered = {
        stack.name: _RenderedStack(PurePath("envs", name, stack.name), texts[stack.name], modules)
        for stack in (*stacks(environment), *emptied(environment, folders))
    }
    inventories = {stack.name: rendered[stack.name].inventory(stack) for stack in stacks(environment)}
    inventories |= {
        stack.name: rendered[stack.name].inventory(stack) for stack in emptied(environment, folders)
    }
    foundation = rendered[FOUNDATION.name]
    outputs = {path: file.text for path, file in foundation.all.items() if "output" in file.text}
    return Snapshot(inventories, outputs, dict(foundation.modules()))


class _ModuleCache:
    """The modules of a project; each folder is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[PurePath, dict[PurePath, _File]] = {}

    def contents(self, folder: PurePath) -> Iterator[tuple[PurePath, bytes]]:
        """Yield the files of a module, without hidden files, Markdown and nested modules."""
        top = str(self._root / folder)
        for above, folders, names in os.walk(top):
            if above != top and any(name.endswith(_TERRAFORM) for name in names):
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and not name.endswith(_PROSE):
                    yield (
                        PurePath(os.path.relpath(f"{above}/{name}", self._root)),
                        _content(f"{above}/{name}"),
                    )

    def files_of_called(self, sources: Iterable[PurePath]) -> dict[PurePath, _File]:
        """Return the files of modules and of all modules that they call."""
        all_files: dict[PurePath, _File] = {}
        pending, seen = list(sources), set()
        while pending:
            folder = pending.pop()
            if folder not in seen:
                seen.add(folder)
                files = self._files(folder)
                all_files |= files
                pending += [source for file in files.values() for source in file.sources]
        return all_files

    def _files(self, folder: PurePath) -> dict[PurePath, _File]:
        if folder not in self._folders:
            self._folders[folder] = {
                path: _file(path, None, content) for path, content in self.contents(folder)
            }
        return self._folders[folder]


class _RenderedStack:
    """A stack: its rendered files, the other files in its folder, and the modules that these call."""

    def __init__(self, folder: PurePath, rendered: Mapping[PurePath, str], modules: _ModuleCache) -> None:
        self._folder = folder
        self._modules = modules
        texts = {folder / path: text.encode() for path, text in rendered.items()}
        # The next render removes files that were generated but are not rendered any more.
        on_disk = {
            path: content
            for path, content in modules.contents(folder)
            if path in texts or not content.startswith(HEADER_START.encode())
        }
        self._own = {
            path: _file(path, texts.get(path), on_disk.get(path)) for path in sorted(on_disk.keys() | texts)
        }
        self.all = self._own | modules.files_of_called(
            source for file in self._own.values() for source in file.sources
        )

    def inventory(self, stack: Stack) -> Inventory:
        """Return the files that it consists of."""
        files = {path: file.digest for path, file in self.all.items()}
        services = {name: self._of_service(self._folder / service_file(name)) for name in stack.services}
        matches = {
            path: _READ.findall(file.text)
            for path, file in self.all.items()
            if path.is_relative_to(self._folder)
        }
        reads = {
            path: frozenset(OutputRead(*read) for read in each) for path, each in matches.items() if each
        }
        return Inventory(self._folder, files, services, reads)

    def _of_service(self, path: PurePath) -> frozenset[PurePath]:
        return frozenset((path, *self._modules.files_of_called(self._own[path].sources)))

    def modules(self) -> Iterator[tuple[str, PurePath]]:
        """Yield the names of the modules that it calls, and their folders."""
        for file in self._own.values():
            for name, source in _CALL.findall(file.text):
                yield name, _within(self._folder, source)


def _file(path: PurePath, rendered: bytes | None, on_disk: bytes | None) -> _File:
    """Return a file, given its rendered content and its content on disk; either may be None."""
    contents = [content for content in (rendered, on_disk) if content is not None]
    file_digest = digest(*(b"" if content is None else b"+" + content for content in (rendered, on_disk)))
    if not path.name.endswith(_TERRAFORM):
        return _File(file_digest, "", frozenset())
    text = contents[0].decode(errors="replace")
    sources = {source for content in contents for source in _SOURCE.findall(content.decode(errors="replace"))}
    return _File(file_digest, text, frozenset(_within(path.parent, source) for source in sources))


def _within(folder: PurePath, source: str) -> PurePath:
    return PurePath(os.path.normpath(folder / source))


def _content(path: str) -> bytes:
    """Return the content of a file, or the error number if it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - faster than Path for thousands of files
            return file.read()
    except OSError as error:
        return b"errno %d" % (error.errno or 0)
