"""Checking of an environment: from the files on disk to the findings of the rules.

The unit of work is one file of a stack together with the modules that it calls. Its result depends on that
file, on the files of the stack that declare what it refers to, on the modules, the rules and the facts. It is
cached by the content of all of these. The result of a whole stack is cached in the same way, so that no file
of an unchanged stack is read in detail.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fleetform.base import gc
from fleetform.base.cache import Cache, Kind, digest
from fleetform.base.errors import Position
from fleetform.base.serialization import JsonCodec, UndecodableError
from fleetform.base.worker_pool import map_in_processes
from fleetform.hcl.eval.library import BACKEND, Library, Summary, called_modules
from fleetform.hcl.eval.modules import Module, collect_declarations
from fleetform.hcl.eval.resource_view import Resource, View, find_resources
from fleetform.hcl.eval.serialization import RESOURCES
from fleetform.hcl.eval.values import Path
from fleetform.hcl.parsing import UnreadableError
from fleetform.policy.exceptions import MARKER
from fleetform.policy.rule import Facts, Rule
from fleetform.policy.verdicts import Verdicts, check_environment, check_resources, environment_rule_types

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

    Reader: TypeAlias = Callable[[], Environment]

_MANY = 12  # units; with fewer, processes cost more than they save


@dataclass
class Outcome:
    """The result of a check.

    Attributes:
        verdicts: The answers of the rules.
        unreadable: Files that cannot be parsed; their resources are decided on the plan.
        allowing: Files with exceptions: those of the stacks, and of modules beside or below them.
    """

    verdicts: Verdicts = field(default_factory=Verdicts)
    unreadable: list[UnreadableError] = field(default_factory=list)
    allowing: list[PurePath] = field(default_factory=list)


class Unit(NamedTuple):
    """A file of a stack.

    Attributes:
        stack: The stack's folder.
        path: The file.
        others: The files of the stack whose declarations it uses, directly or indirectly.
    """

    stack: PurePath
    path: PurePath
    others: tuple[PurePath, ...]


class Answer(NamedTuple):
    """The cached result of a stack.

    Attributes:
        verdicts: The answers of the rules for single resources.
        modules: The modules that it calls, each with its digest; the rest is valid while these are unchanged.
        syntax_errors: The positions and reasons of files that cannot be parsed.
        shared: A digest of the resources that environment rules check, under which they are cached.
        allowing: Its files with exceptions.
    """

    verdicts: Verdicts
    modules: Mapping[PurePath, bytes]
    syntax_errors: tuple[tuple[Position, str], ...]
    shared: bytes
    allowing: tuple[PurePath, ...]


class Result(NamedTuple):
    """The cached result of a unit.

    Attributes:
        verdicts: The answers of the rules for single resources.
        shared: The resources that environment rules check, as `RESOURCES` writes them.
    """

    verdicts: Verdicts
    shared: str


_ANSWER: Kind[Answer] = Kind("stack", JsonCodec(Answer))
_RESULT: Kind[Result] = Kind("unit", JsonCodec(Result))
_SHARED: Kind[list[str]] = Kind("shared", JsonCodec(list[str]))
_TOGETHER: Kind[Verdicts] = Kind("environment", JsonCodec(Verdicts))


class Policy:
    """The rules and everything that their answers depend on.

    Args:
        library: The project's files.
        cache: The cache of earlier answers.
        code: A digest of the rules' own code.
        rules: The rules.
        facts: The facts that rules use about the environment.
    """

    def __init__(
        self, library: Library, cache: Cache, code: bytes, rules: Mapping[str, Rule], facts: Facts
    ) -> None:
        self._library = library
        self._cache = cache
        self._code = code
        self._rules = rules
        self._facts = facts
        self._shared_types = environment_rule_types(rules)

    def check(self, environment: "Reader", content: bytes, stacks: Iterable[PurePath]) -> Outcome:
        """Check an environment's stacks as they are on disk.

        Args:
            environment: Loads the environment; called only if needed.
            content: A digest of the environment's content.
            stacks: The stacks' folders.

        Raises:
            CheckFailedError: A module calls itself.
        """
        folders = list(stacks)
        answers = self._answers(folders)
        single = [answer.verdicts for answer in answers.values()]
        verdicts = _sum([*single, self._judged_together(environment, content, answers)])
        unreadable = [
            UnreadableError(*error) for answer in answers.values() for error in answer.syntax_errors
        ]
        allowing = [path for answer in answers.values() for path in answer.allowing]
        for module in self._library.modules():
            paths = self._library.paths(module)
            unreadable += self._library.unreadable(paths)
            if any(module.is_relative_to(folder.parent) for folder in folders):
                allowing += self._allowing(paths)
        return Outcome(verdicts, sorted(unreadable, key=lambda error: error.position), allowing)

    def _answers(self, folders: list[PurePath]) -> dict[PurePath, Answer]:
        parts = {folder: self._stack_parts(folder) for folder in folders}
        return self._cache.memo_many(_ANSWER, parts, self._made, lambda answer: self._same(answer.modules))

    def _stack_parts(self, stack: PurePath) -> Sequence[bytes]:
        return self._code, repr(self._facts).encode(), self._files(self._library.paths(stack))

    def _files(self, paths: Iterable[PurePath]) -> bytes:
        return digest(*(part for path in paths for part in (os.fsencode(path), self._library.digest(path))))

    def _same(self, modules: Mapping[PurePath, bytes]) -> bool:
        return all(self._library.module(folder) == known for folder, known in modules.items())

    def _made(self, folders: list[PurePath]) -> dict[PurePath, Answer]:
        """Return new answers, and cache the resources that they share.

        Files of all stacks are processed together.
        """
        self._library.summaries(path for folder in folders for path in self._library.paths(folder))
        units = {folder: self._units(folder) for folder in folders}
        found = iter(self._judged([unit for folder in folders for unit in units[folder]]))
        answers: dict[PurePath, Answer] = {}
        entries: dict[bytes, list[str]] = {}
        for folder in folders:
            own = list(islice(found, len(units[folder])))
            shared = [result.shared for result in own]
            key = digest(*map(str.encode, shared))
            entries[key] = shared
            answers[folder] = self._answer(folder, [result.verdicts for result in own], key)
        self._cache.keep(_SHARED, {key: (key,) for key in entries}, entries)
        return answers

    def _answer(self, stack: PurePath, found: Iterable[Verdicts], shared: bytes) -> Answer:
        paths = self._library.paths(stack)
        modules = called_modules(stack, self._library.summaries(paths).values())
        syntax_errors = tuple((error.position, error.reason) for error in self._library.unreadable(paths))
        digests = {folder: self._library.module(folder) for folder in modules}
        return Answer(_sum(found), digests, syntax_errors, shared, tuple(self._allowing(paths)))

    def _allowing(self, paths: Iterable[PurePath]) -> list[PurePath]:
        return [
            path for path in paths if path.suffix == ".tf" and MARKER.encode() in self._library.content(path)
        ]

    def _judged_together(
        self, environment: "Reader", content: bytes, answers: Mapping[PurePath, Answer]
    ) -> Verdicts:
        """Apply the environment rules to the resources that the stacks share."""
        shared = {folder: answer.shared for folder, answer in answers.items()}

        def check() -> Verdicts:
            return check_environment(View(tuple(self._shared(shared))), self._rules, environment())

        return self._cache.memo(_TOGETHER, (self._code, content, *shared.values()), check)

    def _shared(self, digests: Mapping[PurePath, bytes]) -> Iterator[Resource]:
        """Yield the resources of stacks that environment rules check, by their digests."""
        known = self._cache.find(_SHARED, {folder: (each,) for folder, each in digests.items()})
        for folder in digests:
            try:
                yield from _resources(known[folder])
            except (KeyError, UndecodableError):
                yield from _resources(
                    [self._judge(unit).shared for unit in self._prepared(self._units(folder))]
                )

    def resources(self, stack: PurePath) -> list[Resource]:
        """Return all resources in a stack's files."""
        return [resource for unit in self._units(stack) for resource in self._resources(unit)]

    def fingerprint(self, stacks: Iterable[PurePath]) -> bytes:
        """Return a digest of everything that `resources` of some stacks depends on."""
        return digest(*(digest(*self._parts(unit)) for folder in stacks for unit in self._units(folder)))

    def _units(self, stack: PurePath) -> list[Unit]:
        summaries = self._library.summaries(self._library.paths(stack))
        declaring: dict[str, list[PurePath]] = {}
        for path, summary in summaries.items():
            for name in (BACKEND,) if path.name == "backend.hcl" else summary.declares:
                declaring.setdefault(name, []).append(path)
        return [
            Unit(stack, path, tuple(sorted(_used(path, summaries, declaring) - {path})))
            for path in summaries
            if path.suffix == ".tf"
        ]

    def _judged(self, units: list[Unit]) -> list[Result]:
        def judge(missing: list[Unit]) -> dict[Unit, Result]:
            return dict(
                zip(missing, map_in_processes(self._judge, self._prepared(missing), _MANY), strict=True)
            )

        return [*self._cache.memo_many(_RESULT, {unit: self._parts(unit) for unit in units}, judge).values()]

    def _parts(self, unit: Unit) -> Sequence[bytes]:
        modules = [self._library.module(folder) for folder in self._called(unit)]
        files = self._files((unit.path, *unit.others))
        return self._code, repr(self._facts).encode(), files, *modules

    def _prepared(self, units: list[Unit]) -> list[Unit]:
        """Return units, with all parsed files loaded before worker processes fork and share them."""
        paths = {path for unit in units for path in (unit.path, *unit.others)}
        folders = self._closure(folder for unit in units for folder in self._called(unit))
        self._library.load(paths | {path for folder in folders for path in self._library.paths(folder)})
        return units

    def _called(self, unit: Unit) -> list[PurePath]:
        """Return the modules that a unit calls, and those whose outputs it uses."""
        return called_modules(unit.stack, self._library.summaries((unit.path, *unit.others)).values())

    def _closure(self, folders: Iterable[PurePath]) -> set[PurePath]:
        """Return modules together with those that they call, directly or indirectly."""
        found: set[PurePath] = set()
        waiting = list(folders)
        while waiting:
            folder = waiting.pop()
            if folder not in found:
                found.add(folder)
                waiting += called_modules(
                    folder, self._library.summaries(self._library.paths(folder)).values()
                )
        return found

    def _judge(self, unit: Unit) -> Result:
        found = self._resources(unit)
        verdicts = check_resources(found, self._rules, self._facts)
        shared = [
            resource.without_origin(self._kept(resource))
            for resource in found
            if resource.type in self._shared_types
        ]
        return Result(verdicts, RESOURCES.encode(shared).decode())

    def _kept(self, resource: Resource) -> set[Path]:
        """Return the paths of values whose positions environment rules report."""
        keepers = (rule.keeps for rule in self._rules.values() if rule.keeps and resource.type in rule.types)
        return {path for keeps in keepers for path in keeps(resource)}

    def _resources(self, unit: Unit) -> list[Resource]:
        files = [self._library.file(path) for path in (unit.path, *unit.others)]
        root = Module(self._library, unit.stack, collect_declarations(files))
        return list(find_resources(root, unit.stack.name, [unit.path]))


def _resources(shared: Iterable[str]) -> list[Resource]:
    with gc.paused():
        return [resource for each in shared for resource in RESOURCES.decode(each.encode())]


def _sum(all_verdicts: Iterable[Verdicts]) -> Verdicts:
    total = Verdicts()
    for verdicts in all_verdicts:
        total.add(verdicts)
    return total


def _used(
    path: PurePath, summaries: Mapping[PurePath, Summary], declaring: Mapping[str, list[PurePath]]
) -> set[PurePath]:
    """Return a file together with those that declare what it uses, directly or indirectly."""
    found: set[PurePath] = set()
    waiting = [path]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [other for name in summaries[path].refers for other in declaring.get(name, ())]
    return found
