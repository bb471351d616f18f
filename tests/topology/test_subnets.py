from fleetform import topology

from .environments import environment


def test_subnets_are_the_networks_blocks_after_the_first() -> None:
    assert topology.public_subnets(environment()) == {
        "public_1": ("10.0.1.0/24", "ap-northeast-1a"),
        "public_2": ("10.0.2.0/24", "ap-northeast-1c"),
    }


def test_a_zone_that_is_added_moves_no_subnet() -> None:
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
