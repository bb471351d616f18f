"""Writes a new project beside its place, renders and checks it there, and moves it when it is complete."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from fleetform.base import git
from fleetform.base.errors import CheckFailedError, InputError, ProgramError, printable
from fleetform.catalog.files import CATALOG
from fleetform.ci.pipelines import PROVIDERS
from fleetform.workflow import pin, pipelines, vendored
from fleetform.workflow.check.assessment import assess
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from fleetform.workflow.setup import formatter
from fleetform.workflow.setup.answers import NO_PIPELINE, Answers
from fleetform.workflow.setup.project_files import ENVIRONMENTS, project_files

_STAGING = ".fleetform-init-"
_GIT = ".git"
_BRANCH = "main"
"""The branch that the pipelines apply."""


def require_usable(folder: Path) -> None:
    """Require that a project can be written into a folder: a new one, or an empty one.

    Raises:
        InputError: It cannot.
    """
    shown = printable(str(folder))
    inside = next((each for each in (folder, *folder.parents) if (each / CATALOG).is_file()), None)
    if inside == folder:
        raise InputError(f"{shown} is a project already; `upgrade` updates it, `new-service` adds a service")
    if inside:
        raise InputError(
            f"{shown} is inside the project {printable(str(inside))}; choose a folder outside of it"
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError(f"{shown} is not a folder; choose a different name")
    existing = folder if folder.is_dir() else folder.parent
    if not existing.is_dir():
        raise InputError(
            f"{printable(str(existing))} does not exist; create it first, or choose a different folder"
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(
            f"{printable(str(existing))} is not writable; change its permissions, or choose a different"
            " folder"
        )
    if folder.is_dir() and (names := _foreign_names(folder)):
        raise InputError(
            f"{shown} is not empty: it has {printable(names[0])}; choose a new or an empty folder"
        )


def _foreign_names(folder: Path) -> list[str]:
    """Return what is in a folder, without Git's folder and what an interrupted run left."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - only names are needed
    except OSError as error:
        raise InputError(
            f"{printable(str(folder))} cannot be read: {error.strerror}; choose a different folder"
        ) from None
    return [name for name in names if name != _GIT and not name.startswith(_STAGING)]


def enclosing_repository(folder: Path) -> Path | None:
    """Return the Git work tree that a folder is in or will be in; None if there is none."""
    return next((each for each in (folder, *folder.parents) if (each / _GIT).exists()), None)


def create(
    folder: Path,
    answers: Answers,
    step: Callable[[str], None],
    *,
    repository: bool,
) -> None:
    """Write a project, completely or not at all.

    Args:
        folder: Where; see `require_usable`.
        answers: The answers, valid.
        step: Called with the name of each step that begins.
        repository: Whether to make it a Git repository.

    Raises:
        InputError: The folder cannot be written.
        ProgramError: Terraform or the wheel is missing.
        CheckFailedError: The rendered files have findings.
    """
    with _staging(folder) as staging, formatter.provide_terraform(step):
        step("Find the wheel of Fleetform")
        contents = project_files(answers) | _requirements(Project(staging))
        step("Write the files")
        for path, content in contents.items():
            _write(staging / path, content)
        (staging / vendored.RUN).chmod(0o755)
        _render(Project(staging), answers, step)
        if repository:
            step("Create the Git repository")
            git.git(staging, "init", "--quiet", f"--initial-branch={_BRANCH}")
        _move(staging, folder)


def _requirements(project: Project) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="fleetform-") as temporary:
        wheel = pin.find_wheel(Path(temporary))
        place = project.work / pin.WHEELS
        place.mkdir(parents=True)
        shutil.copy(wheel, place)
        return {
            pin.REQUIREMENTS: pin.format_requirements(wheel).encode(),
            pin.TERRAFORM_REQUIREMENTS: pin.format_terraform_requirements().encode(),
        }


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _render(project: Project, answers: Answers, step: Callable[[str], None]) -> None:
    """Render and check every environment, and write the pipeline."""
    for name in ENVIRONMENTS:
        step(f"Render and check {name}")
        files.render_environment(project, name)
        if findings := assess(project, name).findings:
            raise CheckFailedError("\n".join(map(str, findings)))
    if answers.pipeline != NO_PIPELINE:
        step("Write the pipeline")
        pipelines.write(project, pipelines.changes(project, [PROVIDERS[answers.pipeline]]))


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Provide a folder on the same file system as a new project: beside it, or in it if it exists."""
    parent = folder if folder.is_dir() else folder.parent
    try:
        for abandoned in parent.glob(f"{_STAGING}*") if parent == folder else ():
            shutil.rmtree(abandoned, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=parent))
    except OSError as error:
        raise InputError(
            f"{printable(str(parent))} cannot be written: {error.strerror}; choose a different folder"
        ) from None
    try:
        yield staging
    except OSError as error:
        raise ProgramError(
            f"{printable(str(parent))} cannot be written: {error.strerror}; nothing is left there"
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move(staging: Path, folder: Path) -> None:
    """Move a complete project into place; one rename if the folder is new."""
    for path in Project(staging).work.iterdir():
        if path.is_file():  # the cache, and a configuration with paths of this temporary folder
            path.unlink()
    staging.chmod(0o755)
    if not folder.exists():
        staging.rename(folder)
        return
    if names := set(_foreign_names(folder)) & set(os.listdir(staging)):  # noqa: PTH208 - as above
        raise InputError(f"{printable(min(names))} appeared in {printable(str(folder))}; nothing is written")
    moved: list[Path] = []
    try:
        for source in sorted(staging.iterdir()):
            target = folder / source.name
            moved.append(target)
            source.rename(target)
    except BaseException:
        for target in moved:
            shutil.rmtree(target, ignore_errors=True)
            if target.is_file():
                target.unlink()
        raise


def count_files(folder: Path) -> int:
    """Return how many files a project has besides modules, rendered stacks and what is not committed."""
    omitted = (".git", ".fleetform", vendored.MODULES)
    paths = (
        PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file()
    )
    return sum(
        path.parts[0] not in omitted and not (path.parts[0] == "envs" and len(path.parts) > 3)  # noqa: PLR2004
        for path in paths
    )
