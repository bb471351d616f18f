"""The reports for bad catalogs."""

from pathlib import Path

import pytest

from tests.catalog import bad
from tests.generated import Generated


@pytest.mark.parametrize("case", bad.CASES)
def test_a_bad_catalog_is_reported_as_in_its_golden_file(case: str, generated: Generated) -> None:
    generated.check(bad.expected_file(case), bad.told_of_case(case))


def test_the_readme_shows_what_is_reported_for_its_catalog(root: Path) -> None:
    blocks = (root / "README.md").read_text(encoding="utf-8").split("```")
    catalog = next(block.removeprefix("yaml\n") for block in blocks if block.startswith("yaml\napplication:"))
    spoilt = catalog.replace("calls: [orders]", "calls: [ordres]").replace("port: 8080", "prot: 8080", 1)
    assert f"\n{bad.told(spoilt)}" in blocks
