"""Verification: what AWS's API says of a running environment, held against the catalog and the call graph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleetform import topology
from fleetform.applied import ALL_PROTOCOLS, AppliedRule, Reality
from fleetform.aws import Access
from fleetform.catalog.models import Discovery, Environment, Service


@dataclass(frozen=True)
class ServiceStatus:
    """What is known of a running service.

    Attributes:
        name: The service.
        dns_name: Its discovery name, empty if it has no port.
        port: Its port, if it has one.
        calls: The services that it calls.
        running: Tasks that run.
        desired: Tasks that should run.
        registered: Tasks that its discovery name leads to.
    """

    name: str
    dns_name: str
    port: int | None
    calls: tuple[str, ...]
    running: int
    desired: int
    registered: int


@dataclass(frozen=True)
class Report:
    """The result of a verification.

    Attributes:
        checks: Number of facts that were compared.
        differences: A sentence for each fact that is not as the catalog says.
        services: The services, by name.
    """

    checks: int
    differences: tuple[str, ...]
    services: tuple[ServiceStatus, ...]


@dataclass(frozen=True)
class _Fact:
    """Something that the API says, beside what the catalog says."""

    subject: str
    expected: object
    actual: object


class _Reality(Reality):
    """What the API says, with what nothing but a comparison needs."""

    def dns_attributes(self) -> dict[str, bool]:
        """The VPC's DNS switches by name."""
        return {
            name: self.ec2.describe_vpc_attribute(VpcId=self.vpc_id, Attribute=name)[name[0].upper() + name[1:]][
                "Value"
            ]
            for name in ("enableDnsHostnames", "enableDnsSupport")
        }

    def registered(self, service: str) -> int:
        """Tasks that are registered under a service's name."""
        found = self.discovery_services.get(self.environment.first_name(service))
        if found is None:
            return 0
        pages = self.discovery.get_paginator("list_instances").paginate(ServiceId=found["Id"])
        return sum(len(page["Instances"]) for page in pages)

    def variables(self, service: str) -> dict[str, str]:
        """The variables of the container that is named as its service; none if no container is."""
        containers: list[Mapping[str, Any]] = self.definition(service)["containerDefinitions"]
        return {
            item["name"]: item["value"]
            for container in containers
            if container["name"] == service
            for item in container.get("environment", [])
        }


def verify(environment: Environment, access: Access) -> Report:
    """Compares the running environment with the catalog.

    Raises:
        botocore.exceptions.ClientError: The API refuses to answer, for want of rights or of a cluster.
    """
    reality = _Reality(environment, access)
    facts = list(_facts(environment, reality))
    differences = tuple(
        f"{fact.subject}: expected {_shown(fact.expected)}, found {_shown(fact.actual)}"
        for fact in facts
        if fact.expected != fact.actual
    )
    services = tuple(_status(environment, reality, name) for name in sorted(environment.services))
    return Report(len(facts), differences, services)


def _shown(value: object) -> str:
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    return str(value)


def _facts(environment: Environment, reality: _Reality) -> Iterator[_Fact]:
    if reality.vpc_id is None:
        yield _Fact("VPC", f"one named {environment.prefix}", "none, or several")
        return
    yield _Fact("DNS of the VPC", {"enableDnsHostnames": True, "enableDnsSupport": True}, reality.dns_attributes())
    groups = topology.security_groups(environment)
    yield _Fact("security groups", {"default", *groups.groups}, set(reality.groups.values()))
    yield from _rule_facts(groups, set(map(_shown_rule, reality.rules())))
    yield _Fact("discovery services", set(topology.discoverable(environment)), set(reality.discovery_services))
    current = {environment.first_name(name): service for name, service in environment.services.items()}
    for name, service in reality.discovery_services.items():
        yield _Fact(f"records of {name}", _wanted_records(current.get(name)), _records(service))
    for name in sorted(environment.services):
        yield from _service_facts(environment, reality, name)


def _wanted_records(service: Service | None) -> dict[str, object]:
    discovery = service.discovery if service is not None else Discovery()
    return {"routing": "MULTIVALUE", "records": [(discovery.record_type, discovery.ttl)]}


def _records(service: Mapping[str, Any]) -> dict[str, object]:
    # Without DNS at all: a service that is found through the API alone.
    dns = service.get("DnsConfig") or {}
    records = [(record["Type"], record["TTL"]) for record in dns.get("DnsRecords", [])]
    return {"routing": dns.get("RoutingPolicy"), "records": records}


def _shown_rule(rule: AppliedRule) -> tuple[object, ...]:
    """Direction, group, protocol, port, other side."""
    port = None if rule.protocol == ALL_PROTOCOLS else rule.first
    ports = port if rule.last in {port, -1, None} else f"{rule.first}-{rule.last}"
    return (rule.direction, rule.group, rule.protocol, ports, rule.peer or rule.cidr)


def _rule_facts(groups: topology.SecurityGroups, actual: set[tuple[object, ...]]) -> Iterator[_Fact]:
    expected = {
        (direction, rule.group, "tcp" if rule.port else ALL_PROTOCOLS, rule.port, rule.peer or rule.cidr)
        for direction, rules in (("ingress", groups.ingress), ("egress", groups.egress))
        for rule in rules.values()
    }
    for rule in sorted(expected | actual, key=str):
        yield _Fact(f"rule {' '.join(map(str, rule))}", _presence(rule in expected), _presence(rule in actual))


def _presence(present: bool) -> str:  # noqa: FBT001 - the only argument
    return "present" if present else "absent"


def _service_facts(environment: Environment, reality: _Reality, name: str) -> Iterator[_Fact]:
    service = reality.ecs_services.get(name)
    yield _Fact(f"ECS service of {name}", "present", _presence(service is not None))
    if service is None:
        return
    entry = environment.services[name]
    registry = reality.discovery_services.get(environment.first_name(name), {}).get(
        "Arn", "that of its discovery service"
    )
    registries = [found["registryArn"] for found in service.get("serviceRegistries", [])]
    yield _Fact(f"registration of {name}", [registry] if entry.port else [], registries)
    port = {"PORT": str(entry.port)} if entry.port else {}
    variables = {**port, **entry.environment, **topology.urls(environment, name)}
    yield _Fact(f"variables of {name}", variables, reality.variables(name))
    yield _Fact(f"running tasks of {name}", service["desiredCount"], service["runningCount"])
    if entry.port:
        yield _Fact(f"registered tasks of {name}", service["runningCount"], reality.registered(name))


def _status(environment: Environment, reality: _Reality, name: str) -> ServiceStatus:
    entry = environment.services[name]
    service = reality.ecs_services.get(name, {})
    return ServiceStatus(
        name=name,
        dns_name=topology.dns_name(environment, name) if entry.port else "",
        port=entry.port,
        calls=tuple(sorted(entry.callees)),
        running=service.get("runningCount", 0),
        desired=service.get("desiredCount", 0),
        registered=reality.registered(name),
    )
