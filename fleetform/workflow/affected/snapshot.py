"""What the stacks of an environment are made of: of each file, as much as it takes to see that it is another."""

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
# Found in text, as files that nobody could parse count too; one that is found in a comment does no harm.
_SOURCE = re.compile(r'\bsource"?\s*[=:]\s*"(\.[^"$]*)"')
_READ = re.compile(r'\blocal\.foundation\.(\w+)(?:\["([^"]+)"\])?')
_CALL = re.compile(r'\bmodule\s+"([^"]+)"\s*\{\s*source\s*=\s*"(\.[^"$]*)"')


class OutputRead(NamedTuple):
    """What a stack reads of the foundation: an output, or the entry of one under a key; the key is empty for all."""

    output: str
    key: str

    def __str__(self) -> str:
        """As Terraform has it."""
        return f'{self.output}["{self.key}"]' if self.key else self.output


class Inventory(NamedTuple):
    """What a stack is made of; paths are from the project's root.

    Attributes:
        folder: Its folder.
        files: The digest of each file that Terraform reads for it: its own and those of the modules that it calls.
        services: The files among them that make a service: its own and those of the modules that this one calls.
        reads: What its own files read of the foundation, by file.
    """

    folder: PurePath
    files: Mapping[PurePath, bytes]
    services: Mapping[str, frozenset[PurePath]]
    reads: Mapping[PurePath, frozenset[OutputRead]]


class Snapshot(NamedTuple):
    """What an environment is made of.

    Attributes:
        stacks: Its stacks by name, in the order of their apply, then those that all services have left.
        outputs: The files that say what the foundation and the modules that it calls tell others.
        modules: The folders of the modules that the foundation calls, by the names that it gives them.
    """

    stacks: Mapping[str, Inventory]
    outputs: Mapping[PurePath, str]
    modules: Mapping[str, PurePath]


EMPTY = Snapshot({}, {}, {})
"""An environment that is not there."""


class _File(NamedTuple):
    """A file: its digest, its text if it is Terraform's, and the folders of the modules that it calls."""

    digest: bytes
    text: str
    sources: frozenset[PurePath]


def take_snapshot(project: Project, name: str) -> Snapshot:
    """What an environment is made of: rendered in memory, with what stands in its folders.

    Raises:
        InputError: The catalog is wrong, or there is no such environment.
    """
    root = project.root
    environment = load(root, name)
    folders = tuple(rendered_files(root / "envs" / name))
    lock, declared = load_lock(root, name), extra_modules.declared_variables(project, name)
    texts = render(environment, Templates(root / "templates"), lock, folders, declared)
    shelf = _ModuleCache(root)
    made = {
        stack.name: _RenderedStack(PurePath("envs", name, stack.name), texts[stack.name], shelf)
        for stack in (*stacks(environment), *emptied(environment, folders))
    }
    inventories = {stack.name: made[stack.name].inventory(stack) for stack in stacks(environment)}
    inventories |= {stack.name: made[stack.name].inventory(stack) for stack in emptied(environment, folders)}
    foundation = made[FOUNDATION.name]
    outputs = {path: file.text for path, file in foundation.all.items() if "output" in file.text}
    return Snapshot(inventories, outputs, dict(foundation.modules()))


class _ModuleCache:
    """The folders of a project, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[PurePath, dict[PurePath, _File]] = {}

    def contents(self, folder: PurePath) -> Iterator[tuple[PurePath, bytes]]:
        """The files of a module: without what is hidden, prose, and folders that are modules by themselves."""
        top = str(self._root / folder)
        for above, folders, names in os.walk(top):
            if above != top and any(name.endswith(_TERRAFORM) for name in names):
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and not name.endswith(_PROSE):
                    yield PurePath(os.path.relpath(f"{above}/{name}", self._root)), _content(f"{above}/{name}")

    def called(self, sources: Iterable[PurePath]) -> dict[PurePath, _File]:
        """The files of modules and of all modules that they call."""
        found: dict[PurePath, _File] = {}
        left, seen = list(sources), set()
        while left:
            folder = left.pop()
            if folder not in seen:
                seen.add(folder)
                files = self._files(folder)
                found |= files
                left += [source for file in files.values() for source in file.sources]
        return found

    def _files(self, folder: PurePath) -> dict[PurePath, _File]:
        if folder not in self._folders:
            self._folders[folder] = {path: _file(path, None, content) for path, content in self.contents(folder)}
        return self._folders[folder]


class _RenderedStack:
    """A stack: what is rendered, what stands in its folder, and the modules that these call."""

    def __init__(self, folder: PurePath, rendered: Mapping[PurePath, str], shelf: _ModuleCache) -> None:
        self._folder = folder
        self._shelf = shelf
        texts = {folder / path: text.encode() for path, text in rendered.items()}
        # What was rendered once and is no more, the next render removes.
        stands = {
            path: content
            for path, content in shelf.contents(folder)
            if path in texts or not content.startswith(HEADER_START.encode())
        }
        self._own = {path: _file(path, texts.get(path), stands.get(path)) for path in sorted(stands.keys() | texts)}
        self.all = self._own | shelf.called(source for file in self._own.values() for source in file.sources)

    def inventory(self, stack: Stack) -> Inventory:
        """What it is made of."""
        files = {path: file.digest for path, file in self.all.items()}
        services = {name: self._of_service(self._folder / service_file(name)) for name in stack.services}
        found = {path: _READ.findall(file.text) for path, file in self.all.items() if path.is_relative_to(self._folder)}
        reads = {path: frozenset(OutputRead(*read) for read in each) for path, each in found.items() if each}
        return Inventory(self._folder, files, services, reads)

    def _of_service(self, path: PurePath) -> frozenset[PurePath]:
        return frozenset((path, *self._shelf.called(self._own[path].sources)))

    def modules(self) -> Iterator[tuple[str, PurePath]]:
        """The names of the modules that it calls, and their folders."""
        for file in self._own.values():
            for name, source in _CALL.findall(file.text):
                yield name, _within(self._folder, source)


def _file(path: PurePath, rendered: bytes | None, stands: bytes | None) -> _File:
    """A file of what is rendered for it and what stands there; None for nothing."""
    contents = [content for content in (rendered, stands) if content is not None]
    own = digest(*(b"" if content is None else b"+" + content for content in (rendered, stands)))
    if not path.name.endswith(_TERRAFORM):
        return _File(own, "", frozenset())
    text = contents[0].decode(errors="replace")
    found = {source for content in contents for source in _SOURCE.findall(content.decode(errors="replace"))}
    return _File(own, text, frozenset(_within(path.parent, source) for source in found))


def _within(folder: PurePath, source: str) -> PurePath:
    return PurePath(os.path.normpath(folder / source))


def _content(path: str) -> bytes:
    """What a file holds; of one that cannot be read, why."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of texts need not become paths first
            return file.read()
    except OSError as error:
        return b"errno %d" % (error.errno or 0)
