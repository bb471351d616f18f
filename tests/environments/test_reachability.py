"""In `dev`, as its plans are, the internet reaches `web`, and the services reach each other."""

from fleetform.topology.reachability import Opening, find_differences, openings, read_network
from tests.environments.conftest import NAUGHTY, Plans

SERVICES = {NAUGHTY, "orders", "stock", "web"}


def test_everybody_reaches_whom_the_catalog_says(dev: Plans) -> None:
    assert find_differences(dev.environment, read_network(*dev.documents)) == ()


def test_the_services_share_all_that_is_open(dev: Plans) -> None:
    """The group is open on the public port, on whichever task: nobody but `web` listens there."""
    within = {Opening(one, other, "-1", 0, 65535) for one in SERVICES for other in {*SERVICES, "internet"}}
    entries = {Opening("internet", name, "tcp", 80, 80) for name in SERVICES}
    assert {found for found in openings(read_network(*dev.documents)) if found.protocol == "-1"} == within
    assert {
        found for found in openings(read_network(*dev.documents)) if found.source == "internet"
    } == entries
