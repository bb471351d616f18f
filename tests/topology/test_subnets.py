import pytest

from fleetform import topology
from fleetform.topology import PrivateSubnet

from .environments import environment


def test_public_subnets_begin_with_the_second_block() -> None:
    assert topology.public_subnets(environment()) == {
        "public_1": ("10.0.1.0/24", "ap-northeast-1a"),
        "public_2": ("10.0.2.0/24", "ap-northeast-1c"),
    }


def test_adding_a_zone_moves_no_subnet() -> None:
    more = environment(zones=("ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"))
    assert topology.public_subnets(more) == topology.public_subnets(environment()) | {
        "public_3": ("10.0.3.0/24", "ap-northeast-1d")
    }


def test_the_smallest_network_has_room_for_the_most_zones() -> None:
    zones = tuple(f"ap-northeast-1{letter}" for letter in "abcdef")
    smallest = environment(zones=zones, network={"cidr": "192.168.8.0/21"})
    assert list(topology.public_subnets(smallest).values()) == [
        (f"192.168.{8 + number}.0/24", zone) for number, zone in enumerate(zones, start=1)
    ]


def test_only_public_subnets_exist_by_default() -> None:
    assert topology.private_subnets(environment()) == {}


@pytest.mark.parametrize(
    ("nat", "gateways"),
    [("none", (None, None)), ("single", ("public_1", "public_1")), ("per_zone", ("public_1", "public_2"))],
)
def test_private_subnets_are_in_the_upper_half_of_the_network(
    nat: str, gateways: tuple[str | None, str | None]
) -> None:
    first, second = gateways
    assert topology.private_subnets(environment(network={"subnets": "private", "nat": nat})) == {
        "private_1": PrivateSubnet("10.0.128.0/24", "ap-northeast-1a", first),
        "private_2": PrivateSubnet("10.0.129.0/24", "ap-northeast-1c", second),
    }


@pytest.mark.parametrize(("prefix", "most_zones"), [(21, 3), (20, 6), (19, 6), (18, 6), (17, 6), (16, 6)])
def test_adding_zones_moves_nothing_until_the_network_is_full(prefix: int, most_zones: int) -> None:
    """As many zones as `check_environment` allows in the network."""
    zones = tuple(f"ap-northeast-1{letter}" for letter in "abcdef")[:most_zones]
    network = {"cidr": f"10.0.0.0/{prefix}", "subnets": "private", "nat": "single"}
    few, many = environment(zones=zones[:2], network=network), environment(zones=zones, network=network)
    for subnets in (topology.public_subnets, topology.private_subnets):
        assert subnets(few).items() <= subnets(many).items()
    private = {subnet.cidr_block for subnet in topology.private_subnets(many).values()}
    public = {cidr_block for cidr_block, _ in topology.public_subnets(many).values()}
    assert len(public | private) == 2 * most_zones
