"""The container networks of an environment: one for each call that its security groups let through.

An engine's network is open within itself on every port, and closed to others. So a pair of services that may not call
each other must not share one.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from zlib import crc32

from fleetform.aws.live_state import AppliedEnvironment
from fleetform.base.errors import InputError

VARIABLE = "FLEETFORM_NETWORKS"
"""The environment variable that names another block of addresses."""

OUTBOUND = "outward"

_PROTOCOLS = ("tcp", "udp")

# For benchmarks (RFC 2544): not the internet's, nor a home's or an office's, nor what engines choose by themselves.
_BLOCKS = ipaddress.IPv4Network("198.18.0.0/15")
_BLOCK_PREFIX = 18
_SLOT_PREFIX = 28
# The network's own address, the gateway's, the broadcast's.
_RESERVED_ADDRESSES = 3


@dataclass(frozen=True)
class Network:
    """A network that containers are attached to.

    Attributes:
        name: Its key in the Compose document.
        members: The services whose tasks are attached, sorted.
        callee: The service whose DNS name resolves in it; None for every member's.
        internal: Whether nothing leads out of it.
        subnet: Its addresses, such as `198.18.4.16/28`.
    """

    name: str
    members: tuple[str, ...]
    callee: str | None
    internal: bool
    subnet: str


def choose_cidr_block(prefix: str, variables: Mapping[str, str]) -> str:
    """The block of addresses that an environment's networks are in.

    Args:
        prefix: What every name of the environment begins with.
        variables: The process environment, where `FLEETFORM_NETWORKS` may name another block.

    Raises:
        InputError: What it names is no block.
    """
    chosen = variables.get(VARIABLE)
    if chosen is None:
        blocks = list(_BLOCKS.subnets(new_prefix=_BLOCK_PREFIX))
        return str(blocks[crc32(prefix.encode()) % len(blocks)])
    try:
        block = ipaddress.IPv4Network(chosen)
    except ValueError as error:
        raise InputError(f"{VARIABLE}: {error}; an IPv4 network is expected, such as 172.30.0.0/18") from None
    if block.prefixlen > _SLOT_PREFIX:
        raise InputError(f"{VARIABLE}={chosen}: too small for any network; /{_BLOCK_PREFIX} is a good size")
    return str(block)


def networks(applied: AppliedEnvironment, prefix: str, block: str, *, isolating: bool = True) -> tuple[Network, ...]:
    """The networks that let through what the security groups of an environment let through, by name.

    Only services that have tasks are in them. Each subnet follows from its network's name, so that it stays when others
    come and go; only where two want the same place, the second takes the next that is free.

    Args:
        applied: The environment.
        prefix: What every name of the environment begins with.
        block: The block of addresses; see `choose_block`.
        isolating: Whether the engine keeps networks apart that lead out. Where it does not, only public services,
            which have to be reached, get one.

    Raises:
        InputError: The block is too small, or two networks would have one name.
    """
    tasks = {service.name: service.desired_count for service in applied.services if service.desired_count}
    wanted = sorted(_without_subnets(applied, tuple(tasks), isolating=isolating), key=lambda network: network.name)
    names = [network.name for network in wanted]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"there would be two networks {', '.join(twice)}; give the service `{OUTBOUND}` another name")
    sizes = {network.name: _prefix_length(sum(map(tasks.__getitem__, network.members))) for network in wanted}
    subnets = _subnets(sizes, prefix, ipaddress.IPv4Network(block))
    return tuple(replace(network, subnet=subnets[network.name]) for network in wanted)


def _without_subnets(applied: AppliedEnvironment, names: tuple[str, ...], *, isolating: bool) -> Iterator[Network]:
    groups = _open_groups(applied, names)
    within = {pair for members in groups.values() for pair in product(members, repeat=2)}
    for group, members in groups.items():
        yield Network(group, members, None, internal=True, subnet="")
    for caller, callee in product(names, repeat=2):
        if (caller, callee) not in within and any(_open_calls(applied, caller, callee)):
            members = tuple(sorted({caller, callee}))
            yield Network(f"{caller}--{callee}", members, callee, internal=True, subnet="")
    for name in names:
        if applied.public(name) or (isolating and applied.outward(name)):
            yield Network(f"{name}--{OUTBOUND}", (name,), name, internal=False, subnet="")


def _open_groups(applied: AppliedEnvironment, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The members of each group all of whose ports are open among all its members."""
    keys = sorted({group for name in names for group in applied.service(name).groups})
    members = {key: tuple(name for name in names if key in applied.service(name).groups) for key in keys}
    return {key: found for key, found in members.items() if _open_to_each_other(applied, found)}


def _open_to_each_other(applied: AppliedEnvironment, members: tuple[str, ...]) -> bool:
    ports = {name: tuple(map(applied.service(name).ports, _PROTOCOLS)) for name in members}
    pairs = product(members, repeat=2)
    return any(map(any, ports.values())) and all(
        _open_calls(applied, caller, callee) == ports[callee] for caller, callee in pairs
    )


def _open_calls(applied: AppliedEnvironment, caller: str, callee: str) -> tuple[tuple[int, ...], ...]:
    """The callee's ports that are open to the caller, of each protocol."""
    return tuple(applied.allows(caller, callee, protocol) for protocol in _PROTOCOLS)


def _prefix_length(tasks: int) -> int:
    """The prefix of a subnet with an address for each task."""
    return min(_SLOT_PREFIX, 32 - (tasks + _RESERVED_ADDRESSES - 1).bit_length())


def _subnets(sizes: Mapping[str, int], prefix: str, block: ipaddress.IPv4Network) -> dict[str, str]:
    """The subnet of each network: the place in the block that its name's checksum says, or the next that is free.

    The largest come first, so that small ones leave them a place.
    """
    taken: set[int] = set()
    subnets = {}
    for name, length in sorted(sizes.items(), key=lambda size: (size[1], size[0])):
        slots = 2 ** (_SLOT_PREFIX - length)
        count = 2 ** (length - block.prefixlen) if length >= block.prefixlen else 0
        wish = crc32(f"{prefix} {name}".encode())
        places = (
            range(place * slots, (place + 1) * slots) for place in ((wish + step) % count for step in range(count))
        )
        place = next((place for place in places if taken.isdisjoint(place)), None)
        if place is None:
            raise InputError(f"{block} is too small for {len(sizes)} networks; set {VARIABLE} to a larger free block")
        taken.update(place)
        address = int(block.network_address) + place.start * 2 ** (32 - _SLOT_PREFIX)
        subnets[name] = str(ipaddress.IPv4Network((address, length)))
    return subnets
