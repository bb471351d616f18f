"""Verification: what AWS's API says of a running environment, held against the catalog and the call graph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fleetform import topology
from fleetform.aws import Access
from fleetform.catalog.models import Environment

_ALL_PROTOCOLS = "-1"
# Service names a call: API reference, DescribeServices.
_DESCRIBED_SERVICES = 10
# Values a filter: EC2 API's developer guide, "Limits" of filtering.
_FILTER_VALUES = 200


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


class _Reality:
    """What the API says of an environment. Every reading is made once."""

    def __init__(self, environment: Environment, access: Access) -> None:
        self._environment = environment
        self._ec2 = access.client("ec2")
        self._ecs = access.client("ecs")
        self._discovery = access.client("servicediscovery")

    @cached_property
    def vpc_id(self) -> str | None:
        filters = [
            {"Name": "tag:Name", "Values": [self._environment.prefix]},
            {"Name": "tag:environment", "Values": [self._environment.tags.get("environment", self._environment.name)]},
        ]
        found = self._ec2.describe_vpcs(Filters=filters)["Vpcs"]
        return found[0]["VpcId"] if len(found) == 1 else None

    def dns_attributes(self) -> dict[str, bool]:
        """The VPC's DNS switches by name."""
        return {
            name: self._ec2.describe_vpc_attribute(VpcId=self.vpc_id, Attribute=name)[name[0].upper() + name[1:]][
                "Value"
            ]
            for name in ("enableDnsHostnames", "enableDnsSupport")
        }

    @cached_property
    def groups(self) -> dict[str, str]:
        """Key of each security group of the VPC by its id; `default` for the VPC's own."""
        prefix = f"{self._environment.prefix}-"
        pages = self._ec2.get_paginator("describe_security_groups").paginate(Filters=self._in_vpc("vpc-id"))
        found = [group for page in pages for group in page["SecurityGroups"]]
        tags = {group["GroupId"]: {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])} for group in found}
        return {
            group["GroupId"]: "default"
            if group["GroupName"] == "default"
            else tags[group["GroupId"]].get("Name", group["GroupName"]).removeprefix(prefix)
            for group in found
        }

    def _in_vpc(self, name: str) -> list[dict[str, object]]:
        return [{"Name": name, "Values": [self.vpc_id]}]

    def rules(self) -> set[tuple[object, ...]]:
        """Every rule of every group: direction, group, protocol, port, other side."""
        paginator = self._ec2.get_paginator("describe_security_group_rules")
        return {
            self._rule(rule)
            for ids in _batches(sorted(self.groups), _FILTER_VALUES)
            for page in paginator.paginate(Filters=[{"Name": "group-id", "Values": ids}])
            for rule in page["SecurityGroupRules"]
        }

    def _rule(self, rule: Mapping[str, Any]) -> tuple[object, ...]:
        peer = rule.get("ReferencedGroupInfo", {}).get("GroupId")
        other = self.groups.get(peer, peer) if peer else rule.get("CidrIpv4") or rule.get("CidrIpv6")
        port = None if rule["IpProtocol"] == _ALL_PROTOCOLS else rule["FromPort"]
        if rule.get("ToPort") not in {port, -1, None}:
            port = f"{rule['FromPort']}-{rule['ToPort']}"
        direction = "egress" if rule["IsEgress"] else "ingress"
        return (direction, self.groups[rule["GroupId"]], rule["IpProtocol"], port, other)

    @cached_property
    def discovery_services(self) -> dict[str, Mapping[str, Any]]:
        """The namespace's discovery services by name; empty if there is no namespace."""
        name = topology.namespace(self._environment)
        namespaces = self._discovery.get_paginator("list_namespaces").paginate()
        ids = [found["Id"] for page in namespaces for found in page["Namespaces"] if found["Name"] == name]
        if len(ids) != 1:
            return {}
        filters = [{"Name": "NAMESPACE_ID", "Values": ids, "Condition": "EQ"}]
        pages = self._discovery.get_paginator("list_services").paginate(Filters=filters)
        summaries = [found for page in pages for found in page["Services"]]
        return {found["Name"]: self._discovery.get_service(Id=found["Id"])["Service"] for found in summaries}

    def registered(self, service: str) -> int:
        """Tasks that are registered under a service's name."""
        found = self.discovery_services.get(service)
        if found is None:
            return 0
        pages = self._discovery.get_paginator("list_instances").paginate(ServiceId=found["Id"])
        return sum(len(page["Instances"]) for page in pages)

    @cached_property
    def ecs_services(self) -> dict[str, Mapping[str, Any]]:
        """The running ECS services by the catalog's names."""
        names = {f"{self._environment.prefix}-{name}": name for name in self._environment.services}
        found = []
        for some in _batches(sorted(names), _DESCRIBED_SERVICES):
            answer = self._ecs.describe_services(cluster=self._environment.prefix, services=some)
            found += [service for service in answer["services"] if service["status"] == "ACTIVE"]
        return {names[service["serviceName"]]: service for service in found}

    def variables(self, service: str) -> dict[str, str]:
        """The variables of the container that is named as its service; none if no container is."""
        arn = self.ecs_services[service]["taskDefinition"]
        answer = self._ecs.describe_task_definition(taskDefinition=arn)
        containers: list[Mapping[str, Any]] = answer["taskDefinition"]["containerDefinitions"]
        return {
            item["name"]: item["value"]
            for container in containers
            if container["name"] == service
            for item in container.get("environment", [])
        }


def _batches(names: list[str], size: int) -> Iterator[list[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))


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
    yield from _rule_facts(groups, reality.rules())
    yield _Fact("discovery services", set(topology.discoverable(environment)), set(reality.discovery_services))
    for name, service in reality.discovery_services.items():
        yield _Fact(f"records of {name}", _RECORDS, _records(service))
    for name in sorted(environment.services):
        yield from _service_facts(environment, reality, name)


_RECORDS = {"routing": "MULTIVALUE", "records": [("A", topology.TTL_SECONDS)]}


def _records(service: Mapping[str, Any]) -> dict[str, object]:
    # Without DNS at all: a service that is found through the API alone.
    dns = service.get("DnsConfig") or {}
    records = [(record["Type"], record["TTL"]) for record in dns.get("DnsRecords", [])]
    return {"routing": dns.get("RoutingPolicy"), "records": records}


def _rule_facts(groups: topology.SecurityGroups, actual: set[tuple[object, ...]]) -> Iterator[_Fact]:
    expected = {
        (direction, rule.group, "tcp" if rule.port else _ALL_PROTOCOLS, rule.port, rule.peer or rule.cidr)
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
    registry = reality.discovery_services.get(name, {}).get("Arn", "that of its discovery service")
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
        calls=tuple(sorted(entry.calls)),
        running=service.get("runningCount", 0),
        desired=service.get("desiredCount", 0),
        registered=reality.registered(name),
    )
