"""Security groups and their rules: the call graph is their only source."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleetform.catalog.models import Environment
from fleetform.topology.calls import Call, calls
from fleetform.topology.names import under_first_names

ANYWHERE = "0.0.0.0/0"

# Image pulls, logs and the AWS APIs are HTTPS.
_HTTPS = 443


@dataclass(frozen=True)
class Rule:
    """A security group rule, of one direction.

    Attributes:
        group: Key of the group that it belongs to.
        description: What EC2 shows; of the characters that EC2 allows.
        peer: Key of the group on the other side, or None.
        cidr: The network on the other side, or None. Just one of `peer` and `cidr` is given.
        port: TCP port, or None for every protocol and port.
    """

    group: str
    description: str
    peer: str | None = None
    cidr: str | None = None
    port: int | None = None


@dataclass(frozen=True)
class SecurityGroups:
    """All security groups of an environment.

    Attributes:
        groups: Description by the group's key.
        ingress: Ingress rules by key.
        egress: Egress rules by key.
        members: The key of each service's group by the service's name.
    """

    groups: Mapping[str, str]
    ingress: Mapping[str, Rule]
    egress: Mapping[str, Rule]
    members: Mapping[str, str]


def security_groups(environment: Environment) -> SecurityGroups:
    """The groups and rules that the environment's security mode makes, named by the services' first names."""
    known = under_first_names(environment)
    found = _shared(known) if known.security == "shared" else _edges(known)
    members = {
        name: found.members[environment.first_name(name)]
        for name in sorted(environment.services, key=environment.first_name)
    }
    return replace(found, members=members)


def _shared(environment: Environment) -> SecurityGroups:
    """One group for all services, open within itself, to the internet on public ports, and outwards."""
    group = "app"
    ports = sorted({port for _, port in _public_ports(environment)})
    public = {f"internet->{group}:{port}": Rule(group, _any_to(port), cidr=ANYWHERE, port=port) for port in ports}
    return SecurityGroups(
        groups={group: "Security Group for Application"},
        ingress={f"{group}->{group}": Rule(group, "Allow from This", peer=group), **public},
        egress={f"{group}->internet": Rule(group, "Allow to Any", cidr=ANYWHERE)},
        members=dict.fromkeys(sorted(environment.services), group),
    )


def _any_to(port: int) -> str:
    http = 80
    return f"Allow from Any {'HTTP' if port == http else port}"


def _edges(environment: Environment) -> SecurityGroups:
    """A group for each service; between services, just the declared calls are open."""
    names = sorted(environment.services)
    edges = calls(environment)
    public = {
        f"internet->{name}:{port}": Rule(name, f"Anyone calls {name}", cidr=ANYWHERE, port=port)
        for name, port in _public_ports(environment)
    }
    https = {
        f"{name}->internet:{_HTTPS}": Rule(name, f"{name} pulls its image and calls AWS", cidr=ANYWHERE, port=_HTTPS)
        for name in names
    }
    return SecurityGroups(
        groups={name: f"Tasks of {name}" for name in names},
        ingress=public
        | {call.key: Rule(call.callee, _sentence(call), peer=call.caller, port=call.port) for call in edges},
        egress=https
        | {call.key: Rule(call.caller, _sentence(call), peer=call.callee, port=call.port) for call in edges},
        members={name: name for name in names},
    )


def _sentence(call: Call) -> str:
    return f"{call.caller} calls {call.callee}"


def _public_ports(environment: Environment) -> list[tuple[str, int]]:
    services = sorted(environment.services.items())
    return [(name, service.port) for name, service in services if service.public and service.port is not None]
