"""What is added to the catalog: loaded and checked in every environment that it is about, then written."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from fleetform.base.errors import CatalogError, InputError, ProgramError
from fleetform.base.suggestions import suggestion
from fleetform.catalog.additions import NewEnvironment, NewService, copy_environment, insert_service, validate_name
from fleetform.catalog.files import CATALOG, environment_file, environment_names
from fleetform.catalog.writer import write_atomically
from fleetform.validation.loading import load
from fleetform.workflow.project import Project

_BYTE_ORDER_MARK = "\ufeff"


def add_service(project: Project, service: NewService) -> list[str]:
    """Puts a service into the catalog.

    Returns:
        The environments, all of which have it now.

    Raises:
        InputError: The catalog has problems, with the service or already; nothing is written.
        ProgramError: The catalog cannot be written.
    """
    validate_name(service.name)
    environments = environment_names(project.root)
    if not environments:
        raise InputError("no environment in envs/; write envs/<name>/environment.yaml first")
    known = sorted({name for env in environments for name in load(project.root, env).services})
    if service.name in known:
        raise InputError(f"`{service.name}` is a service already; choose another name")
    for callee in service.calls:
        if callee not in known:
            raise InputError(f"--calls: `{callee}` is no service; {suggestion(callee, known)}")
    text = insert_service(_text(project, CATALOG), service)
    _require_valid(project, {CATALOG: text}, environments)
    _write(project, CATALOG, text)
    return environments


def add_environment(project: Project, name: str, like: str) -> NewEnvironment:
    """Makes an environment that is like another.

    Raises:
        InputError: There is no such other, one is called so already, or one of them has problems; nothing is written.
        ProgramError: The file cannot be written.
    """
    validate_name(name)
    load(project.root, like)
    file = environment_file(name)
    if os.path.lexists(project.root / file.parent):
        raise InputError(f"{file.parent} is there already; choose another name")
    made = copy_environment(_text(project, environment_file(like)).lstrip(_BYTE_ORDER_MARK), like, name)
    _require_valid(project, {file: made.text}, [name])
    _write(project, file, made.text)
    return made


def _text(project: Project, file: PurePath) -> str:
    """The text of a file that has just been loaded, as it is."""
    return (project.root / file).read_bytes().decode()


def _require_valid(project: Project, texts: Mapping[PurePath, str], environments: Iterable[str]) -> None:
    """Loads environments as they would be with these texts.

    Raises:
        InputError: They have problems. All come of what is new: their places, in no file that is there, are not told.
    """
    problems: list[str] = []
    with TemporaryDirectory(prefix="fleetform-") as folder:
        for file in [CATALOG, *map(environment_file, environment_names(project.root))]:
            _place(Path(folder, file)).write_bytes((project.root / file).read_bytes())
        for file, text in texts.items():
            write_atomically(_place(Path(folder, file)), text)
        for name in environments:
            try:
                load(Path(folder), name)
            except CatalogError as error:
                problems += [f"{problem.message}; {problem.remedy}" for problem in error.problems]
    if problems:
        raise InputError("\n".join([*dict.fromkeys(problems), "nothing is written"]))


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(project: Project, file: PurePath, text: str) -> None:
    path = project.root / file
    is_new = not path.parent.exists()
    try:
        write_atomically(_place(path), text)
    except OSError as error:
        if is_new:
            shutil.rmtree(path.parent, ignore_errors=True)
        raise ProgramError(f"{file}: cannot be written: {error.strerror}; mend that and run it again") from None
