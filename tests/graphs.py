"""Random call graphs, and what their environments' security groups let through."""

from typing import Any

from hypothesis import strategies as st

from fleetform import topology
from fleetform.catalog.models import CallTarget, Environment, IngressConfig, Network, Port, Service
from fleetform.topology.applied_rule import ALL_PROTOCOLS, AppliedRule
from fleetform.topology.reachability import AppliedNetwork as Reached

CIDR = "10.0.0.0/16"
NAMES = ("a", "b", "order-api", "stock", "worker")
PORTS = {"admin": Port(container_port=9090), "dns": Port(container_port=53, protocol="udp")}
INTERNET = (
    CallTarget(host="api.example.com", port=443),
    CallTarget(host="smtp.example.com", port=587),
    CallTarget(host="mail.example.com", port=587),
    CallTarget(cidr="8.8.8.0/24", port=123, protocol="udp"),
)
PRIVATE = (
    CallTarget(host="db.example.com", port=5432, cidr="10.8.0.0/16"),
    CallTarget(cidr="10.8.0.0/16", port=5432),
    CallTarget(service="payments", namespace="prod.bank.internal", port=8080, cidr="10.9.0.0/16"),
)
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


@st.composite
def environments(draw: st.DrawFn) -> Environment:
    """An environment with a graph of any shape.

    Cycles, services that call themselves, fans, ports, what is outside.
    """
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    listening = {name: draw(st.sampled_from([None, 80, 443, 8080])) for name in names}
    ports = {name: draw(st.sets(st.sampled_from(sorted(PORTS)))) for name in names}
    front, network = draw(st.sampled_from(_PLACES))
    callees: list[CallTarget] = [
        *(CallTarget(service=name) for name in names if listening[name]),
        *(CallTarget(service=name, port=port) for name in names for port in sorted(ports[name])),
        *(PRIVATE if network == _SHUT else (*PRIVATE, *INTERNET)),
    ]
    services = {
        name: Service(
            image="nginx:1.29",
            port=listening[name],
            ports={port: PORTS[port] for port in ports[name]},
            public=listening[name] is not None and draw(st.booleans()),
            calls=draw(st.lists(st.sampled_from(callees), unique_by=repr)),
        )
        for name in names
    }
    return environment(services, ingress=front, network=network)


_PUBLIC, _PRIVATE = Network(), Network(subnets="private", nat="single")
_SHUT = Network(subnets="private", endpoints=("s3", "ecr.api", "ecr.dkr", "logs"))
_PLACES = (
    (IngressConfig(), _PUBLIC),
    (IngressConfig(cidrs=("203.0.113.0/24", "10.7.0.0/16")), _PUBLIC),
    (IngressConfig(type="none"), _PRIVATE),
    (IngressConfig(type="alb", certificate=CERTIFICATE), _PRIVATE),
    (IngressConfig(type="alb"), _SHUT),
    (IngressConfig(type="internal_alb", cidrs=("10.7.0.0/16",)), _SHUT),
)


def environment(services: dict[str, Service], **values: Any) -> Environment:  # noqa: ANN401 - any of its fields
    """`dev` of `shop`, with these services."""
    fixed = {"name": "dev", "application": "shop", "account": "123456789012", "region": "eu-west-1"}
    return Environment(**{"zones": ("eu-west-1a", "eu-west-1b"), "services": services, **fixed, **values})


def reached(environment: Environment, rules: frozenset[AppliedRule]) -> Reached:
    """What the rules let through where all else is as the catalog says."""
    groups = topology.security_groups(environment)
    names = frozenset(groups.members)
    members = {
        **groups.members,
        **{key: key for key in (topology.INGRESS, topology.ENDPOINTS) if key in groups.groups},
    }
    facing = {"direct": names, "alb": {topology.INGRESS}}.get(environment.ingress.type, frozenset())
    outward = environment.network.subnets == "public" or environment.network.nat != "none"
    return Reached(
        rules=rules,
        members={name: frozenset({group}) for name, group in members.items()},
        facing=frozenset(facing),
        leaving=names if outward else frozenset(),
        listeners={topology.INGRESS: frozenset({80, 443} if environment.ingress.certificate else {80})},
        cidr=CIDR,
    )


def rules(environment: Environment) -> frozenset[AppliedRule]:
    """The rules that are asked for, as they would be applied."""
    groups = topology.security_groups(environment)
    sides = (("ingress", groups.ingress), ("egress", groups.egress))
    return frozenset(applied(side, rule) for side, found in sides for rule in found.values())


def needed(rules: frozenset[AppliedRule]) -> list[AppliedRule]:
    """The rules without those that another, for any address, makes needless."""
    wide = [rule for rule in rules if rule.cidr == topology.ANYWHERE]
    return [
        rule
        for rule in sorted(rules, key=str)
        if not any(
            (other.direction, other.group, other.protocol, other.first)
            == (rule.direction, rule.group, rule.protocol, rule.first)
            and other != rule
            for other in wide
        )
    ]


def applied(side: str, rule: topology.Rule) -> AppliedRule:
    """A rule as it would be applied."""
    protocol = ALL_PROTOCOLS if rule.port is None else rule.protocol
    cidr = CIDR if rule.cidr == topology.VPC else rule.cidr
    return AppliedRule(side, rule.group, protocol, rule.port, rule.port, rule.peer, cidr, rule.prefix_list)
