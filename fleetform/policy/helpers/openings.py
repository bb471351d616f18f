"""The connections that security group rules open, in each form that the provider has for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown, Value
from fleetform.policy.requirements import number
from fleetform.policy.rule import Undecided

INGRESS = ("aws_vpc_security_group_ingress_rule", "aws_security_group", "aws_security_group_rule")
"""Types with ingress rules."""
EGRESS = ("aws_vpc_security_group_egress_rule", "aws_security_group", "aws_security_group_rule")
"""Types with egress rules."""

_INLINE = frozenset({"aws_security_group", "aws_default_security_group"})
_ALL = range(65536)
# IANA's numbers, which EC2 also accepts.
_PROTOCOLS = {"-1": "all", "6": "tcp", "17": "udp"}
_WITH_PORTS = frozenset({"tcp", "udp"})


@dataclass(frozen=True)
class Opening:
    """One rule of a security group.

    Attributes:
        resource: The resource with the rule.
        at: The path of the rule in the resource's values: a block, or empty for the whole resource.
    """

    resource: Resource
    at: Path = ()

    @property
    def protocol(self) -> tuple[Path, Value]:
        """The path and the name of the protocol: `tcp`, `udp`, `all` or a different one."""
        key = "ip_protocol" if self.resource.type.startswith("aws_vpc_") else "protocol"
        value = self.resource.value(*self.at, key)
        name = value if isinstance(value, Unknown) else str(value).lower()
        return (*self.at, key), _PROTOCOLS.get(name, name) if isinstance(name, str) else name

    @cached_property
    def ports(self) -> range | Undecided | None:
        """The open ports; None for a protocol without ports, such as ICMP."""
        at, protocol = self.protocol
        if isinstance(protocol, Unknown):
            return Undecided(at)
        if protocol == "all":
            return _ALL
        if protocol not in _WITH_PORTS:
            return None
        ends = []
        for key in ("from_port", "to_port"):
            end = number(self.resource.value(*self.at, key))
            if isinstance(end, Unknown):
                return Undecided((*self.at, key))
            ends.append(end)
        first, last = ends
        return None if first is None or last is None else range(int(first), int(last) + 1) or None

    @property
    def is_all_ports(self) -> bool:
        """Whether every port is open."""
        return isinstance(self.ports, range) and len(self.ports) >= len(_ALL) - 1

    @property
    def networks(self) -> Iterator[tuple[Path, Value]]:
        """The peer networks, each with its path."""
        return self._each_value("cidr_ipv4", "cidr_ipv6", "cidr_blocks", "ipv6_cidr_blocks")

    @property
    def groups(self) -> Iterator[tuple[Path, Value]]:
        """The peer security groups, each with its path."""
        return self._each_value("referenced_security_group_id", "source_security_group_id", "security_groups")

    def _each_value(self, *keys: str) -> Iterator[tuple[Path, Value]]:
        for key in keys:
            at = (*self.at, key)
            value = self.resource.value(*at)
            if isinstance(value, list):
                yield from (((*at, index), item) for index, item in enumerate(value))
            elif value is not None:
                yield at, value


def find_openings(
    resource: Resource, direction: Literal["ingress", "egress"] = "ingress"
) -> Iterator[Opening | Undecided]:
    """Yield the rules of a resource in one direction."""
    if resource.type == f"aws_vpc_security_group_{direction}_rule":
        yield Opening(resource)
    elif resource.type == "aws_security_group_rule":
        kind = resource.value("type")
        if isinstance(kind, Unknown):
            yield Undecided(("type",))
        elif kind == direction:
            yield Opening(resource)
    elif resource.type in _INLINE:
        yield from _inline(resource, direction)


def _inline(resource: Resource, direction: str) -> Iterator[Opening | Undecided]:
    rules = resource.value(direction, default=[])
    if isinstance(rules, Unknown):
        yield Undecided((direction,))
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        at = (direction, index)
        yield Undecided(at) if isinstance(rule, Unknown) else Opening(resource, at)


def describe_ports(ports: range) -> str:
    """Return `port 22`, or `ports 20 to 25`."""
    return f"port {ports[0]}" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]}"
