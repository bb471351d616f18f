"""Security groups and their rules, derived only from the call graph."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TypeAlias

from fleetform.catalog.models import Environment
from fleetform.topology.calls import ANYWHERE, Call, calls, edge_key
from fleetform.topology.endpoints import endpoints, interface_endpoints, needs_internet
from fleetform.topology.ingress import listener_ports, public_service_ports
from fleetform.topology.names import with_original_names

APP = "app"
"""Key of the group of all services in `shared` mode."""
INGRESS = "ingress"
"""Key of the load balancer's group."""
ENDPOINTS = "endpoints"
"""Key of the group of the VPC's interface endpoints."""
VPC = "vpc"
"""Stands for the VPC's own network, which is unknown for an existing VPC."""

_HTTP, _HTTPS, _NFS = 80, 443, 2049
_S3 = "s3"
# EC2 API reference, IpRange.Description.
_MAX_DESCRIPTION = 255


@dataclass(frozen=True)
class Rule:
    """A security group rule for one direction.

    Attributes:
        group: Key of the group that it belongs to.
        description: Description, in the characters that EC2 allows.
        peer: Key of the group on the other side, or None.
        cidr: The network on the other side, `VPC` for the VPC's own, or None.
        prefix_list: The AWS service on the other side whose addresses AWS lists, or None. Exactly one of
            `peer`, `cidr` and `prefix_list` is set.
        port: The port, or None for every protocol and port.
        protocol: `tcp` or `udp`, if there is a port.
    """

    group: str
    description: str
    peer: str | None = None
    cidr: str | None = None
    prefix_list: str | None = None
    port: int | None = None
    protocol: str = "tcp"


@dataclass(frozen=True)
class SecurityGroups:
    """All security groups of an environment.

    Attributes:
        groups: Descriptions, by the group's key.
        ingress: Ingress rules by key.
        egress: Egress rules by key.
        members: The key of each service's group, by the service's name.
    """

    groups: Mapping[str, str]
    ingress: Mapping[str, Rule]
    egress: Mapping[str, Rule]
    members: Mapping[str, str]

    def allow(self, caller: str, callee: str, port: int) -> bool:
        """Return whether the rules at both ends allow one service to connect to a TCP port of another."""
        source, target = self.members[caller], self.members[callee]
        return _connects(self._openings[0], source, target, port) and _connects(
            self._openings[1], target, source, port
        )

    @cached_property
    def _openings(self) -> "tuple[_TcpOpenings, _TcpOpenings]":
        """The egress and the ingress rules for TCP."""
        return _tcp_openings(self.egress), _tcp_openings(self.ingress)


_TcpOpenings: TypeAlias = frozenset[tuple[str, str | None, int | None]]
"""Group, peer or network, and TCP port of the rules of one direction."""


def _tcp_openings(rules: Mapping[str, Rule]) -> _TcpOpenings:
    tcp = (rule for rule in rules.values() if rule.port is None or rule.protocol == "tcp")
    return frozenset((rule.group, rule.peer or rule.cidr, rule.port) for rule in tcp)


def _connects(openings: _TcpOpenings, group: str, peer: str, port: int) -> bool:
    return not openings.isdisjoint(product([group], [peer, ANYWHERE], [port, None]))


@dataclass(frozen=True)
class _Edge:
    """A connection that rules allow.

    Attributes:
        source: The end that connects: key of a group, or the name of another end in the rule's key.
        target: The end that accepts, likewise.
        port: The target's port.
        reason: The rule's description.
        protocol: `tcp` or `udp`.
        cidr: The network of the end that is not a group, or None.
        prefix_list: The AWS service at the end that is not a group, or None.
    """

    source: str
    target: str
    port: int
    reason: str
    protocol: str = "tcp"
    cidr: str | None = None
    prefix_list: str | None = None

    @property
    def key(self) -> str:
        """``source->target:port``, the key of its rules."""
        return edge_key(self.source, self.target, self.port, self.protocol)

    def rule(self, group: str, peer: str, description: str) -> Rule:
        """Return its rule in the group at one end."""
        outside = self.cidr or self.prefix_list
        return Rule(
            group,
            description,
            None if outside else peer,
            self.cidr,
            self.prefix_list,
            self.port,
            self.protocol,
        )


def security_groups(environment: Environment) -> SecurityGroups:
    """Return the groups and rules of the environment's security mode, by the services' original names."""
    renamed = with_original_names(environment)
    result = _shared_groups(renamed) if renamed.security == "shared" else _groups_by_service(renamed)
    members = {
        name: result.members[environment.original_name(name)]
        for name in sorted(environment.services, key=environment.original_name)
    }
    return replace(result, members=members)


def public_ports(environment: Environment) -> frozenset[int]:
    """Return the ports that are open from outside: the load balancer's, or those of the public services."""
    return frozenset(edge.port for edge in _ingress_edges(environment, {}) if edge.cidr)


def _shared_groups(environment: Environment) -> SecurityGroups:
    """Return one group for all services, open within itself, to the internet and on public ports."""
    members = dict.fromkeys(sorted(environment.services), APP)
    groups = {APP: "Security Group for Application", **_other_groups(environment)}
    ingress, egress = _rules_of(
        groups, [*_ingress_edges(environment, members), *_endpoint_edges(environment, [APP])]
    )
    return SecurityGroups(
        groups=groups,
        ingress={f"{APP}->{APP}": Rule(APP, "Allow from This", peer=APP), **ingress},
        egress={f"{APP}->internet": Rule(APP, "Allow to Any", cidr=ANYWHERE)}
        | {key: rule for key, rule in egress.items() if rule.group != APP},
        members=members,
    )


def _groups_by_service(environment: Environment) -> SecurityGroups:
    """Return a group for each service; between services, only the declared calls are open."""
    names = sorted(environment.services)
    members = {name: name for name in names}
    groups = {name: f"Tasks of {name}" for name in names} | _other_groups(environment)
    edges = [
        *_ingress_edges(environment, members),
        *_internet_edges(environment, names),
        *_endpoint_edges(environment, names),
        *_volume_edges(environment),
        *map(_call_edge, calls(environment)),
    ]
    ingress, egress = _rules_of(groups, edges)
    return SecurityGroups(groups, ingress, egress, members)


def _other_groups(environment: Environment) -> dict[str, str]:
    balancer = {INGRESS: "Load balancer"} if environment.ingress.has_load_balancer else {}
    return balancer | ({ENDPOINTS: "VPC endpoints"} if interface_endpoints(environment) else {})


def _rules_of(groups: Mapping[str, str], edges: Iterable[_Edge]) -> tuple[dict[str, Rule], dict[str, Rule]]:
    """Return the ingress and the egress rules, by key, without duplicates, which EC2 rejects."""
    edges_by_key: dict[str, list[_Edge]] = {}
    for edge in edges:
        edges_by_key.setdefault(edge.key, []).append(edge)
    reasons = {key: _join_reasons(edge.reason for edge in same_key) for key, same_key in edges_by_key.items()}
    first_edges = {key: same_key[0] for key, same_key in edges_by_key.items()}
    return (
        {
            key: edge.rule(edge.target, edge.source, reasons[key])
            for key, edge in first_edges.items()
            if edge.target in groups
        },
        {
            key: edge.rule(edge.source, edge.target, reasons[key])
            for key, edge in first_edges.items()
            if edge.source in groups
        },
    )


def _join_reasons(reasons: Iterable[str]) -> str:
    return textwrap.shorten("; ".join(dict.fromkeys(reasons)), _MAX_DESCRIPTION, placeholder=" ...")


def _ingress_edges(environment: Environment, members: Mapping[str, str]) -> Iterator[_Edge]:
    """Yield the connections from outside to the public services, whose groups are `members`."""
    public = [(members.get(name, name), port) for name, port in public_service_ports(environment)]
    if environment.ingress.type == "direct":
        for group, port in public:
            yield from _outside_edges(environment, group, port)
    elif environment.ingress.has_load_balancer:
        for port in listener_ports(environment):
            yield from _outside_edges(environment, INGRESS, port)
        for group, port in public:
            yield _Edge(INGRESS, group, port, f"load balancer to {group}")


def _outside_edges(environment: Environment, group: str, port: int) -> Iterator[_Edge]:
    for cidr in environment.ingress.cidrs:
        source = "internet" if cidr == ANYWHERE else cidr
        reason = f"{source} to {'load balancer' if group == INGRESS else group}"
        if group == APP:
            reason = f"Allow from {'Any' if cidr == ANYWHERE else cidr} {'HTTP' if port == _HTTP else port}"
        yield _Edge(source, group, port, reason, cidr=cidr)


def _internet_edges(environment: Environment, names: Iterable[str]) -> Iterator[_Edge]:
    """Yield the connections over the internet to image registries, logs and AWS APIs, all of them HTTPS."""
    for name in names:
        if needs_internet(environment, name):
            yield _Edge(name, "internet", _HTTPS, f"{name} pulls its image and calls AWS", cidr=ANYWHERE)


def _endpoint_edges(environment: Environment, groups: Iterable[str]) -> Iterator[_Edge]:
    """Yield the connections to AWS inside the VPC."""
    by_interface, by_gateway = bool(interface_endpoints(environment)), _S3 in endpoints(environment)
    for group in groups:
        if by_interface:
            yield _Edge(group, ENDPOINTS, _HTTPS, f"{group} calls AWS")
        if by_gateway:
            yield _Edge(group, _S3, _HTTPS, f"{group} pulls its image from S3", prefix_list=_S3)


def _volume_edges(environment: Environment) -> Iterator[_Edge]:
    """Yield the connections to EFS mount targets, which are somewhere in the VPC."""
    for name, service in sorted(environment.services.items()):
        if any(volume.efs for volume in service.volumes.values()):
            yield _Edge(name, "efs", _NFS, f"{name} mounts its volumes", cidr=VPC)


def _call_edge(call: Call) -> _Edge:
    """Return the connection of a call; EC2 knows an external target only by its network."""
    reason = f"{call.caller} calls {call.callee}"
    target = call.callee if call.cidr is None else "internet" if call.cidr == ANYWHERE else call.cidr
    return _Edge(call.caller, target, call.port, reason, call.protocol, call.cidr)
