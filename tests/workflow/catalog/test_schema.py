"""`invoke schema`.

The schema and the references match models and rules, and are regenerated if not.
"""

from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.catalog.constants import GENERATED_MARK
from fleetform.catalog.reference import DOCUMENT, render_reference
from fleetform.catalog.schema import SCHEMA, format_schema
from fleetform.cli import catalog
from fleetform.policy import reference as policy
from fleetform.policy.rules import built_in_rules
from fleetform.workflow.catalog.schema import schema_changes
from fleetform.workflow.project import Project
from tests import small_project

WRITTEN = "# The catalog\n\nBy hand.\n\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose schema is old, and whose document has nothing but what is written by hand."""
    made = Project(tmp_path)
    small_project.write(made, str(SCHEMA), "{}\n")
    small_project.write(made, str(DOCUMENT), WRITTEN + GENERATED_MARK + "\n\nold\n")
    small_project.write(made, str(policy.DOCUMENT), WRITTEN + GENERATED_MARK + "\n\nold\n")
    return made


def test_the_committed_files_match_the_models(root: Path) -> None:
    assert [change.diff() for change in schema_changes(Project(root))] == [], "run: ./run schema"


def test_all_files_are_regenerated_and_hand_written_text_stays(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.schema(project, check=False)
    assert (project.root / SCHEMA).read_text(encoding="utf-8") == format_schema()
    assert (project.root / DOCUMENT).read_text(encoding="utf-8") == WRITTEN + render_reference()
    rules = policy.render_reference(policy.with_exception_rules(built_in_rules()))
    assert (project.root / policy.DOCUMENT).read_text(encoding="utf-8") == WRITTEN + rules
    assert capsys.readouterr().out == f"changed  {SCHEMA}\nchanged  {DOCUMENT}\nchanged  {policy.DOCUMENT}\n"


def test_a_check_passes_in_silence_what_has_just_been_made(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.schema(project, check=False)
    capsys.readouterr()
    catalog.schema(project, check=True)
    assert capsys.readouterr().out == ""


def test_a_check_shows_the_difference_and_writes_nothing(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CheckFailedError) as caught:
        catalog.schema(project, check=True)
    message = (
        f"out of date with models and rules: {SCHEMA}, {DOCUMENT}, {policy.DOCUMENT}; run `invoke schema`"
    )
    assert str(caught.value) == message
    headers = [line for line in capsys.readouterr().out.splitlines() if line.startswith("--- ")]
    assert headers == [f"--- a/{file}" for file in (SCHEMA, DOCUMENT, policy.DOCUMENT)]
    assert (project.root / SCHEMA).read_text(encoding="utf-8") == "{}\n"


@pytest.mark.parametrize("document", [DOCUMENT, policy.DOCUMENT])
@pytest.mark.parametrize("text", [None, WRITTEN])
def test_a_document_without_the_mark_is_left_alone(
    project: Project, text: str | None, document: PurePath
) -> None:
    (project.root / document).unlink()
    if text is not None:
        small_project.write(project, str(document), text)
    with pytest.raises(InputError) as caught:
        catalog.schema(project, check=False)
    assert str(caught.value) == f"{document}: no line `{GENERATED_MARK}`; put it after the hand-written part"
    assert (project.root / SCHEMA).read_text(encoding="utf-8") == "{}\n"
