"""What templates and modules make of the environments that ship is what is committed: nothing changes unseen."""

import pytest

from tests.environments import resource_values


@pytest.mark.parametrize("environment", resource_values.ENVIRONMENTS)
def test_an_environment_has_the_resources_that_are_recorded(environment: str) -> None:
    """A change here is a change of what runs: does it update in place? Then record it."""
    assert resource_values.current(environment) == resource_values.recorded(environment), (
        "read the difference; if every change of it updates in place, run: python -m tests.environments.resource_values"
    )
