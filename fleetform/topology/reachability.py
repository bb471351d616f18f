"""Who can open a connection to whom: from rules, routes and listeners alone, held against the catalog.

What Terraform plans or has applied is read from its JSON: `terraform show -json` of plans, of states, or of both, for a
VPC of the environment's own. A rule names its group by an id, so that the group has to be there already: a first plan,
before anything is applied, tells nothing.
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
"""Everybody: the end that has any address."""

_FIRST, _LAST = 0, 65535
_HTTPS, _NFS = 443, 2049
_Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Connection:
    """A way that is open.

    Attributes:
        source: Who opens it: a service, `ingress` for the load balancer, `internet`, or a network.
        target: Who takes it: one of these, `endpoints`, or an AWS service such as `s3`.
        protocol: `tcp`, `udp`; `-1` for all.
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
class Network:
    """What decides who reaches whom.

    Attributes:
        rules: All rules of all security groups.
        members: The groups of each service, of the load balancer (`ingress`) and of the endpoints, by key.
        facing: Those of them that the internet has a route to.
        leaving: Those of them that have a route to the internet.
        listeners: The TCP ports that the load balancer answers on, by its key: no rule opens another.
        cidr: The VPC's network.
    """

    rules: frozenset[AppliedRule]
    members: Mapping[str, frozenset[str]]
    facing: frozenset[str]
    leaving: frozenset[str]
    listeners: Mapping[str, frozenset[int]]
    cidr: str


def connections(network: Network) -> frozenset[Connection]:
    """Every way that is open. Routes to other networks than the internet are others', and taken to be there."""
    within = (found for pair in product(network.members, repeat=2) for found in _between(network, *pair))
    outside = (found for name in network.members for found in (*_inward(network, name), *_outward(network, name)))
    return frozenset(found for found in (*within, *outside) if _listens(network, found))


def _between(network: Network, source: str, target: str) -> Iterator[Connection]:
    for egress, ingress in product(_rules(network, "egress", source), _rules(network, "ingress", target)):
        if _is_about(network, egress, target) and _is_about(network, ingress, source):
            yield from _both(source, target, egress, ingress)


def _inward(network: Network, target: str) -> Iterator[Connection]:
    for rule in _rules(network, "ingress", target):
        if (
            rule.cidr
            and not _is_within(rule.cidr, network.cidr)
            and (target in network.facing or _is_private(rule.cidr))
        ):
            yield from _both(_named(rule.cidr), target, rule, rule)


def _outward(network: Network, source: str) -> Iterator[Connection]:
    for rule in _rules(network, "egress", source):
        if rule.prefix_list or (rule.cidr and (source in network.leaving or _is_private(rule.cidr))):
            yield from _both(source, rule.prefix_list or _named(rule.cidr or ""), rule, rule)


def _both(source: str, target: str, egress: AppliedRule, ingress: AppliedRule) -> Iterator[Connection]:
    """What two rules have in common."""
    protocols = {egress.protocol, ingress.protocol} - {ALL_PROTOCOLS} or {ALL_PROTOCOLS}
    first = max(_ports(egress)[0], _ports(ingress)[0])
    last = min(_ports(egress)[1], _ports(ingress)[1])
    if len(protocols) == 1 and first <= last:
        yield Connection(source, target, protocols.pop(), first, last)


def _ports(rule: AppliedRule) -> tuple[int, int]:
    if rule.protocol == ALL_PROTOCOLS or rule.first is None or rule.last is None:
        return _FIRST, _LAST
    return rule.first, rule.last


def _rules(network: Network, direction: str, name: str) -> list[AppliedRule]:
    groups = network.members[name]
    return [rule for rule in network.rules if rule.direction == direction and rule.group in groups]


def _is_about(network: Network, rule: AppliedRule, name: str) -> bool:
    """Whether an end inside the VPC is, or may be, the other side of a rule."""
    return rule.peer in network.members[name] if rule.peer else _overlap(rule.cidr, network.cidr)


def _listens(network: Network, found: Connection) -> bool:
    ports = network.listeners.get(found.target)
    return ports is None or any(found.first <= port <= found.last for port in ports)


def _overlap(one: str | None, other: str) -> bool:
    if one is None or ":" in one:
        return False
    return ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))


def _is_within(cidr: str, network: str) -> bool:
    return ":" not in cidr and ipaddress.IPv4Network(cidr).subnet_of(ipaddress.IPv4Network(network))


def _is_private(cidr: str) -> bool:
    return ":" not in cidr and ipaddress.IPv4Network(cidr).is_private


def _named(cidr: str) -> str:
    return INTERNET if cidr in {topology.ANYWHERE, "::/0"} else cidr


def declared(environment: Environment, cidr: str) -> frozenset[Connection]:
    """Every way that the catalog asks for where a service has its own security group.

    Args:
        environment: The environment.
        cidr: The VPC's network.
    """
    ways = frozenset({*_calls(environment), *_front(environment), *_aws(environment, cidr)})
    return ways | _implied(ways, cidr)


def differences(environment: Environment, network: Network) -> tuple[str, ...]:
    """A sentence for each way that is asked for and not open, or open and not asked for; sorted.

    Where all services share a group, all of them have what one asks for, and ways between them and outwards besides.
    """
    wanted, found = declared(environment, network.cidr), connections(network)
    missing = {way for way in wanted if not any(_covers(open_way, way) for open_way in found)}
    more = set(found - wanted)
    if environment.security == "shared":
        entries = {(way.source, way.protocol, way.first, way.last) for way in wanted}
        entered = {way for way in more if way.source not in environment.services}
        more = {way for way in entered if (way.source, way.protocol, way.first, way.last) not in entries}
    return tuple(
        sorted(
            [f"{way} is declared and closed" for way in missing] + [f"{way} is open and not declared" for way in more]
        )
    )


def _covers(wide: Connection, narrow: Connection) -> bool:
    return (
        (wide.source, wide.target) == (narrow.source, narrow.target)
        and wide.protocol in {narrow.protocol, ALL_PROTOCOLS}
        and wide.first <= narrow.first <= narrow.last <= wide.last
    )


def _way(source: str, target: str, port: int, protocol: str = "tcp") -> Connection:
    return Connection(source, target, protocol, port, port)


def _calls(environment: Environment) -> Iterator[Connection]:
    for call in topology.calls(environment):
        yield _way(call.caller, _named(call.cidr) if call.cidr else call.callee, call.port, call.protocol)


def _front(environment: Environment) -> Iterator[Connection]:
    """The ways from outside."""
    ingress = environment.ingress
    entries = topology.public_service_ports(environment)
    if ingress.type in {"alb", "internal_alb"}:
        for name, port in entries:
            yield _way(topology.INGRESS, name, port)
        entries = [(topology.INGRESS, port) for port in topology.listener_ports(environment)]
    sources = [_named(cidr) for cidr in ingress.cidrs if ingress.type != "internal_alb" or _is_private(cidr)]
    if ingress.type != "none":
        for source, (name, port) in product(sources, entries):
            yield _way(source, name, port)


def _aws(environment: Environment, cidr: str) -> Iterator[Connection]:
    """The ways to AWS: what starts a task, and its file systems."""
    for name, service in environment.services.items():
        if topology.needs_internet(environment, name):
            yield _way(name, INTERNET, _HTTPS)
        if topology.interface_endpoints(environment):
            yield _way(name, topology.ENDPOINTS, _HTTPS)
        if "s3" in topology.endpoints(environment):
            yield _way(name, "s3", _HTTPS)
        if any(volume.efs for volume in service.volumes.values()):
            yield _way(name, cidr, _NFS)


def _implied(ways: frozenset[Connection], cidr: str) -> frozenset[Connection]:
    """Who may call everybody on a port may call those inside whom everybody may call on it."""
    anywhere = {INTERNET: topology.ANYWHERE}
    networks = {way: anywhere.get(way.target, way.target) for way in ways if _is_network(way.target)}
    entries = {way: anywhere.get(way.source, way.source) for way in ways if _is_network(way.source)}
    return frozenset(
        _way(one.source, other.target, one.first, one.protocol)
        for (one, to), (other, by) in product(networks.items(), entries.items())
        if (one.protocol, one.first) == (other.protocol, other.first) and _overlap(to, cidr) and _overlap(by, cidr)
    )


def _is_network(end: str) -> bool:
    return end == INTERNET or "/" in end


def read_rules(*documents: _Values) -> frozenset[AppliedRule]:
    """Reads the rules in what `terraform show -json` says of plans and states; groups by the keys of `for_each`.

    Raises:
        CheckFailedError: A rule's group is not made yet.
    """
    found = [resource for document in documents for resource in _resources(_root(document))]
    known = _known(found)
    return frozenset(_read_rule(resource, known) for resource in found if resource["type"] in _DIRECTIONS)


def read(*documents: _Values) -> Network:
    """Reads all that decides who reaches whom, likewise.

    Raises:
        CheckFailedError: A rule's group is not made yet.
    """
    found = [resource for document in documents for resource in _resources(_root(document))]
    known, routes, ends = _known(found), _default_routes(found), dict(_ends(found))
    gateways = {name: {routes.get(subnet, "") for subnet in end.subnets} for name, end in ends.items()}
    facing = {name for name, ways in gateways.items() if ends[name].public and any("igw-" in way for way in ways)}
    nat = {name for name, ways in gateways.items() if any("nat-" in way for way in ways)}
    (vpc,) = _of(found, "aws_vpc")
    return Network(
        rules=read_rules(*documents),
        members={name: frozenset(known.get(group, group) for group in end.groups) for name, end in ends.items()},
        facing=frozenset(facing),
        leaving=frozenset(facing | nat),
        listeners={topology.INGRESS: frozenset(each["port"] for each in _of(found, "aws_lb_listener"))},
        cidr=vpc["cidr_block"],
    )


def _known(resources: list[dict[str, Any]]) -> dict[str, str]:
    """The keys of groups and prefix lists, by id."""
    groups = (resource for resource in resources if resource["type"] == "aws_security_group")
    lists = [values for values in _of(resources, "aws_vpc_endpoint") if values.get("prefix_list_id")]
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


def _root(document: _Values) -> _Values:
    root: _Values = document.get("planned_values", document.get("values", {})).get("root_module", {})
    return root


def _resources(module: _Values) -> Iterator[dict[str, Any]]:
    yield from (resource for resource in module.get("resources", ()) if resource["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _of(resources: list[dict[str, Any]], kind: str) -> list[_Values]:
    """The values of the resources of a type."""
    return [resource["values"] for resource in resources if resource["type"] == kind]


def _ends(resources: list[dict[str, Any]]) -> Iterator[tuple[str, _End]]:
    """Services by the name of their module, the load balancer, the endpoints."""
    for resource in resources:
        for network in _network_configurations(resource["values"]):
            name = resource["address"].split(".")[1]
            yield name, _End(tuple(network["security_groups"]), tuple(network["subnets"]), network["assign_public_ip"])
    for balancer in _of(resources, "aws_lb"):
        public = not balancer.get("internal")
        yield topology.INGRESS, _End(tuple(balancer["security_groups"]), tuple(balancer["subnets"]), public)
    for endpoint in _of(resources, "aws_vpc_endpoint"):
        if endpoint.get("security_group_ids"):
            yield topology.ENDPOINTS, _End(tuple(endpoint["security_group_ids"]), (), public=False)


def _network_configurations(value: Any) -> Iterator[_Values]:  # noqa: ANN401 - JSON
    """The networks of services, and of tasks that a schedule starts, however deep they are."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key == "network_configuration":
            yield from item
        else:
            yield from _network_configurations(item)


def _default_routes(resources: list[dict[str, Any]]) -> dict[str, str]:
    """The gateway that each subnet's traffic to the internet goes through, by subnet."""
    gateways = {
        route["route_table_id"]: route.get("nat_gateway_id") or route.get("gateway_id") or ""
        for route in _of(resources, "aws_route")
        if route.get("destination_cidr_block") == topology.ANYWHERE
    }
    associations = _of(resources, "aws_route_table_association")
    return {each["subnet_id"]: gateways.get(each["route_table_id"], "") for each in associations}


def _read_rule(resource: _Values, known: Mapping[str, str]) -> AppliedRule:
    values = resource["values"]
    if "security_group_id" not in values:
        remedy = "apply the foundation, or plan over groups that are there"
        raise CheckFailedError(f"{resource['address']}: its security group is not made yet; {remedy}")
    peer, prefix_list = values.get("referenced_security_group_id"), values.get("prefix_list_id")
    return AppliedRule(
        direction=_DIRECTIONS[resource["type"]],
        group=known.get(values["security_group_id"], values["security_group_id"]),
        protocol=values["ip_protocol"],
        first=values.get("from_port"),
        last=values.get("to_port"),
        peer=known.get(peer, peer) if peer else None,
        cidr=values.get("cidr_ipv4") or values.get("cidr_ipv6"),
        prefix_list=known.get(prefix_list, prefix_list) if prefix_list else None,
    )
