"""Generates the files that follow from the catalog's models and the policy's rules.

The schema and references.
"""

from pathlib import PurePath

from fleetform.base.errors import InputError, ProgramError
from fleetform.catalog.constants import GENERATED_MARK
from fleetform.catalog.reference import DOCUMENT, render_reference
from fleetform.catalog.schema import SCHEMA, format_schema
from fleetform.catalog.writer import write_atomically
from fleetform.policy import reference as policy
from fleetform.policy.rules import built_in_rules
from fleetform.render.writer import Change
from fleetform.workflow.project import Project


def schema_changes(project: Project) -> list[Change]:
    """Return the generated files that are out of date, without writing them.

    Raises:
        InputError: A document does not exist, or does not mark the start of its generated part.
    """
    changes = [
        Change(SCHEMA, _text(project, SCHEMA), format_schema()),
        _document_changes(project, DOCUMENT, render_reference()),
        _document_changes(
            project, policy.DOCUMENT, policy.render_reference(policy.with_exception_rules(built_in_rules()))
        ),
    ]
    return [change for change in changes if change.before != change.after]


def _document_changes(project: Project, file: PurePath, generated: str) -> Change:
    """Return the change of a document whose last part is generated."""
    document = _text(project, file)
    written, mark, _ = (document or "").partition(GENERATED_MARK)
    if not mark:
        raise InputError(f"{file}: no line `{GENERATED_MARK}`; put it after the hand-written part")
    return Change(file, document, written + generated)


def _text(project: Project, file: PurePath) -> str | None:
    try:
        return (project.root / file).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}; make it a readable file") from None


def write_schema(project: Project) -> list[Change]:
    """Write the generated files that are out of date; see `schema_changes` for its errors.

    Raises:
        ProgramError: A file cannot be written.
    """
    changes = schema_changes(project)
    for change in changes:
        try:
            write_atomically(project.root / change.path, change.after or "")
        except OSError as error:
            message = f"{change.path}: cannot be written: {error.strerror}"
            raise ProgramError(f"{message}; fix that and run the command again") from None
    return changes
