"""Computes an upgrade in a draft of the project: everything that it changes, before anything is written."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from fleetform import __version__
from fleetform.base.errors import InputError
from fleetform.catalog.files import environment_names
from fleetform.ci.pipelines import PROVIDERS
from fleetform.workflow import pin, pipelines, vendored
from fleetform.workflow.project import TEMPLATES, Project
from fleetform.workflow.render import files
from fleetform.workflow.upgrade import fork, scaffolding
from fleetform.workflow.upgrade.bases import ForkBases, RecordedBases
from fleetform.workflow.upgrade.draft import FileChange, differences, draft_of, write
from fleetform.workflow.upgrade.merging import Labels, MergedFile, Outcome, merge_files
from fleetform.workflow.upgrade.preconditions import require_clean, require_upgradable
from fleetform.workflow.upgrade.versions import WHEELS
from fleetform.workflow.vendored import Lock

_PROGRAM = 0o755
_EDITED = (Outcome.MERGED, Outcome.CONFLICT, Outcome.KEPT, Outcome.ORPHANED)


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade changes; nothing of it is written yet.

    Attributes:
        source: The version that the project uses.
        target: The version that it will use.
        vendored: The vendored files that are merged, or are not because of an edit.
        templates: The project's templates whose original has changed, from the project's root.
        changes: All files that are written or removed, by path.
        wheels: Wheels for `.fleetform/wheels`, by name.
        aside: New paths of files that have no place in the project, by their path today.
        library: Those of `aside` that changed the library.
    """

    source: str
    target: str
    vendored: Sequence[MergedFile]
    templates: Sequence[PurePath]
    changes: Sequence[FileChange]
    wheels: Mapping[str, bytes] = field(default_factory=dict)
    aside: Mapping[PurePath, PurePath] = field(default_factory=dict)
    library: Sequence[PurePath] = ()

    @property
    def conflicts(self) -> list[PurePath]:
        """Return the files with conflict markers."""
        return [file.path for file in self.vendored if file.outcome is Outcome.CONFLICT]


def prepare(project: Project) -> Upgrade:
    """Compute the upgrade of a project to this version.

    Raises:
        FleetformError: The project cannot be upgraded.
    """
    lock, pinned = require_upgradable(project, __version__)
    package = vendored.package_files()
    base = RecordedBases(project.root, pinned, package).content
    merged = merge_files(project.root, lock.files, package, base, _labels(lock.version))
    templates = _changed_templates(project, lock)
    with draft_of(project) as draft:
        _put(draft, merged)
        return _finish(project, draft, Upgrade(lock.version, __version__, merged, templates, ()))


def prepare_from_fork(project: Project) -> Upgrade:
    """Compute how a fork of version 0.1.0 becomes a project of this version.

    Raises:
        FleetformError: It is not such a fork, or cannot be upgraded.
    """
    require_clean(project)
    if vendored.read_lock(project.root) is not None:
        raise InputError(f"{vendored.LOCK}: exists, so this is a project; upgrade it without --from-fork")
    found = fork.read_fork(project)
    base, labels = ForkBases(project.root).content, _labels(fork.VERSION)
    package = vendored.package_files()
    ours = [_replaced(path, package.pop(path)) for path in (vendored.RUN, vendored.SCHEMA)]
    merged = merge_files(project.root, found.modules, package, base, labels)
    originals = {f"{TEMPLATES}/{name}": text for name, text in vendored.package_templates().items()}
    overrides = merge_files(project.root, found.templates, originals, base, labels)
    with draft_of(project) as draft:
        for path in found.removed:
            (draft.root / path).unlink()
        for path, new in found.aside.items():
            (draft.root / new).parent.mkdir(parents=True, exist_ok=True)
            (draft.root / path).rename(draft.root / new)
        _put(draft, [*merged, *ours])
        edited = _put_overrides(draft, overrides)
        scaffolding.write_missing(draft)
        upgrade = Upgrade(
            fork.VERSION, __version__, merged, edited, (), aside=found.aside, library=found.library
        )
        return _finish(project, draft, upgrade)


def save(project: Project, upgrade: Upgrade) -> None:
    """Write an upgrade: all of it, or nothing if it fails or is interrupted.

    Raises:
        ProgramError: A file cannot be written.
    """
    folder = project.root / WHEELS
    for name, content in upgrade.wheels.items():  # Git ignores them, so they need no way back
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write(project, upgrade.changes)


def _finish(project: Project, draft: Project, upgrade: Upgrade) -> Upgrade:
    """Write into a draft what follows from its vendored files and catalogs, and compare it."""
    vendored.write_lock(draft.root, vendored.package_lock())
    wheels = _write_requirements(project, draft)
    _render(draft)
    _write_pipelines(draft)
    for file in upgrade.vendored:
        if file.outcome is Outcome.CONFLICT:
            (draft.root / file.path).write_bytes(file.content or b"")
    return replace(upgrade, changes=differences(project, draft), wheels=wheels)


def _labels(version: str) -> Labels:
    return Labels("this project", f"Fleetform {version}", f"Fleetform {__version__}")


def _replaced(path: str, content: bytes) -> MergedFile:
    return MergedFile(PurePath(path), Outcome.UPDATED, content, content)


def _put(draft: Project, merged: Sequence[MergedFile]) -> None:
    """Write vendored files into a draft, those with conflicts as the new version has them."""
    for file in merged:
        path = draft.root / file.path
        if file.clean is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.clean)
        if file.path == PurePath(vendored.RUN):
            path.chmod(_PROGRAM)


def _changed_templates(project: Project, lock: Lock) -> list[PurePath]:
    """Return the project's templates of which the package had another version, or has none any more."""
    now = vendored.package_lock().templates
    return [
        PurePath(TEMPLATES, name)
        for name, identifier in lock.templates.items()
        if identifier != now.get(name) and (project.root / TEMPLATES / name).is_file()
    ]


def _render(draft: Project) -> None:
    """Render every environment of a draft.

    Raises:
        FleetformError: A catalog or a template of the project is wrong for this version.
    """
    for name in environment_names(draft.root):
        files.render_environment(draft, name)


def _write_pipelines(draft: Project) -> None:
    providers = pipelines.existing_providers(draft, list(PROVIDERS.values()))
    names = environment_names(draft.root)
    if providers and not all(draft.environment(name).emulator for name in names):
        pipelines.write(draft, pipelines.changes(draft, providers))


def _write_requirements(project: Project, draft: Project) -> dict[str, bytes]:
    """Pin this version in a draft; return its wheel by name, unless it is in an index."""
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        wheel = pin.find_wheel(Path(folder), project.root / WHEELS)
        (draft.root / pin.REQUIREMENTS).write_text(pin.format_requirements(wheel), encoding="utf-8")
        terraform = pin.format_terraform_requirements()
        (draft.root / pin.TERRAFORM_REQUIREMENTS).write_text(terraform, encoding="utf-8")
        return {} if pin.is_published() else {wheel.name: wheel.read_bytes()}


def _put_overrides(draft: Project, merged: Sequence[MergedFile]) -> list[PurePath]:
    """Write the templates of a fork into a draft; return those that its team edited.

    An unedited one goes: the package has it. An edit is merged; with conflicts, the file stays as it is.
    """
    edited = []
    for file in merged:
        path = draft.root / file.path
        if file.outcome in _EDITED:
            edited.append(file.path)
            if file.outcome is Outcome.MERGED:
                path.write_bytes(file.content or b"")
        else:
            path.unlink(missing_ok=True)
    return edited
