"""The files of a project, parsed: from the store where one of the same content was parsed before.

A file is named by its path and known by its content: nothing is parsed twice, whatever it is called.
"""

import os
import pickle
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import NamedTuple

from fleetform.errors import Position
from fleetform.hcl.parsing import UnreadableError, parse
from fleetform.hcl.syntax import Block, Expression, File, Reference
from fleetform.policy.modules import Declarations, address, declarations
from fleetform.policy.workers import spread
from fleetform.store import Store, digest

ENDINGS = (".tf", ".tfvars", ".hcl")
BACKEND = "backend"
"""What a file with a backend uses: the name that its settings, which have a file of their own, go by."""

_MANY = 24  # files; below that, processes cost more than they save


class Summary(NamedTuple):
    """What a file has to do with others.

    Attributes:
        declares: The names that it declares: `var.name`, `local.tags`, `module.web`, `aws_vpc.this`, `data.x.y`.
        refers: The names that it uses.
        sources: The folders of the modules that it calls, as written.
        error: Where it cannot be read and why; None if it can.
    """

    declares: frozenset[str]
    refers: frozenset[str]
    sources: frozenset[str]
    error: tuple[int, int, str] | None = None


class Library:
    """The files of a project.

    Args:
        root: The project's root.
        store: What was parsed before.
        code: A digest of what parses.
    """

    def __init__(self, root: Path, store: Store, code: bytes) -> None:
        self._root = root
        self._store = store
        self._code = code
        self._names: dict[PurePath, list[PurePath]] = {}
        self._digests: dict[PurePath, bytes] = {}
        self._contents: dict[bytes, bytes] = {}
        self._parsed: dict[bytes, bytes] = {}
        self._summaries: dict[bytes, Summary] = {}
        self._files: dict[PurePath, File] = {}
        self._folders: dict[PurePath, bytes] = {}
        self._declared: dict[PurePath, Declarations] = {}

    def paths(self, folder: PurePath) -> list[PurePath]:
        """The Terraform files of a folder, by name; those that are hidden are none."""
        if folder not in self._names:
            try:
                found = os.listdir(self._root / folder)  # noqa: PTH208 - names alone are wanted
            except (FileNotFoundError, NotADirectoryError):
                found = []
            names = sorted(name for name in found if name.endswith(ENDINGS) and not name.startswith("."))
            self._names[folder] = [folder / name for name in names]
        return self._names[folder]

    def digest(self, path: PurePath) -> bytes:
        """The digest of a file's content."""
        if path not in self._digests:
            content = (self._root / path).read_bytes()
            self._digests[path] = digest(content)
            self._contents[self._digests[path]] = content
        return self._digests[path]

    def content(self, path: PurePath) -> bytes:
        """A file's content."""
        return self._contents[self.digest(path)]

    def summaries(self, paths: Iterable[PurePath]) -> dict[PurePath, Summary]:
        """The summary of each file; those that nobody parsed before are parsed now, side by side if they are many."""
        wanted = {path: self.digest(path) for path in paths}
        if missing := set(wanted.values()) - self._summaries.keys():
            keys = {self._key(b"summary", each): each for each in missing}
            for key, value in self._store.get_many(keys).items():
                self._summaries[keys[key]] = pickle.loads(value)  # noqa: S301 - our own work folder, trusted as the code is
            self._parse(missing - self._summaries.keys())
        return {path: self._summaries[each] for path, each in wanted.items()}

    def _parse(self, missing: Collection[bytes]) -> None:
        if not missing:
            return
        longest_first = sorted(missing, key=lambda each: len(self._contents[each]), reverse=True)
        contents = [self._contents[each] for each in longest_first]
        made = dict(zip(longest_first, spread(_parsed, contents, _MANY), strict=True))
        for each, (summary, parsed) in made.items():
            self._summaries[each] = summary
            self._parsed[each] = parsed
        entries = {self._key(b"parsed", each): parsed for each, (_, parsed) in made.items()}
        entries |= {self._key(b"summary", each): pickle.dumps(summary) for each, (summary, _) in made.items()}
        self._store.put_many(entries)

    def _key(self, kind: bytes, content: bytes) -> bytes:
        return digest(kind, self._code, content)

    def bring(self, paths: Iterable[PurePath]) -> None:
        """Has the parsed form of files at hand, in one go: `files` then needs no store."""
        self.summaries(paths)
        wanted = {self.digest(path) for path in paths} - self._parsed.keys()
        keys = {self._key(b"parsed", each): each for each in wanted}
        for key, value in self._store.get_many(keys).items():
            self._parsed[keys[key]] = value
        self._parse(wanted - self._parsed.keys())

    def file(self, path: PurePath) -> File:
        """A parsed file; one that cannot be read is empty, its summary says why."""
        if path not in self._files:
            if self.digest(path) not in self._parsed:
                self.bring([path])
            blocks, arguments = pickle.loads(self._parsed[self.digest(path)])  # noqa: S301 - as above
            self._files[path] = File(path, blocks, arguments)
        return self._files[path]

    def __call__(self, folder: PurePath) -> Declarations:
        """What the files of a folder declare."""
        if folder not in self._declared:
            self.bring(self.paths(folder))
            self._declared[folder] = declarations(self.file(path) for path in self.paths(folder))
        return self._declared[folder]

    def module(self, folder: PurePath) -> bytes:
        """A digest of a module: of its files and of the modules that it calls."""
        if folder not in self._folders:
            self._folders[folder] = b""  # a module that calls itself is refused later
            found = self.summaries(self.paths(folder))
            inner = (self.module(each) for each in called(folder, found.values()))
            own = (part for path in found for part in (os.fsencode(path.name), self.digest(path)))
            self._folders[folder] = digest(digest(*own), *inner)
        return self._folders[folder]

    def modules(self) -> Mapping[PurePath, bytes]:
        """The modules that were asked for, each with its digest."""
        return self._folders

    def unreadable(self) -> list[UnreadableError]:
        """What is wrong with files that were asked for and cannot be read, by place."""
        found = []
        for path, each in sorted(self._digests.items()):
            if (summary := self._summaries.get(each)) and summary.error:
                line, column, reason = summary.error
                found.append(UnreadableError(Position(path, line, column), reason))
        return found


def called(folder: PurePath, summaries: Iterable[Summary]) -> list[PurePath]:
    """The folders of the modules that files of a folder call."""
    sources = {source for summary in summaries for source in summary.sources}
    return sorted(PurePath(os.path.normpath(folder / source)) for source in sources)


def _parsed(content: bytes) -> tuple[Summary, bytes]:
    try:
        file = parse(content, PurePath())
    except UnreadableError as error:
        _, line, column = error.position
        nothing: frozenset[str] = frozenset()
        return Summary(nothing, nothing, nothing, (line, column, error.reason)), pickle.dumps(((), {}))
    declares = {name for block in file.blocks for name in _declared(block)} | {f"var.{name}" for name in file.arguments}
    references = {reference for block in file.blocks for reference in _references(block)}
    refers = {name for reference in references for name in _name(reference)}
    refers |= {inner.kind for block in file.blocks for inner in block.blocks if block.kind == "terraform"} & {BACKEND}
    given = (block.value("source") for block in file.blocks if block.kind == "module")
    sources = frozenset(source for source in given if isinstance(source, str) and source.startswith("."))
    return Summary(frozenset(declares), frozenset(refers), sources), pickle.dumps((file.blocks, file.arguments))


def _declared(block: Block) -> Iterator[str]:
    if block.kind == "locals":
        yield from (f"local.{name}" for name in block.arguments)
    elif block.kind in {"resource", "data"}:
        yield address(block)
    elif block.kind in {"variable", "module"} and block.labels:
        yield f"{'var' if block.kind == 'variable' else 'module'}.{block.labels[0]}"


def _name(reference: Reference) -> Iterator[str]:
    """The name that a reference uses, as it is declared."""
    length = len(("type", "name")) if reference.name == "data" else 1
    if len(reference.steps) >= length:
        yield ".".join((reference.name, *map(str, reference.steps[:length])))


def _references(block: Block) -> Iterator[Reference]:
    for argument in block.arguments.values():
        yield from _within(argument.value)
    for inner in block.blocks:
        yield from _references(inner)


def _within(node: Expression) -> Iterator[Reference]:
    """The references in an expression; every node is a tuple of what it is made of."""
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from _within(part)
