"""The connections that rules, routes and listeners allow, compared with the catalog.

Planned and applied resources are read from `terraform show -json` of plans, of states, or of both, for a VPC
that Fleetform creates. A rule names its group by ID, so the group must exist already. The first plan, before
anything is applied, is therefore not enough.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from fleetform import topology
from fleetform.base.errors import CheckFailedError
from fleetform.catalog.models import Environment
from fleetform.topology.applied_rule import ALL_PROTOCOLS, AppliedRule

INTERNET = "internet"
"""The end that has any address."""

_FIRST, _LAST = 0, 65535
_HTTPS, _NFS = 443, 2049
_Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Opening:
    """A connection that security groups and routes allow.

    Attributes:
        source: The end that connects: a service, `ingress` for the load balancer, `internet`, or a network.
        target: The end that accepts: one of these, `endpoints`, or an AWS service such as `s3`.
        protocol: `tcp`, `udp`, or `-1` for all.
        first: The first port; 0 with all protocols.
        last: The last port.
    """

    source: str
    target: str
    protocol: str
    first: int
    last: int

    def __str__(self) -> str:
        """``source->target:port/protocol``."""
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.source}->{self.target}:" + (
            "*" if self.protocol == ALL_PROTOCOLS else f"{ports}/{self.protocol}"
        )


@dataclass(frozen=True)
class AppliedNetwork:
    """The parts of a network that determine reachability.

    Attributes:
        rules: All rules of all security groups.
        members: The groups of each service, of the load balancer (`ingress`) and of the endpoints, by key.
        facing: The members that the internet has a route to.
        leaving: The members that have a route to the internet.
        listeners: The TCP ports that the load balancer listens on, by its key. It accepts no other port.
        cidr: The VPC's network.
    """

    rules: frozenset[AppliedRule]
    members: Mapping[str, frozenset[str]]
    facing: frozenset[str]
    leaving: frozenset[str]
    listeners: Mapping[str, frozenset[int]]
    cidr: str


def openings(network: AppliedNetwork) -> frozenset[Opening]:
    """Return every opening. Routes to networks other than the internet are not ours, and assumed to exist."""
    within = (
        opening
        for pair in product(network.members, repeat=2)
        for opening in _internal_openings(network, *pair)
    )
    outside = (
        opening
        for name in network.members
        for opening in (*_inbound_openings(network, name), *_outbound_openings(network, name))
    )
    return frozenset(opening for opening in (*within, *outside) if _is_listening(network, opening))


def _internal_openings(network: AppliedNetwork, source: str, target: str) -> Iterator[Opening]:
    for egress, ingress in product(_rules(network, "egress", source), _rules(network, "ingress", target)):
        if _matches_end(network, egress, target) and _matches_end(network, ingress, source):
            yield from _intersect(source, target, egress, ingress)


def _inbound_openings(network: AppliedNetwork, target: str) -> Iterator[Opening]:
    for rule in _rules(network, "ingress", target):
        if (
            rule.cidr
            and not _is_subnet(rule.cidr, network.cidr)
            and (target in network.facing or _is_private(rule.cidr))
        ):
            yield from _intersect(_end_of(rule.cidr), target, rule, rule)


def _outbound_openings(network: AppliedNetwork, source: str) -> Iterator[Opening]:
    for rule in _rules(network, "egress", source):
        if rule.prefix_list or (rule.cidr and (source in network.leaving or _is_private(rule.cidr))):
            yield from _intersect(source, rule.prefix_list or _end_of(rule.cidr or ""), rule, rule)


def _intersect(source: str, target: str, egress: AppliedRule, ingress: AppliedRule) -> Iterator[Opening]:
    """Yield what two rules both allow."""
    protocols = {egress.protocol, ingress.protocol} - {ALL_PROTOCOLS} or {ALL_PROTOCOLS}
    first = max(_ports(egress)[0], _ports(ingress)[0])
    last = min(_ports(egress)[1], _ports(ingress)[1])
    if len(protocols) == 1 and first <= last:
        yield Opening(source, target, protocols.pop(), first, last)


def _ports(rule: AppliedRule) -> tuple[int, int]:
    if rule.protocol == ALL_PROTOCOLS or rule.first is None or rule.last is None:
        return _FIRST, _LAST
    return rule.first, rule.last


def _rules(network: AppliedNetwork, direction: str, name: str) -> list[AppliedRule]:
    groups = network.members[name]
    return [rule for rule in network.rules if rule.direction == direction and rule.group in groups]


def _matches_end(network: AppliedNetwork, rule: AppliedRule, name: str) -> bool:
    """Return whether an end inside the VPC is, or may be, the other side of a rule."""
    return rule.peer in network.members[name] if rule.peer else _overlap(rule.cidr, network.cidr)


def _is_listening(network: AppliedNetwork, opening: Opening) -> bool:
    ports = network.listeners.get(opening.target)
    return ports is None or any(opening.first <= port <= opening.last for port in ports)


def _overlap(one: str | None, other: str) -> bool:
    if one is None or ":" in one:
        return False
    return ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))


def _is_subnet(cidr: str, network: str) -> bool:
    return ":" not in cidr and ipaddress.IPv4Network(cidr).subnet_of(ipaddress.IPv4Network(network))


def _is_private(cidr: str) -> bool:
    return ":" not in cidr and ipaddress.IPv4Network(cidr).is_private


def _end_of(cidr: str) -> str:
    return INTERNET if cidr in {topology.ANYWHERE, "::/0"} else cidr


def declared_openings(environment: Environment, cidr: str) -> frozenset[Opening]:
    """Return every opening that the catalog declares, if each service has its own security group.

    Args:
        environment: The environment.
        cidr: The VPC's network.
    """
    declared = frozenset(
        {*_call_openings(environment), *_ingress_openings(environment), *_aws_openings(environment, cidr)}
    )
    return declared | _implied_openings(declared, cidr)


def find_differences(environment: Environment, network: AppliedNetwork) -> tuple[str, ...]:
    """Return a sentence for each opening that is declared but closed, or open but not declared; sorted.

    If all services share a group, each of them has the openings of all, and may also connect to the others
    and to the internet.
    """
    declared, actual = declared_openings(environment, network.cidr), openings(network)
    missing = {opening for opening in declared if not any(_covers(open_way, opening) for open_way in actual)}
    undeclared = set(actual - declared)
    if environment.security == "shared":
        entries = {(opening.source, opening.protocol, opening.first, opening.last) for opening in declared}
        entered = {opening for opening in undeclared if opening.source not in environment.services}
        undeclared = {
            opening
            for opening in entered
            if (opening.source, opening.protocol, opening.first, opening.last) not in entries
        }
    return tuple(
        sorted(
            [f"{opening} is declared and closed" for opening in missing]
            + [f"{opening} is open and not declared" for opening in undeclared]
        )
    )


def _covers(wide: Opening, narrow: Opening) -> bool:
    return (
        (wide.source, wide.target) == (narrow.source, narrow.target)
        and wide.protocol in {narrow.protocol, ALL_PROTOCOLS}
        and wide.first <= narrow.first <= narrow.last <= wide.last
    )


def _single_port(source: str, target: str, port: int, protocol: str = "tcp") -> Opening:
    return Opening(source, target, protocol, port, port)


def _call_openings(environment: Environment) -> Iterator[Opening]:
    for call in topology.calls(environment):
        yield _single_port(
            call.caller, _end_of(call.cidr) if call.cidr else call.callee, call.port, call.protocol
        )


def _ingress_openings(environment: Environment) -> Iterator[Opening]:
    """Yield the openings from outside."""
    ingress = environment.ingress
    entries = topology.public_service_ports(environment)
    if ingress.type in {"alb", "internal_alb"}:
        for name, port in entries:
            yield _single_port(topology.INGRESS, name, port)
        entries = [(topology.INGRESS, port) for port in topology.listener_ports(environment)]
    sources = [_end_of(cidr) for cidr in ingress.cidrs if ingress.type != "internal_alb" or _is_private(cidr)]
    if ingress.type != "none":
        for source, (name, port) in product(sources, entries):
            yield _single_port(source, name, port)


def _aws_openings(environment: Environment, cidr: str) -> Iterator[Opening]:
    """Yield the openings to AWS: to start tasks, and to file systems."""
    for name, service in environment.services.items():
        if topology.needs_internet(environment, name):
            yield _single_port(name, INTERNET, _HTTPS)
        if topology.interface_endpoints(environment):
            yield _single_port(name, topology.ENDPOINTS, _HTTPS)
        if "s3" in topology.endpoints(environment):
            yield _single_port(name, "s3", _HTTPS)
        if any(volume.efs for volume in service.volumes.values()):
            yield _single_port(name, cidr, _NFS)


def _implied_openings(declared: frozenset[Opening], cidr: str) -> frozenset[Opening]:
    """Return the openings inside the VPC that follow from rules for any address on both sides."""
    anywhere = {INTERNET: topology.ANYWHERE}
    networks = {
        opening: anywhere.get(opening.target, opening.target)
        for opening in declared
        if _is_network(opening.target)
    }
    entries = {
        opening: anywhere.get(opening.source, opening.source)
        for opening in declared
        if _is_network(opening.source)
    }
    return frozenset(
        _single_port(one.source, other.target, one.first, one.protocol)
        for (one, to), (other, by) in product(networks.items(), entries.items())
        if (one.protocol, one.first) == (other.protocol, other.first)
        and _overlap(to, cidr)
        and _overlap(by, cidr)
    )


def _is_network(end: str) -> bool:
    return end == INTERNET or "/" in end


def read_rules(*documents: _Values) -> frozenset[AppliedRule]:
    """Read the rules from `terraform show -json` of plans and states, with groups by their `for_each` keys.

    Raises:
        CheckFailedError: A rule's group is not created yet.
    """
    resources = [resource for document in documents for resource in _resources(_root_module(document))]
    keys = _keys_by_id(resources)
    return frozenset(_read_rule(resource, keys) for resource in resources if resource["type"] in _DIRECTIONS)


def read_network(*documents: _Values) -> AppliedNetwork:
    """Read everything that determines reachability from `terraform show -json` of plans and states.

    Raises:
        CheckFailedError: A rule's group is not created yet.
    """
    resources = [resource for document in documents for resource in _resources(_root_module(document))]
    keys, routes, ends = _keys_by_id(resources), _default_routes(resources), dict(_ends(resources))
    gateways = {name: {routes.get(subnet, "") for subnet in end.subnets} for name, end in ends.items()}
    facing = {
        name
        for name, gateway_ids in gateways.items()
        if ends[name].public and any("igw-" in gateway for gateway in gateway_ids)
    }
    nat = {
        name for name, gateway_ids in gateways.items() if any("nat-" in gateway for gateway in gateway_ids)
    }
    (vpc,) = _values_of(resources, "aws_vpc")
    return AppliedNetwork(
        rules=read_rules(*documents),
        members={
            name: frozenset(keys.get(group, group) for group in end.groups) for name, end in ends.items()
        },
        facing=frozenset(facing),
        leaving=frozenset(facing | nat),
        listeners={
            topology.INGRESS: frozenset(each["port"] for each in _values_of(resources, "aws_lb_listener"))
        },
        cidr=vpc["cidr_block"],
    )


def _keys_by_id(resources: list[dict[str, Any]]) -> dict[str, str]:
    """Return the keys of groups and prefix lists, by id."""
    groups = (resource for resource in resources if resource["type"] == "aws_security_group")
    lists = [values for values in _values_of(resources, "aws_vpc_endpoint") if values.get("prefix_list_id")]
    return {
        **{group["values"]["id"]: group["index"] for group in groups if "id" in group["values"]},
        **{values["prefix_list_id"]: values["service_name"].rpartition(".")[2] for values in lists},
    }


_DIRECTIONS = {
    "aws_vpc_security_group_ingress_rule": "ingress",
    "aws_vpc_security_group_egress_rule": "egress",
}


@dataclass(frozen=True)
class _End:
    groups: tuple[str, ...]
    subnets: tuple[str, ...]
    public: bool


def _root_module(document: _Values) -> _Values:
    root: _Values = document.get("planned_values", document.get("values", {})).get("root_module", {})
    return root


def _resources(module: _Values) -> Iterator[dict[str, Any]]:
    yield from (resource for resource in module.get("resources", ()) if resource["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _values_of(resources: list[dict[str, Any]], kind: str) -> list[_Values]:
    """Return the values of the resources of a type."""
    return [resource["values"] for resource in resources if resource["type"] == kind]


def _ends(resources: list[dict[str, Any]]) -> Iterator[tuple[str, _End]]:
    """Yield the services by the name of their module, the load balancer, and the endpoints."""
    for resource in resources:
        for network in _network_configurations(resource["values"]):
            name = resource["address"].split(".")[1]
            yield (
                name,
                _End(
                    tuple(network["security_groups"]), tuple(network["subnets"]), network["assign_public_ip"]
                ),
            )
    for balancer in _values_of(resources, "aws_lb"):
        public = not balancer.get("internal")
        yield topology.INGRESS, _End(tuple(balancer["security_groups"]), tuple(balancer["subnets"]), public)
    for endpoint in _values_of(resources, "aws_vpc_endpoint"):
        if endpoint.get("security_group_ids"):
            yield topology.ENDPOINTS, _End(tuple(endpoint["security_group_ids"]), (), public=False)


def _network_configurations(value: Any) -> Iterator[_Values]:  # noqa: ANN401 - JSON
    """Yield the network configurations of services and scheduled tasks, at any depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key == "network_configuration":
            yield from item
        else:
            yield from _network_configurations(item)


def _default_routes(resources: list[dict[str, Any]]) -> dict[str, str]:
    """Return the gateway of each subnet's traffic to the internet, by subnet."""
    gateways = {
        route["route_table_id"]: route.get("nat_gateway_id") or route.get("gateway_id") or ""
        for route in _values_of(resources, "aws_route")
        if route.get("destination_cidr_block") == topology.ANYWHERE
    }
    associations = _values_of(resources, "aws_route_table_association")
    return {each["subnet_id"]: gateways.get(each["route_table_id"], "") for each in associations}


def _read_rule(resource: _Values, keys: Mapping[str, str]) -> AppliedRule:
    values = resource["values"]
    if "security_group_id" not in values:
        remedy = "apply the foundation, or plan with existing groups"
        raise CheckFailedError(f"{resource['address']}: its security group does not exist yet; {remedy}")
    peer, prefix_list = values.get("referenced_security_group_id"), values.get("prefix_list_id")
    return AppliedRule(
        direction=_DIRECTIONS[resource["type"]],
        group=keys.get(values["security_group_id"], values["security_group_id"]),
        protocol=values["ip_protocol"],
        first=values.get("from_port"),
        last=values.get("to_port"),
        peer=keys.get(peer, peer) if peer else None,
        cidr=values.get("cidr_ipv4") or values.get("cidr_ipv6"),
        prefix_list=keys.get(prefix_list, prefix_list) if prefix_list else None,
    )
