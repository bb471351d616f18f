"""The catalog: its schema, its additions and what is wrong with it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleetform import reports
from fleetform.base.errors import CheckFailedError, Problem
from fleetform.base.program_name import command
from fleetform.catalog.files import CATALOG, environment_file
from fleetform.cli.printing import color, write, write_changes
from fleetform.workflow.catalog.additions import add_environment, add_service
from fleetform.workflow.catalog.schema import schema_changes, write_schema
from fleetform.workflow.check import reporting
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.catalog.additions import NewService


def schema(project: Project, *, check: bool) -> None:
    """Makes the catalog's JSON Schema and the references anew, or with `check` fails if that would change anything."""
    if not check:
        write_changes(write_schema(project), as_json=False)
        return
    changes = schema_changes(project)
    write("".join(change.diff() for change in changes))
    if changes:
        stale = ", ".join(change.path.as_posix() for change in changes)
        raise CheckFailedError(f"not what models and rules say: {stale}; `{command('schema')}` mends it")


def new_service(project: Project, service: "NewService") -> None:
    """Adds a service to the catalog, and says what is next."""
    environments = add_service(project, service)
    write(f"changed  {CATALOG}\n")
    if service.image is None and not (project.root / service.context / "Dockerfile").exists():
        write(f"next: write {service.context}/Dockerfile\n")
    for env in environments:
        write(f"next: {command('render', env=env)}\n")


def new_env(project: Project, name: str, like: str) -> None:
    """Makes an environment that is like another, and says what is next."""
    made = add_environment(project, name, like)
    write(f"added    {environment_file(name)}\n")
    if made.omitted_keys:
        write(f"left out, as {like}'s own: {', '.join(made.omitted_keys)}\n")
    write(f"next: {command('render', env=name)}\n")


def report_problems(project: Project, problems: Sequence[Problem], form: str) -> str:
    """Prints the problems of a catalog, for a program on standard output; says how many they are."""
    diagnostics = reporting.of_problems(project.root, problems)
    if form in reports.FORMATS:
        write(reports.FORMATS[form](diagnostics))
    else:
        sys.stderr.write(reports.text(diagnostics, color=color(sys.stderr)) + "\n")
    return reports.summarize(diagnostics)
