"""`invoke schema`: the schema and the reference are what the models say, and are made anew where they are not."""

from pathlib import Path

import pytest

from fleetform.catalog.reference import DOCUMENT, MARK, reference
from fleetform.catalog.schema import SCHEMA, schema_text
from fleetform.console import catalog
from fleetform.errors import CheckFailedError, InputError
from fleetform.workflow.project import Project
from fleetform.workflow.schema import schema_changes
from tests import small_project

WRITTEN = "# The catalog\n\nBy hand.\n\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose schema is old, and whose document has nothing but what is written by hand."""
    made = Project(tmp_path)
    small_project.write(made, str(SCHEMA), "{}\n")
    small_project.write(made, str(DOCUMENT), WRITTEN + MARK + "\n\nold\n")
    return made


def test_what_is_committed_is_what_the_models_say(root: Path) -> None:
    assert [change.diff() for change in schema_changes(Project(root))] == [], "run: invoke schema"


def test_both_files_are_made_anew_and_what_is_written_by_hand_stays(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.schema(project, check=False)
    assert (project.root / SCHEMA).read_text(encoding="utf-8") == schema_text()
    assert (project.root / DOCUMENT).read_text(encoding="utf-8") == WRITTEN + reference()
    assert capsys.readouterr().out == f"changed  {SCHEMA}\nchanged  {DOCUMENT}\n"


def test_a_check_passes_in_silence_what_has_just_been_made(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.schema(project, check=False)
    capsys.readouterr()
    catalog.schema(project, check=True)
    assert capsys.readouterr().out == ""


def test_a_check_shows_the_difference_and_writes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckFailedError) as caught:
        catalog.schema(project, check=True)
    message = f"not what the catalog's models say: {SCHEMA}, {DOCUMENT}; `invoke schema` mends it"
    assert str(caught.value) == message
    headers = [line for line in capsys.readouterr().out.splitlines() if line.startswith("--- ")]
    assert headers == [f"--- a/{SCHEMA}", f"--- a/{DOCUMENT}"]
    assert (project.root / SCHEMA).read_text(encoding="utf-8") == "{}\n"


@pytest.mark.parametrize("text", [None, WRITTEN])
def test_a_document_without_the_mark_is_left_alone(project: Project, text: str | None) -> None:
    (project.root / DOCUMENT).unlink()
    if text is not None:
        small_project.write(project, str(DOCUMENT), text)
    with pytest.raises(InputError) as caught:
        catalog.schema(project, check=False)
    assert str(caught.value) == f"{DOCUMENT}: no line `{MARK}`; put it behind what is written by hand"
    assert (project.root / SCHEMA).read_text(encoding="utf-8") == "{}\n"
