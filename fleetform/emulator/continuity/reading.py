"""Reads the world from the emulator's state."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, cast

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecr.models import ecr_backends
from moto.ecs import models as ecs
from moto.elbv2.models import ELBv2Backend, elbv2_backends
from moto.servicediscovery.models import servicediscovery_backends

from fleetform.emulator.continuity.world import Route, Rule, Service, Task, World
from fleetform.emulator.gaps.tasks import ServiceTask, tasks_of

# ECR's own hosts, and the emulator's registry on loopback.
_ECR_IMAGE = re.compile(
    r"(?:\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com|(?:127\.0\.0\.1|localhost):\d+)/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)


def read_world(account: str, region: str, cluster: str) -> World:
    """Return what runs in a cluster, and all that it may need."""
    ec2 = ec2_backends[account][region]
    backend = ecs.ecs_backends[account][region]
    return World(
        services={
            service.name: _service(account, region, backend, service)
            for service in backend.services.values()
            if service.cluster_name == cluster
        },
        subnets=frozenset(subnet for subnets in ec2.subnets.values() for subnet in subnets),
        rules=frozenset(_rules(ec2)),
        names=_names(account, region),
        routes=tuple(_routes(elbv2_backends[account][region])),
        images=frozenset(
            f"{repository.name}{reference}"
            for repository in ecr_backends[account][region].repositories.values()
            for image in repository.images
            for reference in (f"@{image.image_digest}", *(f":{tag}" for tag in image.image_tags))
        ),
    )


def _service(
    account: str, region: str, backend: ecs.EC2ContainerServiceBackend, service: ecs.Service
) -> Service:
    scaling = applicationautoscaling_backends[account][region]
    resource = f"service/{service.cluster_name}/{service.name}"
    connect = vars(service).get("service_connect_configuration") or {}
    return Service(
        status=service.status,
        desired_count=service.desired_count,
        tasks=tuple(_task(account, region, backend, task) for task in tasks_of(service)),
        is_scaled=any(resource in targets for targets in scaling.targets.values())
        and any(policy.resource_id == resource for policy in scaling.policies.values()),
        is_connected=bool(connect.get("enabled")),
        aliases=frozenset(
            alias["dnsName"]
            for each in connect.get("services", ())
            for alias in each.get("clientAliases", ())
        ),
    )


def _task(account: str, region: str, backend: ecs.EC2ContainerServiceBackend, task: ServiceTask) -> Task:
    definition = backend.describe_task_definition(task.task_definition)
    containers = cast("list[dict[str, Any]]", definition.container_definitions)
    interface = ec2_backends[account][region].enis.get(task.interface)
    return Task(
        id=task.id,
        address=task.address,
        subnet=task.subnet,
        groups=frozenset(task.groups),
        ports=frozenset(
            (mapping.get("protocol", "tcp"), mapping["containerPort"])
            for container in containers
            for mapping in container.get("portMappings") or ()
        ),
        images=frozenset(filter(None, (_image(container["image"]) for container in containers))),
        is_public=interface is not None and bool(interface.public_ip),
    )


def _image(name: str) -> str | None:
    """Return an image in ECR as `repository@digest` or `repository:tag`; None for any other."""
    match = _ECR_IMAGE.fullmatch(name)
    if match is None:
        return None
    reference = f"@{match['digest']}" if match["digest"] else f":{match['tag'] or 'latest'}"
    return match["repository"] + reference


def _rules(ec2: EC2Backend) -> Iterator[Rule]:
    for groups in ec2.groups.values():
        for group in groups.values():
            yield from (_rule("ingress", group.id, rule) for rule in group.ingress_rules)
            yield from (_rule("egress", group.id, rule) for rule in group.egress_rules)


def _rule(direction: str, group: str, rule: SecurityGroupRule) -> Rule:
    return Rule(
        direction=direction,
        group=group,
        protocol=str(rule.ip_protocol),
        first=rule.from_port,
        last=rule.to_port,
        peer=rule.source_group.get("GroupId"),
        cidr=rule.cidr_ipv4 or rule.cidr_ipv6,
    )


def _names(account: str, region: str) -> Mapping[str, frozenset[str]]:
    cloud_map = servicediscovery_backends[account][region]
    names: dict[str, frozenset[str]] = {}
    for service in cloud_map.services.values():
        namespace = cloud_map.namespaces.get(service.namespace_id)
        if namespace:
            name = f"{service.name}.{namespace.name}"
            names[name] = names.get(name, frozenset()) | {each.instance_id for each in service.instances}
    return names


def _routes(balancing: ELBv2Backend) -> Iterator[Route]:
    for balancer in balancing.load_balancers.values():
        rules = chain.from_iterable(listener.rules.values() for listener in balancer.listeners.values())
        arns = {
            arn
            for rule in rules
            for action in rule.actions
            for arn in balancing._get_target_group_arns_from(action_data=action.data)  # noqa: SLF001 -- it has no other name
        }
        for arn in sorted(arns & balancing.target_groups.keys()):
            targets = balancing.target_groups[arn].targets.values()
            yield Route(
                groups=frozenset(balancer.security_groups or ()),
                targets=frozenset((target["Id"], int(target["Port"])) for target in targets),
            )
