"""The subnets of a VPC: zones and CIDR blocks.

Public subnets begin with the network's second /24, private ones with the first /24 of its upper half, each by
the number of its zone. So no change of the zones moves a subnet, and routes and filters can treat the private
subnets as one block.
"""

import ipaddress
from dataclasses import dataclass

from fleetform.catalog.models import SUBNET_PREFIX, Environment


@dataclass(frozen=True)
class PrivateSubnet:
    """A private subnet.

    Attributes:
        cidr_block: Its CIDR block.
        zone: Its availability zone.
        nat_subnet: Key of the public subnet with the NAT gateway to the internet, or None.
    """

    cidr_block: str
    zone: str
    nat_subnet: str | None


def public_subnets(environment: Environment) -> dict[str, tuple[str, str]]:
    """Return CIDR block and zone of each public subnet, by key: the n-th /24 after the network's first."""
    blocks = _blocks(environment)
    return {f"public_{number}": (blocks[number], zone) for number, zone in _numbered_zones(environment)}


def private_subnets(environment: Environment) -> dict[str, PrivateSubnet]:
    """Return the private subnets, by key: the n-th /24 of the upper half; empty without private subnets."""
    if environment.network.subnets == "public":
        return {}
    blocks = _blocks(environment)
    upper = blocks[len(blocks) // 2 :]
    return {
        f"private_{number}": PrivateSubnet(upper[number - 1], zone, _nat_subnet(environment, number))
        for number, zone in _numbered_zones(environment)
    }


def adopted_subnets(environment: Environment) -> list[tuple[str, str, str]]:
    """Return the kind, the key and the ID of each adopted subnet."""
    zones = {"public": {zone: key for key, (_, zone) in public_subnets(environment).items()}}
    zones["private"] = {subnet.zone: key for key, subnet in private_subnets(environment).items()}
    adopted = {"public": environment.adopt.subnets.public, "private": environment.adopt.subnets.private}
    return [
        (kind, keys[zone], adopted[kind][zone])
        for kind, keys in zones.items()
        for zone in sorted(keys.keys() & adopted[kind].keys())
    ]


def subnet_blocks(environment: Environment) -> dict[str, tuple[str, str]]:
    """Return CIDR block and zone of every subnet, by key."""
    private = private_subnets(environment).items()
    return public_subnets(environment) | {key: (subnet.cidr_block, subnet.zone) for key, subnet in private}


def _nat_subnet(environment: Environment, number: int) -> str | None:
    """Return the public subnet of a zone's NAT gateway; a single one is in the zone of the lowest number."""
    single = min(environment.zone_numbers.values())
    keys = {"none": None, "single": f"public_{single}", "per_zone": f"public_{number}"}
    return keys[environment.network.nat]


def _numbered_zones(environment: Environment) -> list[tuple[int, str]]:
    return sorted((number, zone) for zone, number in environment.zone_numbers.items())


def _blocks(environment: Environment) -> list[str]:
    return list(map(str, ipaddress.IPv4Network(environment.network.cidr).subnets(new_prefix=SUBNET_PREFIX)))
