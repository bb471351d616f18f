"""Verification: the live state of an environment, compared with the catalog and the call graph."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fleetform import topology
from fleetform.aws.clients import Access
from fleetform.aws.comparisons import Comparison
from fleetform.aws.live_state import LiveState, client_aliases
from fleetform.aws.service_settings import LiveSettings, setting_facts, subnet_facts
from fleetform.catalog.models import Discovery, Environment, Schedule, Service
from fleetform.topology.applied_rule import ALL_PROTOCOLS, AppliedRule


@dataclass(frozen=True)
class ServiceStatus:
    """The status of a running service.

    Attributes:
        name: The service.
        dns_name: Its discovery name, empty if it listens on no port.
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
        differences: A sentence for each difference from the catalog.
        services: The services, by name.
    """

    checks: int
    differences: tuple[str, ...]
    services: tuple[ServiceStatus, ...]


class _VerifiedState(LiveState):
    """The live state, with the parts that only verification needs."""

    def __init__(self, environment: Environment, access: Access) -> None:
        super().__init__(environment, access)
        self._access = access

    @cached_property
    def scheduler(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """EventBridge Scheduler, for environments that have a schedule."""
        return self._access.client("scheduler")

    def dns_attributes(self) -> dict[str, bool]:
        """The VPC's DNS switches by name."""
        return {
            name: self.ec2.describe_vpc_attribute(VpcId=self.vpc_id, Attribute=name)[
                name[0].upper() + name[1:]
            ]["Value"]
            for name in ("enableDnsHostnames", "enableDnsSupport")
        }

    def listeners(self) -> dict[int, str]:
        """Return the ARNs of the load balancer's listeners by port; empty without a load balancer."""
        pages = self._balancing.get_paginator("describe_load_balancers").paginate()
        found = [one for page in pages for one in page["LoadBalancers"]]
        arns = [one["LoadBalancerArn"] for one in found if one["LoadBalancerName"] == self.environment.prefix]
        answers = [self._balancing.describe_listeners(LoadBalancerArn=arn)["Listeners"] for arn in arns]
        return {one["Port"]: one["ListenerArn"] for listeners in answers for one in listeners}

    def routes(self, listener: str) -> dict[str, tuple[object, ...]]:
        """Return priority, hosts and paths of a listener's rules, by the ARN of their target group."""
        pages = self._balancing.get_paginator("describe_rules").paginate(ListenerArn=listener)
        rules = [rule for page in pages for rule in page["Rules"]]
        return {
            action["TargetGroupArn"]: (rule["Priority"], *_conditions(rule))
            for rule in rules
            for action in rule["Actions"]
            if "TargetGroupArn" in action
        }

    @cached_property
    def _balancing(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return self.access.client("elbv2")

    def registered(self, service: str) -> int:
        """Tasks that are registered under a service's name."""
        found = self.discovery_services.get(self.environment.original_name(service))
        if found is None:
            return 0
        pages = self.discovery.get_paginator("list_instances").paginate(ServiceId=found["Id"])
        return sum(len(page["Instances"]) for page in pages)

    def containers(self, service: str) -> dict[str, Mapping[str, Any]]:
        """The definitions of a service's containers by name."""
        return {
            container["name"]: container for container in self.definition(service)["containerDefinitions"]
        }

    def is_defined(self, service: str) -> bool:
        """Whether a task has a task definition."""
        family = self.environment.full_name(service)
        return bool(self.ecs.list_task_definitions(familyPrefix=family, sort="DESC")["taskDefinitionArns"])

    def schedule(self, service: str) -> tuple[str, str, str] | None:
        """Return a task's schedule: expression, time zone and state; None without one."""
        try:
            found = self.scheduler.get_schedule(Name=self.environment.full_name(service))
        except self.scheduler.exceptions.ResourceNotFoundException:
            return None
        return (found["ScheduleExpression"], found.get("ScheduleExpressionTimezone", "UTC"), found["State"])


def _conditions(rule: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    values = {
        condition["Field"]: sorted(config["Values"])
        for condition in rule["Conditions"]
        for key in ("HostHeaderConfig", "PathPatternConfig")
        if (config := condition.get(key))
    }
    return values.get("host-header", []), values.get("path-pattern", [])


def verify(environment: Environment, access: Access) -> Report:
    """Compares the running environment with the catalog.

    Raises:
        botocore.exceptions.ClientError: The API refuses to answer, for want of rights or of a cluster.
    """
    live = _VerifiedState(environment, access)
    facts = list(_comparisons(environment, live))
    differences = tuple(
        f"{fact.subject}: expected {_format(fact.expected)}, found {_format(fact.actual)}"
        for fact in facts
        if fact.expected != fact.actual
    )
    services = tuple(_status(environment, live, name) for name in sorted(environment.running))
    return Report(len(facts), differences, services)


def _format(value: object) -> str:
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    return str(value)


def _comparisons(environment: Environment, live: _VerifiedState) -> Iterator[Comparison]:
    if live.vpc_id is None:
        yield Comparison("VPC", f"one {live.expected_vpc}", "none, or several")
        return
    yield Comparison(
        "DNS of the VPC", {"enableDnsHostnames": True, "enableDnsSupport": True}, live.dns_attributes()
    )
    settings = LiveSettings(live)
    yield from subnet_facts(environment, settings)
    groups = topology.security_groups(environment)
    default = {"default"} if environment.network.vpc is None else set[str]()
    yield Comparison("security groups", default | groups.groups.keys(), set(live.groups.values()))
    yield from _rule_facts(groups, live.network, set(map(_format_rule, live.rules())))
    if environment.discovery == "dns":
        yield from _discovery_facts(environment, live)
    for name in sorted(environment.running):
        yield from _service_facts(environment, live, name)
        if name in live.ecs_services:
            yield from setting_facts(environment, live, settings, name)
    for name, service in sorted(environment.services.items()):
        if service.schedule is not None:
            yield Comparison(f"schedule of {name}", _expected_schedule(service.schedule), live.schedule(name))
        elif service.run_before:
            yield Comparison(f"task definition of {name}", "present", _presence(live.is_defined(name)))
    if environment.ingress.has_load_balancer:
        yield from _balancing_facts(environment, live)


def _balancing_facts(environment: Environment, live: _VerifiedState) -> Iterator[Comparison]:
    ports, listeners = topology.listener_ports(environment), live.listeners()
    yield Comparison("listeners", set(ports), set(listeners))
    routes = live.routes(listeners[ports[-1]]) if ports[-1] in listeners else {}
    for name, route in topology.routes(environment).items():
        joined = [
            found["targetGroupArn"] for found in live.ecs_services.get(name, {}).get("loadBalancers", [])
        ]
        expected = (str(route.priority), sorted(route.hosts), sorted(route.paths))
        yield Comparison(f"requests for {name}", [expected], [routes.get(arn) for arn in joined])


def _discovery_facts(environment: Environment, live: _VerifiedState) -> Iterator[Comparison]:
    yield Comparison(
        "discovery services", set(topology.discoverable_services(environment)), set(live.discovery_services)
    )
    current_names = environment.names_by_original
    for name, service in live.discovery_services.items():
        expected = environment.services.get(current_names.get(name, ""))
        yield Comparison(f"records of {name}", _expected_records(expected), _records(service))


def _expected_schedule(schedule: Schedule) -> tuple[str, str, str]:
    return (schedule.expression, schedule.time_zone, "ENABLED")


def _expected_records(service: Service | None) -> dict[str, object]:
    discovery = service.discovery if service is not None else Discovery()
    return {"routing": "MULTIVALUE", "records": [(discovery.record_type, discovery.ttl)]}


def _records(service: Mapping[str, Any]) -> dict[str, object]:
    # Without DNS at all: a service that is found through the API alone.
    dns = service.get("DnsConfig") or {}
    records = [(record["Type"], record["TTL"]) for record in dns.get("DnsRecords", [])]
    return {"routing": dns.get("RoutingPolicy"), "records": records}


def _format_rule(rule: AppliedRule) -> tuple[object, ...]:
    """Direction, group, protocol, port, other side."""
    port = None if rule.protocol == ALL_PROTOCOLS else rule.first
    ports = port if rule.last in {port, -1, None} else f"{rule.first}-{rule.last}"
    return (rule.direction, rule.group, rule.protocol, ports, rule.peer or rule.cidr or rule.prefix_list)


def _rule_facts(
    groups: topology.SecurityGroups, network: str | None, actual: set[tuple[object, ...]]
) -> Iterator[Comparison]:
    expected = {
        (
            direction,
            rule.group,
            rule.protocol if rule.port else ALL_PROTOCOLS,
            rule.port,
            _peer(rule, network),
        )
        for direction, rules in (("ingress", groups.ingress), ("egress", groups.egress))
        for rule in rules.values()
    }
    for rule in sorted(expected | actual, key=str):
        yield Comparison(
            f"rule {' '.join(map(str, rule))}", _presence(rule in expected), _presence(rule in actual)
        )


def _peer(rule: topology.Rule, network: str | None) -> str | None:
    return network if rule.cidr == topology.VPC else rule.peer or rule.cidr or rule.prefix_list


def _presence(present: bool) -> str:  # noqa: FBT001 - the only argument
    return "present" if present else "absent"


def _service_facts(environment: Environment, live: _VerifiedState, name: str) -> Iterator[Comparison]:
    service = live.ecs_services.get(name)
    yield Comparison(f"ECS service of {name}", "present", _presence(service is not None))
    if service is None:
        return
    entry = environment.services[name]
    yield _registration_fact(environment, live, name)
    variables = topology.container_variables(environment, name)
    containers = live.containers(name)
    yield Comparison(f"containers of {name}", {name, *entry.other_containers}, set(containers))
    found = containers.get(name, {}).get("environment", [])
    yield Comparison(f"variables of {name}", variables, {item["name"]: item["value"] for item in found})
    for container, expected in {name: entry, **entry.other_containers}.items():
        secrets = {item["name"] for item in containers.get(container, {}).get("secrets") or ()}
        yield Comparison(f"secrets of {name}/{container}", set(expected.secrets), secrets)
    yield Comparison(f"ECS Exec of {name}", entry.exec, service.get("enableExecuteCommand", False))
    yield Comparison(f"alarms of {name}", set(entry.deployment.alarms), _alarms(service))
    yield Comparison(f"running tasks of {name}", service["desiredCount"], service["runningCount"])
    if entry.listens and environment.discovery == "dns":
        yield Comparison(f"registered tasks of {name}", service["runningCount"], live.registered(name))


def _alarms(service: Mapping[str, Any]) -> set[str]:
    """The alarms that roll a deployment back."""
    alarms = service.get("deploymentConfiguration", {}).get("alarms", {})
    return set(alarms["alarmNames"]) if alarms.get("enable") else set()


def _registration_fact(environment: Environment, live: _VerifiedState, name: str) -> Comparison:
    service, port = live.ecs_services[name], environment.services[name].connect_port
    if environment.discovery == "service_connect":
        expected = [(topology.dns_name(environment, name), port)] if port else []
        return Comparison(f"name of {name} in Service Connect", expected, client_aliases(service))
    original_name = environment.original_name(name)
    registry = live.discovery_services.get(original_name, {}).get("Arn", "that of its discovery service")
    registries = [found["registryArn"] for found in service.get("serviceRegistries", [])]
    is_registered = environment.services[name].listens
    return Comparison(f"registration of {name}", [registry] if is_registered else [], registries)


def _status(environment: Environment, live: _VerifiedState, name: str) -> ServiceStatus:
    entry = environment.services[name]
    service = live.ecs_services.get(name, {})
    return ServiceStatus(
        name=name,
        dns_name=topology.dns_name(environment, name) if entry.listens else "",
        port=entry.port,
        calls=tuple(sorted({*entry.callees})),
        running=service.get("runningCount", 0),
        desired=service.get("desiredCount", 0),
        registered=live.registered(name),
    )
