"""What the tests of the smoke share."""

from collections.abc import Iterator

import pytest

from tests.smoke.callees import Callees, callees


@pytest.fixture(scope="module", name="callees")
def made_callees() -> Iterator[Callees]:
    """Callees on loopback."""
    with callees() as made:
        yield made
