"""The subnets of a VPC: zones and CIDR blocks."""

import ipaddress

from fleetform.catalog.models import SUBNET_PREFIX, Environment


def public_subnets(environment: Environment) -> dict[str, tuple[str, str]]:
    """CIDR block and zone of each public subnet by its key.

    The subnet of the n-th zone is the n-th /24 of the network after the first: a zone added at the end moves no other.
    """
    blocks = list(ipaddress.IPv4Network(environment.network.cidr).subnets(new_prefix=SUBNET_PREFIX))
    zones = enumerate(environment.zones, start=1)
    return {f"public_{number}": (str(blocks[number]), zone) for number, zone in zones}
