"""Templates and modules of today leave a state alone that was applied before.

Only descriptions change, in place.
"""

from pathlib import Path

import pytest

from tests import sample
from tests.environments import resource_values
from tests.generated import Generated


@pytest.mark.parametrize("environment", sample.ENVIRONMENTS)
def test_an_environment_has_the_resources_that_were_applied_before(
    sample_root: Path, environment: str, generated: Generated
) -> None:
    """A change here is a change of what runs.

    Does it update in place? Then record it, and tell it in the changelog.
    """
    generated.check(resource_values.file(environment), resource_values.current(sample_root, environment))
