"""The subnets of a VPC: zones and CIDR blocks.

Public subnets are counted from the network's second /24 on, private ones from the first of its upper half: a zone added
at the end moves no other, and the upper half is one block to whoever routes or filters private subnets.
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
        nat_subnet: Key of the public subnet whose NAT gateway leads to the internet, or None.
    """

    cidr_block: str
    zone: str
    nat_subnet: str | None


def public_subnets(environment: Environment) -> dict[str, tuple[str, str]]:
    """CIDR block and zone of each public subnet by its key: the n-th /24 of the network after the first."""
    blocks = _blocks(environment)
    return {f"public_{number}": (blocks[number], zone) for number, zone in enumerate(environment.zones, start=1)}


def private_subnets(environment: Environment) -> dict[str, PrivateSubnet]:
    """Each private subnet by its key: the n-th /24 of the network's upper half. None where tasks run in public ones."""
    if environment.network.subnets == "public":
        return {}
    blocks = _blocks(environment)
    upper = blocks[len(blocks) // 2 :]
    return {
        f"private_{number}": PrivateSubnet(upper[number - 1], zone, _nat_subnet(environment, number))
        for number, zone in enumerate(environment.zones, start=1)
    }


def _nat_subnet(environment: Environment, number: int) -> str | None:
    """Where a zone's NAT gateway is: a single one stays in the first zone."""
    return {"none": None, "single": "public_1", "per_zone": f"public_{number}"}[environment.network.nat]


def _blocks(environment: Environment) -> list[str]:
    return list(map(str, ipaddress.IPv4Network(environment.network.cidr).subnets(new_prefix=SUBNET_PREFIX)))
