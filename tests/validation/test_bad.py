"""The reports for bad catalogs."""

import pytest

from tests.generated import Generated
from tests.validation import bad


@pytest.mark.parametrize("case", bad.CASES)
def test_a_bad_catalog_is_reported_as_in_its_golden_file(case: str, generated: Generated) -> None:
    generated.check(bad.expected_file(case), bad.report_of_case(case))
