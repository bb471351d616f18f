"""Adds services and environments to the catalog, after validating it in every environment concerned."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from fleetform.base.errors import CatalogError, InputError, ProgramError
from fleetform.base.suggestions import suggestion
from fleetform.catalog.additions import (
    NewEnvironment,
    NewService,
    copy_environment,
    insert_service,
    validate_name,
)
from fleetform.catalog.files import CATALOG, environment_file, environment_names
from fleetform.catalog.writer import write_atomically
from fleetform.validation.loading import load
from fleetform.workflow.project import Project

_BYTE_ORDER_MARK = "\ufeff"


def add_service(project: Project, service: NewService) -> list[str]:
    """Add a service to the catalog.

    Returns:
        The environments, which all have it now.

    Raises:
        InputError: The catalog has problems, with the service or before it; nothing is written.
        ProgramError: The catalog cannot be written.
    """
    validate_name(service.name)
    environments = environment_names(project.root)
    if not environments:
        raise InputError("no environment in envs/; write envs/<name>/environment.yaml first")
    services = sorted({name for env in environments for name in load(project.root, env).services})
    if service.name in services:
        raise InputError(f"service `{service.name}` already exists; choose a different name")
    for callee in service.calls:
        if callee not in services:
            raise InputError(f"--calls: unknown service `{callee}`; {suggestion(callee, services)}")
    text = insert_service(_text(project, CATALOG), service)
    _require_valid(project, {CATALOG: text}, environments)
    _write(project, CATALOG, text)
    return environments


def add_environment(project: Project, name: str, like: str) -> NewEnvironment:
    """Create an environment as a copy of another one.

    Raises:
        InputError: The other one does not exist, the name is taken, or either has problems; nothing is
            written.
        ProgramError: The file cannot be written.
    """
    validate_name(name)
    load(project.root, like)
    file = environment_file(name)
    if os.path.lexists(project.root / file.parent):
        raise InputError(f"{file.parent} already exists; choose a different name")
    environment = copy_environment(
        _text(project, environment_file(like)).lstrip(_BYTE_ORDER_MARK), like, name
    )
    _require_valid(project, {file: environment.text}, [name])
    _write(project, file, environment.text)
    return environment


def _text(project: Project, file: PurePath) -> str:
    """Return the unchanged text of a file that was just loaded."""
    return (project.root / file).read_bytes().decode()


def _require_valid(project: Project, texts: Mapping[PurePath, str], environments: Iterable[str]) -> None:
    """Load environments as they would be with these texts.

    Raises:
        InputError: They have problems. All are in the new text, which is in no file yet, so positions are
            omitted.
    """
    problems: list[str] = []
    with TemporaryDirectory(prefix="fleetform-") as folder:
        for file in [CATALOG, *map(environment_file, environment_names(project.root))]:
            _with_folder(Path(folder, file)).write_bytes((project.root / file).read_bytes())
        for file, text in texts.items():
            write_atomically(_with_folder(Path(folder, file)), text)
        for name in environments:
            try:
                load(Path(folder), name)
            except CatalogError as error:
                problems += [f"{problem.message}; {problem.remedy}" for problem in error.problems]
    if problems:
        raise InputError("\n".join([*dict.fromkeys(problems), "nothing was written"]))


def _with_folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(project: Project, file: PurePath, text: str) -> None:
    path = project.root / file
    is_new = not path.parent.exists()
    try:
        write_atomically(_with_folder(path), text)
    except OSError as error:
        if is_new:
            shutil.rmtree(path.parent, ignore_errors=True)
        raise ProgramError(
            f"{file}: cannot be written: {error.strerror}; fix that and run the command again"
        ) from None
