"""Bad catalogs: all that a person reads about each."""

import difflib

import pytest

from tests import golden
from tests.catalog import bad


@pytest.mark.parametrize("case", bad.CASES)
def test_a_bad_catalog_is_told_as_its_golden_file_says(case: str) -> None:
    file = bad.expected_file(case)
    expected = file.read_text(encoding="utf-8") if file.exists() else ""
    told = bad.told(case)
    if told != expected:
        lines = difflib.unified_diff(expected.splitlines(), told.splitlines(), file.name, "told", lineterm="")
        pytest.fail("\n".join([*lines, f"If this is meant, regenerate and review: {golden.REGENERATE}"]), pytrace=False)
