"""The live state of an environment: what AWS's API reports, and which calls its security groups allow."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform import topology
from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError
from fleetform.base.program_name import command
from fleetform.catalog.models import Environment
from fleetform.topology.applied_rule import AppliedRule

ANYWHERE = (topology.ANYWHERE, "::/0")
# Service names a call: API reference, DescribeServices.
_DESCRIBED_SERVICES = 10
# Values a filter: EC2 API's developer guide, "Limits" of filtering.
_FILTER_VALUES = 200


def _without_waits(container: Mapping[str, Any], removed: set[str]) -> Mapping[str, Any]:
    """Return a container without its waits for removed ones."""
    waits = container.get("dependsOn") or ()
    remaining = [wait for wait in waits if wait["containerName"] not in removed]
    return container if len(remaining) == len(waits) else {**container, "dependsOn": remaining}


@dataclass(frozen=True)
class AppliedService:
    """An ECS service as it is applied.

    Attributes:
        name: The service.
        desired_count: Tasks that should run.
        definition: Its task definition, as DescribeTaskDefinition answers.
        dns_name: Its name in Cloud Map or Service Connect; None without one.
        groups: Keys of its tasks' security groups, sorted.
    """

    name: str
    desired_count: int
    definition: Mapping[str, Any]
    dns_name: str | None
    groups: tuple[str, ...]

    def ports(self, protocol: str = "tcp") -> tuple[int, ...]:
        """The ports of its containers, sorted."""
        mappings = [
            mapping for container in self.containers for mapping in container.get("portMappings") or ()
        ]
        ports = {
            mapping["containerPort"] for mapping in mappings if mapping.get("protocol", "tcp") == protocol
        }
        return tuple(sorted(ports))

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The containers of its task definition, without a log router.

        On this machine, output stays where it is.
        """
        containers: list[Mapping[str, Any]] = self.definition["containerDefinitions"]
        routers = {container["name"] for container in containers if container.get("firelensConfiguration")}
        return [
            _without_waits(container, routers) for container in containers if container["name"] not in routers
        ]


@dataclass(frozen=True)
class AppliedEnvironment:
    """An environment as it is applied.

    Attributes:
        services: The services, by name.
        rules: All rules of all its security groups.
        network: The VPC's network, such as `10.0.0.0/16`.
    """

    services: tuple[AppliedService, ...]
    rules: frozenset[AppliedRule]
    network: str

    def service(self, name: str) -> AppliedService:
        """The service of this name."""
        return next(service for service in self.services if service.name == name)

    def allows(self, caller: str, callee: str, protocol: str = "tcp") -> tuple[int, ...]:
        """The callee's ports that both the callee's ingress and the caller's egress let through.

        A rule for a part of the VPC's network counts as one for all of it: a hole is shown rather than
        hidden.
        """
        source, target = self.service(caller), self.service(callee)
        return tuple(
            port
            for port in target.ports(protocol)
            if self._lets("ingress", target, source, port, protocol)
            and self._lets("egress", source, target, port, protocol)
        )

    def public(self, name: str) -> tuple[int, ...]:
        """The TCP ports of a service that are open to everyone, directly or through a load balancer."""
        service = self.service(name)
        front = self._front
        rules = [
            rule for rule in self._rules("ingress", service) if rule.cidr in ANYWHERE or rule.peer in front
        ]
        return tuple(port for port in service.ports() if any(rule.covers(port) for rule in rules))

    def outward(self, name: str) -> bool:
        """Whether a service may call anything outside the VPC, on any port."""
        return any(
            rule.cidr and not self._within(rule.cidr) for rule in self._rules("egress", self.service(name))
        )

    @property
    def _front(self) -> set[str]:
        """The groups that are open to everyone and no service's: load balancers'."""
        own = {group for service in self.services for group in service.groups}
        return {
            rule.group for rule in self.rules if rule.direction == "ingress" and rule.cidr in ANYWHERE
        } - own

    def _lets(
        self, direction: str, service: AppliedService, other: AppliedService, port: int, protocol: str
    ) -> bool:
        return any(
            rule.covers(port, protocol) and (rule.peer in other.groups or self._inside(rule.cidr))
            for rule in self._rules(direction, service)
        )

    def _rules(self, direction: str, service: AppliedService) -> list[AppliedRule]:
        return [rule for rule in self.rules if rule.direction == direction and rule.group in service.groups]

    def _inside(self, cidr: str | None) -> bool:
        """Whether some of the VPC's addresses are of a network."""
        if cidr is None:
            return False
        network = ipaddress.ip_network(cidr, strict=False)
        return network.version == 4 and network.overlaps(ipaddress.IPv4Network(self.network))  # noqa: PLR2004 - IPv4

    def _within(self, cidr: str) -> bool:
        """Whether all addresses of a network are of the VPC's."""
        network = ipaddress.ip_network(cidr, strict=False)
        return network.version == 4 and network.subnet_of(ipaddress.IPv4Network(self.network))  # noqa: PLR2004 - IPv4


class LiveState:
    """The live state of an environment, as the API reports it. Each part is read once."""

    def __init__(self, environment: Environment, access: Access) -> None:
        self.environment = environment
        self.access = access
        self.ec2 = access.client("ec2")
        self.ecs = access.client("ecs")
        self.discovery = access.client("servicediscovery")

    @property
    def _tags(self) -> dict[str, str]:
        """The tags that identify the environment's resources."""
        own = {"application": self.environment.application, "environment": self.environment.name}
        return {key: self.environment.tags.get(key, value) for key, value in own.items()}

    @cached_property
    def vpc(self) -> Mapping[str, Any] | None:
        """The environment's VPC; None if it is absent or ambiguous."""
        vpc = self.environment.network.vpc
        if vpc is None:
            filters = _with_tag({"Name": self.environment.prefix, "environment": self._tags["environment"]})
        else:
            filters = _with_tag(vpc.tags) if vpc.id is None else [{"Name": "vpc-id", "Values": [vpc.id]}]
        found = self.ec2.describe_vpcs(Filters=filters)["Vpcs"]
        return found[0] if len(found) == 1 else None

    @property
    def expected_vpc(self) -> str:
        """How the VPC is identified, in words that follow `VPC`."""
        vpc = self.environment.network.vpc
        if vpc is None:
            return f"named {self.environment.prefix}"
        return vpc.id or "tagged " + ", ".join(f"{key}={value}" for key, value in sorted(vpc.tags.items()))

    @property
    def vpc_id(self) -> str | None:
        """The VPC's id."""
        return self.vpc["VpcId"] if self.vpc else None

    @property
    def network(self) -> str | None:
        """The VPC's network."""
        return self.vpc["CidrBlock"] if self.vpc else None

    @cached_property
    def prefix_lists(self) -> dict[str, str]:
        """The AWS service of each managed prefix list, such as `s3`, by the list's id."""
        pages = self.ec2.get_paginator("describe_prefix_lists").paginate()
        found = [listed for page in pages for listed in page["PrefixLists"]]
        return {listed["PrefixListId"]: listed["PrefixListName"].rpartition(".")[2] for listed in found}

    @cached_property
    def groups(self) -> dict[str, str]:
        """Key of each security group of the VPC by its id; `default` for the VPC's own.

        Of a VPC that exists already, only the environment's own groups.
        """
        prefix = f"{self.environment.prefix}-"
        filters = [{"Name": "vpc-id", "Values": [self.vpc_id]}]
        if self.environment.network.vpc is not None:
            filters += _with_tag(self._tags)
        pages = self.ec2.get_paginator("describe_security_groups").paginate(Filters=filters)
        found = [group for page in pages for group in page["SecurityGroups"]]
        tags = {
            group["GroupId"]: {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])} for group in found
        }
        return {
            group["GroupId"]: "default"
            if group["GroupName"] == "default"
            else tags[group["GroupId"]].get("Name", group["GroupName"]).removeprefix(prefix)
            for group in found
        }

    def rules(self) -> frozenset[AppliedRule]:
        """Every rule of every group."""
        paginator = self.ec2.get_paginator("describe_security_group_rules")
        return frozenset(
            self._rule(rule)
            for ids in _batches(sorted(self.groups), _FILTER_VALUES)
            for page in paginator.paginate(Filters=[{"Name": "group-id", "Values": ids}])
            for rule in page["SecurityGroupRules"]
        )

    def _rule(self, rule: Mapping[str, Any]) -> AppliedRule:
        peer = rule.get("ReferencedGroupInfo", {}).get("GroupId")
        prefix_list = rule.get("PrefixListId")
        return AppliedRule(
            direction="egress" if rule["IsEgress"] else "ingress",
            group=self.groups[rule["GroupId"]],
            protocol=rule["IpProtocol"],
            first=rule.get("FromPort"),
            last=rule.get("ToPort"),
            peer=self.groups.get(peer, peer) if peer else None,
            cidr=rule.get("CidrIpv4") or rule.get("CidrIpv6"),
            prefix_list=self.prefix_lists.get(prefix_list, prefix_list) if prefix_list else None,
        )

    @cached_property
    def discovery_services(self) -> dict[str, Mapping[str, Any]]:
        """The namespace's discovery services by name; empty without a namespace."""
        ids = self._namespaces()
        if len(ids) != 1:
            return {}
        filters = [{"Name": "NAMESPACE_ID", "Values": ids, "Condition": "EQ"}]
        pages = self.discovery.get_paginator("list_services").paginate(Filters=filters)
        summaries = [found for page in pages for found in page["Services"]]
        return {found["Name"]: self.discovery.get_service(Id=found["Id"])["Service"] for found in summaries}

    def _namespaces(self) -> list[str]:
        """The namespaces that may be the environment's."""
        if self.environment.namespace_arn is not None:
            return [self.environment.namespace_arn.rpartition("/")[2]]
        name = topology.namespace(self.environment)
        pages = self.discovery.get_paginator("list_namespaces").paginate()
        return [found["Id"] for page in pages for found in page["Namespaces"] if found["Name"] == name]

    @cached_property
    def ecs_services(self) -> dict[str, Mapping[str, Any]]:
        """The running ECS services by the catalog's names."""
        names = {self.environment.full_name(name): name for name in self.environment.running}
        found = []
        for some in _batches(sorted(names), _DESCRIBED_SERVICES):
            answer = self.ecs.describe_services(cluster=self.environment.prefix, services=some)
            found += [service for service in answer["services"] if service["status"] == "ACTIVE"]
        return {names[service["serviceName"]]: service for service in found}

    def definition(self, service: str) -> Mapping[str, Any]:
        """The task definition that a running service has now."""
        arn = self.ecs_services[service]["taskDefinition"]
        definition: Mapping[str, Any] = self.ecs.describe_task_definition(taskDefinition=arn)[
            "taskDefinition"
        ]
        return definition


def _with_tag(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return EC2 filters for resources with all of these tags."""
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]


def client_aliases(service: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The names and ports that a running service's callers find it by in Service Connect."""
    primary = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
    offered = primary.get("serviceConnectConfiguration", {}).get("services", [])
    return [(alias["dnsName"], alias["port"]) for each in offered for alias in each.get("clientAliases", [])]


def _batches(names: list[str], size: int) -> Iterator[list[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))


def read_applied(environment: Environment, access: Access) -> AppliedEnvironment:
    """Read the live state of an environment. The catalog only names the expected services.

    Raises:
        ProgramError: It is not applied, or not all of it, or AWS does not answer as it should.
    """
    try:
        return _to_applied(LiveState(environment, access))
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"{error}; check that `{environment.name}` is applied, and the credentials"
        ) from None


def _to_applied(live: LiveState) -> AppliedEnvironment:
    environment = live.environment
    remedy = f"; `{command('apply', env=environment.name)}` creates it"
    if live.vpc is None:
        raise ProgramError(f"{environment.name}: no VPC {live.expected_vpc}, or several{remedy}")
    if missing := sorted(environment.running.keys() - live.ecs_services):
        raise ProgramError(f"{environment.name}: not applied yet: {', '.join(missing)}{remedy}")
    services = tuple(_service(live, name) for name in sorted(environment.running))
    return AppliedEnvironment(services, live.rules(), live.vpc["CidrBlock"])


def _service(live: LiveState, name: str) -> AppliedService:
    service = live.ecs_services[name]
    network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    groups = {live.groups.get(group, group) for group in network.get("securityGroups") or ()}
    return AppliedService(
        name=name,
        desired_count=service["desiredCount"],
        definition=live.definition(name),
        dns_name=_dns_name(live, service),
        groups=tuple(sorted(groups)) or ("default",),  # AWS's choice where none is given
    )


def _dns_name(live: LiveState, service: Mapping[str, Any]) -> str | None:
    if live.environment.discovery == "service_connect":
        return next((name for name, _ in client_aliases(service)), None)
    arns = {registry["registryArn"] for registry in service.get("serviceRegistries", [])}
    names = [name for name, found in live.discovery_services.items() if found["Arn"] in arns]
    return f"{names[0]}.{topology.namespace(live.environment)}" if names else None
