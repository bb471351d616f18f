"""Templates and modules of today leave a state alone that was applied before.

Only descriptions change, in place.
"""

import pytest

from tests.environments import resource_values
from tests.generated import Generated


@pytest.mark.parametrize("environment", resource_values.ENVIRONMENTS)
def test_an_environment_has_the_resources_that_were_applied_before(
    environment: str, generated: Generated
) -> None:
    """A change here is a change of what runs.

    Does it update in place? Then record it, and tell it in the changelog.
    """
    generated.check(resource_values.file(environment), resource_values.current(environment))
