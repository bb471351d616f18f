"""The container networks of an environment: one for each call that its security groups allow.

In an engine's network all ports are open to all members, and closed to everyone else. So two services that
must not call each other must not share a network.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from zlib import crc32

from fleetform.aws.live_state import AppliedEnvironment
from fleetform.base.errors import InputError

VARIABLE = "FLEETFORM_NETWORKS"
"""The environment variable that overrides the block of addresses."""

OUTBOUND = "outward"

_PROTOCOLS = ("tcp", "udp")

# Reserved for benchmarks (RFC 2544): used neither on the internet, nor at home or in offices, nor by engines.
_BLOCKS = ipaddress.IPv4Network("198.18.0.0/15")
_BLOCK_PREFIX = 18
_SLOT_PREFIX = 28
# The addresses of the network, the gateway and broadcasts.
_RESERVED_ADDRESSES = 3


@dataclass(frozen=True)
class Network:
    """A network that containers are attached to.

    Attributes:
        name: Its key in the Compose document.
        members: The services whose tasks are attached, sorted.
        callee: The service whose DNS name resolves in it; None for all members.
        internal: Whether it has no route to the outside.
        subnet: Its addresses in CIDR notation, such as `198.18.4.16/28`.
    """

    name: str
    members: tuple[str, ...]
    callee: str | None
    internal: bool
    subnet: str


def choose_cidr_block(prefix: str, variables: Mapping[str, str]) -> str:
    """Return the block of addresses for an environment's networks.

    Args:
        prefix: Prefix of every name of the environment.
        variables: The process environment, where `FLEETFORM_NETWORKS` may override the block.

    Raises:
        InputError: The variable is not a block of addresses.
    """
    chosen = variables.get(VARIABLE)
    if chosen is None:
        blocks = list(_BLOCKS.subnets(new_prefix=_BLOCK_PREFIX))
        return str(blocks[crc32(prefix.encode()) % len(blocks)])
    try:
        block = ipaddress.IPv4Network(chosen)
    except ValueError as error:
        raise InputError(f"{VARIABLE}: {error}; set an IPv4 network, such as 172.30.0.0/18") from None
    if block.prefixlen > _SLOT_PREFIX:
        raise InputError(
            f"{VARIABLE}={chosen}: too small for a network; use a block such as 172.30.0.0/{_BLOCK_PREFIX}"
        )
    return str(block)


def networks(
    applied: AppliedEnvironment, prefix: str, block: str, *, isolating: bool = True
) -> tuple[Network, ...]:
    """Return the networks that allow the same calls as an environment's security groups, sorted by name.

    They contain only services that have tasks. Each subnet follows from its network's name, so that it stays
    the same when other networks change. If two networks want the same subnet, the second gets the next free
    one.

    Args:
        applied: The environment.
        prefix: Prefix of every name of the environment.
        block: The block of addresses; see `choose_cidr_block`.
        isolating: Whether the engine isolates networks with a route to the outside from each other. If it
            does not, only public services get such a network, as they have to be reachable.

    Raises:
        InputError: The block is too small, or two networks would have the same name.
    """
    tasks = {service.name: service.desired_count for service in applied.services if service.desired_count}
    unnumbered = _networks_without_subnets(applied, tuple(tasks), isolating=isolating)
    all_networks = sorted(unnumbered, key=lambda network: network.name)
    names = [network.name for network in all_networks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"two networks would have the name {', '.join(twice)}; rename the service `{OUTBOUND}`"
        )
    sizes = {
        network.name: _prefix_length(sum(map(tasks.__getitem__, network.members))) for network in all_networks
    }
    subnets = _subnets(sizes, prefix, ipaddress.IPv4Network(block))
    return tuple(replace(network, subnet=subnets[network.name]) for network in all_networks)


def _networks_without_subnets(
    applied: AppliedEnvironment, names: tuple[str, ...], *, isolating: bool
) -> Iterator[Network]:
    groups = _open_groups(applied, names)
    grouped = {pair for members in groups.values() for pair in product(members, repeat=2)}
    for group, members in groups.items():
        yield Network(group, members, None, internal=True, subnet="")
    for caller, callee in product(names, repeat=2):
        if (caller, callee) not in grouped and any(_open_calls(applied, caller, callee)):
            members = tuple(sorted({caller, callee}))
            yield Network(f"{caller}--{callee}", members, callee, internal=True, subnet="")
    for name in names:
        if applied.public(name) or (isolating and applied.outward(name)):
            yield Network(f"{name}--{OUTBOUND}", (name,), name, internal=False, subnet="")


def _open_groups(applied: AppliedEnvironment, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the members of each security group that opens all ports of its members to all its members."""
    keys = sorted({group for name in names for group in applied.service(name).groups})
    members = {key: tuple(name for name in names if key in applied.service(name).groups) for key in keys}
    return {key: names for key, names in members.items() if _open_to_each_other(applied, names)}


def _open_to_each_other(applied: AppliedEnvironment, members: tuple[str, ...]) -> bool:
    ports = {name: tuple(map(applied.service(name).ports, _PROTOCOLS)) for name in members}
    pairs = product(members, repeat=2)
    return any(map(any, ports.values())) and all(
        _open_calls(applied, caller, callee) == ports[callee] for caller, callee in pairs
    )


def _open_calls(applied: AppliedEnvironment, caller: str, callee: str) -> tuple[tuple[int, ...], ...]:
    """Return the callee's ports that are open to the caller, by protocol."""
    return tuple(applied.allows(caller, callee, protocol) for protocol in _PROTOCOLS)


def _prefix_length(tasks: int) -> int:
    """Return the prefix length of a subnet with an address for each task."""
    return min(_SLOT_PREFIX, 32 - (tasks + _RESERVED_ADDRESSES - 1).bit_length())


def _subnets(sizes: Mapping[str, int], prefix: str, block: ipaddress.IPv4Network) -> dict[str, str]:
    """Return the subnet of each network: the slot that its name hashes to, or the next free one.

    The largest networks come first, so that small ones do not take up their space.
    """
    taken: set[int] = set()
    subnets = {}
    for name, length in sorted(sizes.items(), key=lambda size: (size[1], size[0])):
        slots = 2 ** (_SLOT_PREFIX - length)
        count = 2 ** (length - block.prefixlen) if length >= block.prefixlen else 0
        preferred = crc32(f"{prefix} {name}".encode())
        places = (
            range(place * slots, (place + 1) * slots)
            for place in ((preferred + step) % count for step in range(count))
        )
        place = next((place for place in places if taken.isdisjoint(place)), None)
        if place is None:
            raise InputError(
                f"{block} is too small for {len(sizes)} networks; set {VARIABLE} to a larger free block"
            )
        taken.update(place)
        address = int(block.network_address) + place.start * 2 ** (32 - _SLOT_PREFIX)
        subnets[name] = str(ipaddress.IPv4Network((address, length)))
    return subnets
