"""What runs, and what it needs, as plain values."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

ALL_PROTOCOLS = "-1"
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Rule:
    """A security group rule.

    Attributes:
        direction: `ingress` or `egress`.
        group: The id of its group.
        protocol: `tcp`, `udp` or `-1` for all.
        first: The first port; None for all.
        last: The last port; None for all.
        peer: The id of the group on the other side, if it is one.
        cidr: The network on the other side, if it is one.
    """

    direction: str
    group: str
    protocol: str
    first: int | None = None
    last: int | None = None
    peer: str | None = None
    cidr: str | None = None

    def covers(self, port: int, protocol: str) -> bool:
        """Return whether the rule is for a port."""
        if self.protocol == ALL_PROTOCOLS:
            return True
        return self.protocol == protocol and (self.first or 0) <= port <= (self.last or 0)

    def meets(self, groups: frozenset[str], address: str) -> bool:
        """Return whether the other side has one of these groups or this address."""
        if self.cidr is None:
            return self.peer in groups
        network = ipaddress.ip_network(self.cidr, strict=False)
        return ipaddress.ip_address(address) in network


@dataclass(frozen=True)
class Task:
    """A running task.

    Attributes:
        id: Its id, which is the id of its instances in Cloud Map, too.
        address: Its private address.
        subnet: The id of its subnet.
        groups: The ids of its security groups.
        ports: Protocol and number of each port that its task definition maps.
        images: Its images in this account's ECR, as `repository@digest` or `repository:tag`.
        is_public: Whether it has a public address.
    """

    id: str
    address: str
    subnet: str
    groups: frozenset[str]
    ports: frozenset[tuple[str, int]] = frozenset()
    images: frozenset[str] = frozenset()
    is_public: bool = False


@dataclass(frozen=True)
class Service:
    """An ECS service.

    Attributes:
        status: `ACTIVE`, `DRAINING` or `INACTIVE`.
        desired_count: Tasks that should run.
        tasks: Tasks that run.
        is_scaled: Whether it has a scalable target with a policy.
        is_connected: Whether it is part of Service Connect.
        aliases: The DNS names that Service Connect has for it.
    """

    status: str
    desired_count: int
    tasks: tuple[Task, ...] = ()
    is_scaled: bool = False
    is_connected: bool = False
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Route:
    """A target group that a listener or a rule leads to.

    Attributes:
        groups: The ids of the load balancer's security groups.
        targets: Address and port of each target.
    """

    groups: frozenset[str]
    targets: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class World:
    """All that matters for whether services work.

    Attributes:
        services: The services of a cluster by name.
        subnets: The ids of all subnets.
        rules: All security group rules.
        names: The ids of the instances behind each DNS name.
        routes: What load balancers lead to.
        images: All images in ECR, as `repository@digest` and `repository:tag`.
    """

    services: Mapping[str, Service]
    subnets: frozenset[str] = frozenset()
    rules: frozenset[Rule] = frozenset()
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    images: frozenset[str] = frozenset()
