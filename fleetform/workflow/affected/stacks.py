"""Finds the stacks that differ between a commit and the work tree, by what they consist of. See ADR 18."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

from fleetform.base import fingerprint, git
from fleetform.base.cache import Kind
from fleetform.base.errors import FleetformError
from fleetform.base.program_name import command
from fleetform.base.serialization import JsonCodec
from fleetform.catalog.files import environment_names
from fleetform.hcl.parsing import UnreadableError, parse
from fleetform.hcl.syntax import Block, Expression, Items, Object, Reference
from fleetform.stacks import FOUNDATION
from fleetform.workflow.affected.snapshot import EMPTY, Inventory, OutputRead, Snapshot, take_snapshot
from fleetform.workflow.project import Project

Change: TypeAlias = Literal["added", "changed", "removed"]

_FOLDERS = frozenset({"envs", "modules", "templates"})
_NOTHING = Inventory(PurePath(), {}, {}, {})


@dataclass(frozen=True)
class AffectedStack:
    """A stack that differs.

    Attributes:
        name: Its name.
        change: Whether it was added, changed or removed.
        services: Its services that differ, sorted, including removed ones.
        why: The reasons, one line each.
    """

    name: str
    change: Change
    services: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The stacks that differ.

    Attributes:
        env: The environment's name.
        since: The commit to compare with.
        stacks: The stacks that differ, in the order in which they are applied, with removed ones last.
        notice: A notice about the whole environment; empty if there is none.
    """

    env: str
    since: str
    stacks: tuple[AffectedStack, ...]
    notice: str = ""


@dataclass(frozen=True)
class _EarlierCommit(Project):
    """The files of a commit, with the work folder of the checkout.

    Attributes:
        work_folder: The checkout's work folder.
    """

    work_folder: Path

    @property
    def work(self) -> Path:
        """The folder for caches and records."""
        return self.work_folder


def affected(project: Project, name: str, reference: str) -> Report:
    """Find the stacks of an environment that differ between a commit and the work tree.

    Args:
        project: The checkout.
        name: The environment.
        reference: The commit.

    Raises:
        InputError: The commit or the repository does not exist, or the current catalog has problems.
        ProgramError: Git is missing or fails.
    """
    since = git.commit(project.root, reference)
    short = since[:12]
    try:
        before = _snapshot_at(project, git.tree(project.root, since), name)
    except _UnknownError as error:
        everything = compare(EMPTY, take_snapshot(project, name))
        why = f"{short} cannot be rendered by this version: {error}"
        changed = (replace(stack, change="changed", why=(why,)) for stack in everything)
        return Report(name, since, tuple(changed), f"{why}; everything counts as affected")
    if before.stacks and name not in environment_names(project.root):
        notice = (
            f"{name} was removed after {short}; its states may hold resources; check out {short} and run"
            f" `{command('destroy')}` to destroy them"
        )
        return Report(name, since, tuple(compare(before, EMPTY)), notice)
    notice = "" if before.stacks else f"{name} was added after {short}"
    return Report(name, since, tuple(compare(before, take_snapshot(project, name))), notice)


_SNAPSHOT: Kind[Snapshot] = Kind("snapshot", JsonCodec(Snapshot))


class _UnknownError(Exception):
    """A commit that this version cannot render."""


def _snapshot_at(project: Project, tree: str, name: str) -> Snapshot:
    """Return the files of an environment in a Git tree; empty if it did not exist."""

    def take() -> Snapshot:
        with git.checkout_of(project.root, tree, _needed) as folder:
            if name not in environment_names(folder):
                return EMPTY
            try:
                return take_snapshot(_EarlierCommit(folder, project.work), name)
            except FleetformError as error:
                raise _UnknownError(str(error).partition("\n")[0]) from None
            except Exception as error:  # noqa: BLE001 - templates of another version may raise anything
                raise _UnknownError(f"{type(error).__name__}: {error}".partition("\n")[0]) from None

    return project.cache.memo(_SNAPSHOT, (fingerprint.code(), tree.encode(), name.encode()), take)


def _needed(paths: list[PurePath]) -> list[PurePath]:
    """Return the paths that a render reads, and all modules."""
    modules = {path.parent for path in paths if path.name.endswith((".tf", ".tf.json"))} - {PurePath()}
    return [path for path in paths if path.parts[0] in _FOLDERS or not modules.isdisjoint(path.parents)]


def compare(before: Snapshot, after: Snapshot) -> Iterator[AffectedStack]:
    """Yield the stacks that differ between two snapshots, in apply order, removed ones last."""
    removed = [name for name in before.stacks if name not in after.stacks]
    changed = _changed_reads(before, after)
    for name in (*after.stacks, *removed):
        old, new = before.stacks.get(name, _NOTHING), after.stacks.get(name, _NOTHING)
        differing = [
            path for path in old.files.keys() | new.files.keys() if old.files.get(path) != new.files.get(path)
        ]
        reads = _changed_outputs(old, new, changed)
        if differing or reads:
            services = _services(old, new, {*differing, *reads})
            why = (*_files(old, new, sorted(differing)), *_of_foundation(reads))
            yield AffectedStack(
                name, _change(name, before, after), services, _summarize(name, before, after, why)
            )


def _change(name: str, before: Snapshot, after: Snapshot) -> Change:
    if name not in before.stacks:
        return "added"
    return "changed" if name in after.stacks else "removed"


def _summarize(name: str, before: Snapshot, after: Snapshot, why: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reasons, without single files if the whole stack was added or removed."""
    change = _change(name, before, after)
    return why if change == "changed" else (f"the stack was {change}",)


def _services(old: Inventory, new: Inventory, differing: set[PurePath]) -> tuple[str, ...]:
    """Return the services whose set of files differs, or one of whose files does."""
    names = old.services.keys() | new.services.keys()
    of_one = {
        name: (old.services.get(name, frozenset()), new.services.get(name, frozenset())) for name in names
    }
    return tuple(sorted(name for name, (one, other) in of_one.items() if one != other or one & differing))


def _files(old: Inventory, new: Inventory, differing: Iterable[PurePath]) -> Iterator[str]:
    """Yield the changes of files; a module that is newly called, or no longer called, is reported once."""
    reported = set()
    for path in differing:
        change = _change_of_module(path.parent, old, new) if path.parent != new.folder else ""
        text = f"{path.parent} {change}" if change else f"{path} {_change_of_file(path, old, new)}"
        if text not in reported:
            reported.add(text)
            yield text


def _change_of_module(folder: PurePath, old: Inventory, new: Inventory) -> str:
    before, after = (any(path.parent == folder for path in each.files) for each in (old, new))
    return "" if before and after else "is newly called" if after else "is no longer called"


def _change_of_file(path: PurePath, old: Inventory, new: Inventory) -> Change:
    if path not in old.files:
        return "added"
    return "changed" if path in new.files else "removed"


def _of_foundation(reads: Mapping[PurePath, frozenset[OutputRead]]) -> Iterator[str]:
    for read in sorted({read for each in reads.values() for read in each}):
        yield f"{FOUNDATION.name} changes its output {read}"


def _changed_outputs(
    old: Inventory, new: Inventory, changed: frozenset[OutputRead]
) -> dict[PurePath, frozenset[OutputRead]]:
    """Return the changed outputs that files read both before and now, by file."""
    changed_reads = {
        path: reads & old.reads.get(path, frozenset()) & changed for path, reads in new.reads.items()
    }
    return {path: reads for path, reads in changed_reads.items() if reads}


def _changed_reads(before: Snapshot, after: Snapshot) -> frozenset[OutputRead]:
    """Return the outputs of the foundation that are read and whose definition has changed."""
    if before.outputs == after.outputs and before.modules == after.modules:
        return frozenset()
    inventories = (*before.stacks.values(), *after.stacks.values())
    reads = {read for each in inventories for file_reads in each.reads.values() for read in file_reads}
    old, new = _OutputValue(before), _OutputValue(after)
    return frozenset(read for read in reads if old.value(read) != new.value(read))


class _OutputValue:
    """The definitions of a foundation's outputs, including the outputs of its modules."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._modules = snapshot.modules
        self._outputs: dict[PurePath, dict[str, Expression]] = {}
        for path, text in snapshot.outputs.items():
            outputs = {block.labels[0]: block.value("value") for block in _outputs(path, text)}
            self._outputs.setdefault(path.parent, {}).update(outputs)
        self._own = self._outputs.get(snapshot.stacks[FOUNDATION.name].folder, {}) if snapshot.stacks else {}

    def value(self, read: OutputRead) -> object:
        """Return the definition of an output in a form that can be compared."""
        value = self._own.get(read.output)
        if isinstance(value, Object) and read.key:
            value = next((entry.value for entry in value.entries if entry.key == read.key), None)
        return _as_data(value), [_as_data(self._of_module(reference)) for reference in _references(value)]

    def _of_module(self, reference: Reference) -> Expression:
        if reference.name != "module" or len(reference.steps) < len(("module", "output")):
            return None
        module, output = map(str, reference.steps[:2])
        return self._outputs.get(self._modules.get(module, PurePath()), {}).get(output)


def _outputs(path: PurePath, text: str) -> Iterator[Block]:
    """Yield the outputs in a file; none if it is not valid HCL."""
    try:
        blocks = parse(text.encode(), path).blocks
    except UnreadableError:
        return
    yield from (block for block in blocks if block.kind == "output" and block.labels)


def _references(node: Expression) -> Iterator[Reference]:
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from _references(part)


def _as_data(node: object) -> object:
    """Return an expression without its positions."""
    if isinstance(node, Object):
        return ("Object", *((_as_data(entry.key), _as_data(entry.value)) for entry in node.entries))
    if isinstance(node, Items):
        return ("Items", *(_as_data(item) for item in node.items))
    if isinstance(node, tuple):
        return (type(node).__name__, *(_as_data(part) for part in node))
    return node
