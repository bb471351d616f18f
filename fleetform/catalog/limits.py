"""Checks against AWS's tables and quotas, each with its source.

Quotas that AWS raises on request are no problems but notices: see notices.py.
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping

from fleetform.catalog.checks import Locator, Services, locator
from fleetform.catalog.models import SUBNET_PREFIX, Container, Environment, Service
from fleetform.catalog.nodes import Node
from fleetform.errors import Problem

_GIB = 1024
# Task size, in MiB by CPU units: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
_TASK_DEFINITION_BYTES = 64 * 1024
_CONTAINERS = 10

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: a role's name, and its inline policies.
# ECS (255 characters), CloudWatch Logs (512), ECR (256), Cloud Map (255 with the namespace) and the Scheduler (64)
# have room for all names that leave room for the role's suffix.
_ROLE_NAME = 64
_ROLE_SUFFIX = "-execution"
_ROLE_POLICY_CHARACTERS = 10_240

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
_BALANCER_NAME = 32
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
_CONDITION_VALUES = 5

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET_NAME = 63

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html; the modules add `Name`.
_TAGS = 50
_OWN_TAGS = ("application", "environment", "Name")


def check_service_limits(services: Services, tree: Node) -> Iterator[Problem]:
    """What AWS allows each sound service."""
    for name, service in services.items():
        at = locator(tree, "services", name)
        yield from _check_size(service, at)
        yield from _check_sidecar_sizes(service, at)
        yield from _check_task_definition(name, service, at)
        yield from _check_task_role(service, at)
        if service.ingress is not None and len(service.ingress.paths) + len(service.ingress.hosts) > _CONDITION_VALUES:
            message = f"a rule of a load balancer has {_CONDITION_VALUES} paths and hosts at most"
            yield Problem(at("ingress", key=True), message, "join some with wildcards")


def _check_size(service: Service, at: Locator) -> Iterator[Problem]:
    if service.cpu not in FARGATE_MEMORY:
        legal = ", ".join(map(str, FARGATE_MEMORY))
        yield Problem(at("cpu"), f"Fargate has no tasks of {service.cpu} CPU units", f"it has {legal}")
    elif service.memory not in FARGATE_MEMORY[service.cpu]:
        legal = ", ".join(map(str, FARGATE_MEMORY[service.cpu]))
        message = f"Fargate has no tasks of {service.cpu} CPU units with {service.memory} MiB"
        place = at("memory" if "memory" in service.model_fields_set else "cpu")
        yield Problem(place, message, f"set `memory` to one of {legal}")


def _check_sidecar_sizes(service: Service, at: Locator) -> Iterator[Problem]:
    if len(service.sidecars) >= _CONTAINERS:
        message = f"a task has {_CONTAINERS} containers at most, the service's own among them"
        yield Problem(at("sidecars", key=True), message, f"keep {_CONTAINERS - 1} sidecars")
    for key, room in (("cpu", service.cpu), ("memory", service.memory)):
        kept = sum(getattr(sidecar, key) or 0 for sidecar in service.sidecars.values())
        if kept > room:
            message = f"the sidecars' `{key}` is {kept} in all, and the task's is {room}"
            yield Problem(at("sidecars", key=True), message, f"raise the service's `{key}`, or lower theirs")


def _check_task_definition(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    """What of the task definition is the catalog's, as JSON: the whole has more."""
    containers: list[Container] = [service, *service.sidecars.values()]
    texts = [[part.command, part.entry_point, dict(part.environment)] for part in containers]
    size = len(json.dumps(texts, separators=(",", ":"), ensure_ascii=False).encode("utf-8", errors="replace"))
    if size > _TASK_DEFINITION_BYTES:
        limit = f"ECS allows a task definition {_TASK_DEFINITION_BYTES}"
        message = f"the variables and commands of `{name}` have {size} bytes, and {limit}"
        yield Problem(at("environment", key=True), message, "read what is long from a file of the image, or from S3")


def _check_task_role(service: Service, at: Locator) -> Iterator[Problem]:
    statements = [statement.model_dump(exclude_defaults=True) for statement in service.task_role.statements]
    size = len(json.dumps(statements, separators=(",", ":")))
    if size > _ROLE_POLICY_CHARACTERS:
        message = f"the statements have {size} characters, and IAM allows a role {_ROLE_POLICY_CHARACTERS}"
        yield Problem(
            at("task_role", "statements", key=True), message, "make a managed policy and name it in `policies`"
        )


def check_environment(environment: Environment, tree: Node) -> Iterator[Problem]:
    """What can be said of an environment once all of it is sound."""
    at = locator(tree)
    yield from _check_zones(environment, at)
    yield from _check_network(environment, at)
    yield from _check_ingress(environment, at)
    yield from _check_accounts(environment, at)
    yield from _check_names(environment, tree)
    yield from _check_adopted(environment, tree)
    yield from _check_tags(environment, tree)
    yield from _check_outside_networks(environment, tree)


def _check_zones(environment: Environment, at: Locator) -> Iterator[Problem]:
    for index, zone in enumerate(environment.zones):
        if not re.fullmatch(f"{environment.region}[a-z]", zone):
            yield Problem(
                at("zones", index),
                f"`{zone}` is no zone of {environment.region}",
                f"zones are named {environment.region}a",
            )
        if zone in environment.zones[:index]:
            yield Problem(at("zones", index), f"zone `{zone}` is given twice", "name another zone")


def _check_network(environment: Environment, at: Locator) -> Iterator[Problem]:
    network = environment.network
    if network.vpc is not None:
        yield from _check_vpc(environment, at)
        return
    wanted = len(environment.zones) * (2 if network.subnets == "private" else 1)
    room = 2 ** (SUBNET_PREFIX - ipaddress.IPv4Network(network.cidr).prefixlen) - 1
    if wanted > room:
        message = f"{network.cidr} has room for {room} subnets"
        kinds = " with public and private subnets" if network.subnets == "private" else ""
        yield Problem(at("network", "cidr"), message, f"{len(environment.zones)} zones{kinds} need a larger network")
    if network.nat != "none" and network.subnets == "public":
        yield Problem(
            at("network", "nat"), "NAT gateways are for private subnets", "add `subnets: private`, or remove it"
        )
    if network.nat == "none" and network.subnets == "private" and not network.endpoints:
        message = "tasks in private subnets reach neither their images nor their logs"
        yield Problem(at("network", "subnets"), message, "add `nat: single`, `nat: per_zone` or `endpoints:`")


def _check_vpc(environment: Environment, at: Locator) -> Iterator[Problem]:
    network, vpc = environment.network, environment.network.vpc
    for key in ("cidr", "nat"):
        if key in network.model_fields_set:
            yield Problem(at("network", key, key=True), f"`{key}` and `vpc` exclude each other", "keep one of them")
    key = f"{network.subnets}_subnets"
    subnets: tuple[str, ...] = getattr(vpc, key)
    if len(subnets) != len(environment.zones):
        message = f"`{key}` names {len(subnets)}, and `zones` {len(environment.zones)}"
        yield Problem(at("network", "vpc", key), message, "name a subnet for each zone, in their order")
    for index, subnet in enumerate(subnets):
        if subnet in subnets[:index]:
            yield Problem(at("network", "vpc", key, index), f"subnet `{subnet}` is given twice", "name another subnet")


_BALANCED = ("alb", "internal_alb")


def _check_ingress(environment: Environment, at: Locator) -> Iterator[Problem]:
    front = environment.ingress
    public = any(service.public for service in environment.services.values())
    if public and front.type == "direct" and environment.network.subnets == "private":
        message = "tasks in private subnets have no public address, and `ingress.type` is `direct`"
        yield Problem(at("network", "subnets"), message, "add `ingress: { type: alb }`")
    if front.type in _BALANCED:
        return
    for key in ("certificate", "domain", "idle_timeout"):
        if key in front.model_fields_set:
            message = f"`{key}` is a load balancer's, and `ingress.type` is `{front.type}`"
            yield Problem(at("ingress", key, key=True), message, "choose `alb` or `internal_alb`, or remove it")
    for name, service in environment.services.items():
        if service.ingress is not None or (service.autoscaling and service.autoscaling.requests_per_target):
            path = ("ingress",) if service.ingress is not None else ("autoscaling", "requests_per_target")
            message = f"`{path[-1]}` needs a load balancer, and the environment's `ingress.type` is `{front.type}`"
            yield Problem(
                at("services", name, *path, key=True), message, "choose `alb` or `internal_alb` there, or remove it"
            )


def _check_accounts(environment: Environment, at: Locator) -> Iterator[Problem]:
    """ARNs of what has to be in the environment's account, or region."""
    arns = (
        (("role",), environment.role, False),
        (("kms_key",), environment.kms_key, True),
        (("ingress", "certificate"), environment.ingress.certificate, True),
    )
    for path, value, regional in arns:
        if value is None:
            continue
        region, account = value.split(":")[3:5]
        if account != environment.account:
            message = f"`{'.'.join(path)}` is of account {account}"
            yield Problem(at(*path), message, f"the environment is in account {environment.account}")
        if regional and region != environment.region:
            yield Problem(
                at(*path), f"`{'.'.join(path)}` is of {region}", f"the environment is in {environment.region}"
            )


def _check_names(environment: Environment, tree: Node) -> Iterator[Problem]:
    prefix = environment.prefix
    at = locator(tree)
    if len(environment.state_bucket) > _BUCKET_NAME:
        message = f"`{environment.state_bucket}` is longer than the {_BUCKET_NAME} characters of a bucket's name"
        yield Problem(at("application"), message, "give another as `state: { bucket: ... }`")
    balanced = environment.ingress.type in _BALANCED
    if balanced and not re.fullmatch(rf"(?!internal-)[a-z0-9-]{{1,{_BALANCER_NAME}}}", prefix):
        message = f"`{prefix}` cannot be a load balancer's name"
        remedy = (
            f"give a `name_prefix` of letters, digits and hyphens, {_BALANCER_NAME} at most, no `internal-` in front"
        )
        yield Problem(at("name_prefix"), message, remedy)
    for name, service in environment.services.items():
        here = locator(tree, "services", name)()
        longest = _ROLE_NAME - len(_ROLE_SUFFIX) - len(prefix) - 1
        if len(environment.first_name(name)) > longest:
            role = f"{environment.full_name(name)}{_ROLE_SUFFIX}"
            message = f"`{role}` is longer than the {_ROLE_NAME} characters of an IAM role's name"
            yield Problem(here, message, f"with this prefix a service's name has {longest} at most")
        elif balanced and service.public and len(prefix) + 1 + len(name) > _BALANCER_NAME:
            message = f"`{prefix}-{name}` is longer than the {_BALANCER_NAME} characters of a target group's name"
            yield Problem(here, message, "give a shorter `name_prefix`")


def _check_adopted(environment: Environment, tree: Node) -> Iterator[Problem]:
    """What is adopted under another name than ours would be replaced."""
    adopt, at = environment.adopt, locator(tree, "adopt")
    yield from _check_adopted_name("cluster", adopt.cluster, environment.prefix, at)
    if adopt.vpc is not None and environment.network.vpc is not None:
        yield Problem(at("vpc", key=True), "`adopt.vpc` and `network.vpc` exclude each other", "keep one of them")
    if adopt.namespace is not None and adopt.vpc is None and environment.network.vpc is None:
        message = "a namespace belongs to its VPC, which is neither adopted nor existing"
        yield Problem(at("namespace", key=True), message, "add `vpc`, or `network: { vpc: ... }`")
    for name, service in environment.services.items():
        full = environment.full_name(name)
        names = {
            "repository": full,
            "log_group": f"/ecs/{full}",
            "execution_role": f"{full}{_ROLE_SUFFIX}",
            "task_role": f"{full}-task",
            "ecs_service": full,
        }
        for key, expected in names.items():
            here = locator(tree, "services", name, "adopt")
            yield from _check_adopted_name(key, getattr(service.adopt, key), expected, here)


def _check_adopted_name(key: str, name: str | None, expected: str, at: Locator) -> Iterator[Problem]:
    if name is not None and name != expected:
        message = f"`{name}` would be replaced by `{expected}`, as AWS does not rename it"
        yield Problem(at(key), message, "give a `name_prefix` that fits, or do not adopt it")


def _check_tags(environment: Environment, tree: Node) -> Iterator[Problem]:
    common = {*_OWN_TAGS, *environment.tags}
    yield from _check_tag_keys(common, locator(tree))
    for name, service in environment.services.items():
        if service.tags:
            yield from _check_tag_keys(common | {*service.tags}, locator(tree, "services", name))


def _check_tag_keys(keys: set[str], at: Locator) -> Iterator[Problem]:
    if len(keys) > _TAGS:
        message = f"a resource has {_TAGS} tags at most, and these are {len(keys)} with {', '.join(_OWN_TAGS)}"
        yield Problem(at("tags", key=True), message, "remove some")
    first: dict[str, str] = {}
    for key in sorted(keys):
        other = first.setdefault(key.lower(), key)
        if other != key:
            message = f"tags `{other}` and `{key}` differ in case alone, and to IAM they are one"
            yield Problem(at("tags", key, key=True), message, "keep one of them")


def _check_outside_networks(environment: Environment, tree: Node) -> Iterator[Problem]:
    own = ipaddress.IPv4Network(environment.network.cidr)
    for name, service in environment.services.items():
        for index, call in enumerate(service.calls):
            if call.cidr is not None and ipaddress.IPv4Network(call.cidr).overlaps(own):
                message = f"{call.cidr} overlaps the environment's own network {environment.network.cidr}"
                where = locator(tree, "services", name)("calls", index, "cidr")
                yield Problem(where, message, "call the services in it by name")
