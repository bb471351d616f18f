"""Commands for the catalog: its schema, new services and environments, and reports of its errors."""

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
    """Write the JSON Schema and the references, or with `check` fail if one is out of date."""
    if not check:
        write_changes(write_schema(project), as_json=False)
        return
    changes = schema_changes(project)
    write("".join(change.diff() for change in changes))
    if changes:
        stale = ", ".join(change.path.as_posix() for change in changes)
        raise CheckFailedError(f"out of date with models and rules: {stale}; run `{command('schema')}`")


def new_service(project: Project, service: "NewService") -> None:
    """Add a service to the catalog, and print the next commands."""
    environments = add_service(project, service)
    write(f"changed  {CATALOG}\n")
    if service.image is None and not (project.root / service.context / "Dockerfile").exists():
        write(f"next: write {service.context}/Dockerfile\n")
    for env in environments:
        write(f"next: {command('render', env=env)}\n")


def new_env(project: Project, name: str, like: str) -> None:
    """Create an environment from an existing one, and print the next command."""
    addition = add_environment(project, name, like)
    write(f"added    {environment_file(name)}\n")
    if addition.omitted_keys:
        write(f"not copied, as specific to {like}: {', '.join(addition.omitted_keys)}\n")
    write(f"next: {command('render', env=name)}\n")


def report_problems(project: Project, problems: Sequence[Problem], form: str) -> str:
    """Print the problems of a catalog in a format, and return their count."""
    diagnostics = reporting.of_problems(project.root, problems)
    if form in reports.FORMATS:
        write(reports.FORMATS[form](diagnostics))
    else:
        sys.stderr.write(reports.text(diagnostics, color=color(sys.stderr)) + "\n")
    return reports.summarize(diagnostics)
