"""The loader and the JSON Schema accept the same text."""

from typing import Annotated

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from fleetform.catalog.patterns import TextPattern
from fleetform.catalog.types import Path, TagKey

WORD: TypeAdapter[str] = TypeAdapter(Annotated[str, TextPattern(r"[\w-]+", "a word is expected")])


def verdicts(adapter: TypeAdapter[str], text: str) -> tuple[bool, bool]:
    """Return whether the model and its JSON Schema accept a text."""
    by_schema = Draft202012Validator(adapter.json_schema()).is_valid(text)
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False, by_schema
    return True, by_schema


def test_a_pattern_is_in_the_schema_with_its_message() -> None:
    assert WORD.json_schema() == {
        "type": "string",
        "pattern": r"^(?:[A-Za-z0-9_\u0080-\uffff-]+)$",
        "patternErrorMessage": "a word is expected",
    }


def test_a_pattern_refuses_with_its_message() -> None:
    with pytest.raises(ValidationError) as caught:
        WORD.validate_python("two words")
    assert str(caught.value.errors()[0]["ctx"]["error"]) == "a word is expected"


@pytest.mark.parametrize(
    ("text", "legal"), [("a-b", True), ("größe", True), ("語", True), ("a b", False), ("", False)]
)
def test_a_word_may_have_letters_of_any_alphabet(text: str, legal: bool) -> None:  # noqa: FBT001 - a table's column
    assert verdicts(WORD, text) == (legal, legal)


@pytest.mark.parametrize("text", ["containers/web", "a..b/c", ".hidden", "..."])
def test_a_path_stays_inside(text: str) -> None:
    assert verdicts(TypeAdapter(Path), text) == (True, True)


@pytest.mark.parametrize("text", ["/etc", "..", "../x", "a/..", "a/../b", "a b", "a\\b", ""])
def test_a_path_that_leads_out_is_refused(text: str) -> None:
    assert verdicts(TypeAdapter(Path), text) == (False, False)


@pytest.mark.parametrize("text", ["aws:team", "AWS:team", "aWs:", "a;b", "", "x" * 129])
def test_a_tag_that_aws_reserves_is_refused(text: str) -> None:
    assert verdicts(TypeAdapter(TagKey), text) == (False, False)
