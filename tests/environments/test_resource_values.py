"""What templates and modules make of the environments that ship is what is committed: nothing changes unseen."""

import pytest

from tests.environments import resource_values
from tests.generated import Generated


@pytest.mark.parametrize("environment", resource_values.ENVIRONMENTS)
def test_an_environment_has_the_resources_that_are_recorded(environment: str, generated: Generated) -> None:
    """A change here is a change of what runs: does it update in place? Then record it."""
    generated.check(resource_values.file(environment), resource_values.current(environment))
