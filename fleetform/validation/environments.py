"""Checks of an environment as a whole: network, ingress, names, accounts and tags, including AWS's limits."""

import ipaddress
import re
from collections.abc import Iterator

from fleetform.base.errors import Problem
from fleetform.base.suggestions import suggestion
from fleetform.catalog.files import NETWORK_LOCK_NAME, network_lock_file
from fleetform.catalog.locator import Locator, locator
from fleetform.catalog.models import SUBNET_PREFIX, Environment, Network, Service, Vpc
from fleetform.catalog.nodes import Node
from fleetform.topology.endpoints import images_outside_ecr, required_aws_services

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: a role's name.
# Names that leave room for the role's suffix also fit ECS (255 characters), CloudWatch Logs (512), ECR (256),
# Cloud Map (255 with the namespace) and EventBridge Scheduler (64).
_MAX_ROLE_NAME = 64
_ROLE_SUFFIX = "-execution"

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
_MAX_LOAD_BALANCER_NAME = 32

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_MAX_BUCKET_NAME = 63

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
# The modules add `Name`.
_MAX_TAGS = 50
_DEFAULT_TAGS = ("application", "environment", "Name")


def check_environment(environment: Environment, tree: Node) -> Iterator[Problem]:
    """Check an environment whose values are all valid on their own."""
    at = locator(tree)
    yield from _check_zones(environment, at)
    yield from _check_network(environment, at)
    yield from _check_ingress(environment, at)
    yield from _check_discovery(environment, at)
    yield from _check_accounts(environment, at)
    yield from _check_names(environment, tree)
    yield from _check_adopted(environment, tree)
    yield from _check_tags(environment, tree)
    yield from _check_external_calls(environment, tree)


def _check_zones(environment: Environment, at: Locator) -> Iterator[Problem]:
    for index, zone in enumerate(environment.zones):
        if not re.fullmatch(f"{environment.region}[a-z]", zone):
            yield Problem(
                at("zones", index),
                f"`{zone}` is not a zone of {environment.region}",
                f"zone names look like `{environment.region}a`",
            )
        if zone in environment.zones[:index]:
            yield Problem(at("zones", index), f"zone `{zone}` is listed twice", "list a different zone")


def _check_network(environment: Environment, at: Locator) -> Iterator[Problem]:
    network = environment.network
    if network.vpc is not None:
        yield from _check_vpc(environment, at)
        return
    numbers = max(environment.zone_numbers.values())
    room = 2 ** (SUBNET_PREFIX - ipaddress.IPv4Network(network.cidr).prefixlen) - 1
    if numbers * (2 if network.subnets == "private" else 1) > room:
        message = f"{network.cidr} has room for only {room} subnets"
        kinds = " with public and private subnets" if network.subnets == "private" else ""
        remedy = f"use a larger network for {len(environment.zones)} zones{kinds}"
        if unused := sorted(environment.locked_zone_numbers.keys() - {*environment.zones}):
            message += f", and {NETWORK_LOCK_NAME} reserves some for {', '.join(unused)}"
            remedy = (
                f"remove these zones from {network_lock_file(environment.name)} once their subnets are gone"
            )
        yield Problem(at("network", "cidr"), message, remedy)
    yield from _check_private_subnet_keys(network, at)
    for index, name in enumerate(network.endpoints or ()):
        if name in (network.endpoints or ())[:index]:
            yield Problem(
                at("network", "endpoints", index), f"endpoint `{name}` is listed twice", "list it once"
            )
    if network.nat == "none" and network.subnets == "private":
        yield from _check_endpoints(environment, at)


def _check_private_subnet_keys(network: Network, at: Locator) -> Iterator[Problem]:
    for key, resources in (("nat", "NAT gateways"), ("endpoints", "endpoints")):
        if network.subnets == "public" and getattr(network, key) not in ("none", None, ()):
            message = f"{resources} require private subnets"
            yield Problem(at("network", key), message, "add `subnets: private`, or remove this key")


def _check_endpoints(environment: Environment, at: Locator) -> Iterator[Problem]:
    """Check that endpoints are enough without NAT gateways: tasks then reach nothing else."""
    services, listed, region = environment.services, environment.network.endpoints, environment.region
    needed = frozenset().union(*(required_aws_services(service, region) for service in services.values()))
    missing = needed - {"s3", *listed} if listed is not None else frozenset()
    if missing:
        names = ", ".join(f"`{endpoint}`" for endpoint in sorted(missing))
        message = f"tasks cannot start without NAT gateways or endpoints for {names}"
        yield Problem(at("network", "endpoints"), message, "list them too, or remove `endpoints`")
    for name, service in services.items():
        for path, image in images_outside_ecr(service, region):
            reason = "private subnets without NAT cannot reach other registries"
            message = f"`{image}` is not in ECR in {region}, and {reason}"
            where = at("services", name, *path, "image")
            yield Problem(
                where, message, "copy the image there, or add `nat: single` or `nat: per_zone` to `network`"
            )


def _check_vpc(environment: Environment, at: Locator) -> Iterator[Problem]:
    """Check that an existing VPC is fully described, and has no keys that its owner is in charge of."""
    network, vpc = environment.network, environment.network.vpc
    for key in ("cidr", "nat", "endpoints", "flow_logs"):
        if key in network.model_fields_set:
            yield Problem(
                at("network", key, key=True),
                f"`{key}` and `vpc` cannot be used together",
                "remove one of them",
            )
    if vpc is None:
        return
    if (vpc.id is None) != bool(vpc.tags):
        state = "both `id` and `tags`" if vpc.id else "neither `id` nor `tags`"
        yield Problem(at("network", "vpc", key=True), f"`vpc` has {state}", "set exactly one of them")
    for kind in ("public", "private"):
        is_needed = kind == network.subnets or (kind == "public" and environment.ingress.type == "alb")
        yield from _check_subnets(vpc, kind, len(environment.zones), at, is_needed=is_needed)


def _check_subnets(vpc: Vpc, kind: str, zones: int, at: Locator, *, is_needed: bool) -> Iterator[Problem]:
    key = f"{kind}_subnets"
    subnets: tuple[str, ...] = getattr(vpc, key)
    tagged = bool(getattr(vpc, f"{kind}_subnet_tags"))
    if subnets and tagged:
        message = f"`{key}` and `{kind}_subnet_tags` cannot be used together"
        yield Problem(at("network", "vpc", key, key=True), message, "remove one of them")
    elif (is_needed or subnets) and not tagged and len(subnets) != zones:
        message = f"`{key}` lists {len(subnets)} subnets for {zones} zones"
        yield Problem(at("network", "vpc", key), message, "list one subnet for each zone, in the same order")
    for index, subnet in enumerate(subnets):
        if subnet in subnets[:index]:
            yield Problem(
                at("network", "vpc", key, index),
                f"subnet `{subnet}` is listed twice",
                "list a different subnet",
            )


def _check_ingress(environment: Environment, at: Locator) -> Iterator[Problem]:
    ingress = environment.ingress
    public = any(service.public for service in environment.services.values())
    if public and ingress.type == "direct" and environment.network.subnets == "private":
        message = "`ingress.type: direct` needs public addresses, which tasks in private subnets do not have"
        yield Problem(at("network", "subnets"), message, "add `ingress: { type: alb }`")
    if ingress.hosted_zone is not None and ingress.domain is None:
        yield Problem(
            at("ingress", "hosted_zone", key=True), "`hosted_zone` is set without `domain`", "add `domain:`"
        )
    if ingress.has_load_balancer:
        return
    for key in ("certificate", "domain", "hosted_zone", "idle_timeout", "access_logs", "web_acl"):
        if key in ingress.model_fields_set:
            message = f"`{key}` needs a load balancer, but `ingress.type` is `{ingress.type}`"
            yield Problem(
                at("ingress", key, key=True),
                message,
                "set that to `alb` or `internal_alb`, or remove this key",
            )
    for name, service in environment.services.items():
        if service.ingress is not None or (service.autoscaling and service.autoscaling.requests_per_target):
            path = ("ingress",) if service.ingress is not None else ("autoscaling", "requests_per_target")
            kind = f"the environment's `ingress.type` is `{ingress.type}`"
            message = f"`{path[-1]}` needs a load balancer, but {kind}"
            yield Problem(
                at("services", name, *path, key=True),
                message,
                "set that to `alb` or `internal_alb`, or remove this key",
            )


def _check_discovery(environment: Environment, at: Locator) -> Iterator[Problem]:
    if environment.namespace_arn is not None and environment.namespace is None:
        yield Problem(
            at("namespace_arn", key=True),
            "`namespace_arn` is set without `namespace`",
            "add `namespace:` with its name",
        )
    yield from _check_called_ports(environment, at)
    if environment.discovery != "service_connect":
        return
    names: dict[str, str] = {}
    for name, service in environment.services.items():
        alias = service.service_connect.alias if service.service_connect is not None else None
        other = names.setdefault(alias or name, name) if _offers_port(service) else name
        if other != name:
            message = f"`{other}` and `{name}` have the same name in Service Connect"
            yield Problem(at("services", name), message, "give one of them a different `alias`")
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html, "Considerations"
        if service.is_task and service.callees:
            message = f"`{name}` is a task, and tasks cannot call Service Connect names"
            yield Problem(
                at("services", name, "calls", key=True), message, "set `discovery: dns`, or remove its calls"
            )


def _offers_port(service: Service) -> bool:
    """Return whether a service offers a port in Service Connect, valid or not."""
    connect = service.service_connect
    return service.port is not None or (connect is not None and connect.port is not None)


def _check_called_ports(environment: Environment, at: Locator) -> Iterator[Problem]:
    """Check the ports of calls: Service Connect and SRV records offer only one port of a service."""
    for caller, service in environment.services.items():
        for index, call in enumerate(service.calls):
            callee = environment.services.get(call.service or "") if call.namespace is None else None
            if callee is None:
                continue
            connect = callee.service_connect
            if environment.discovery == "service_connect":
                offered = connect.port if connect is not None else None
                subject, remedy = (
                    "Service Connect offers",
                    "or offer a different one: `service_connect: { port: ... }`",
                )
            elif callee.discovery.record_type == "SRV":
                offered, subject, remedy = None, "its SRV record holds", "or set `record_type: A`"
            else:
                continue
            if call.port != offered:
                right = _describe_port(offered)
                wrong = f"`{caller}` calls `{call.service}` on {_describe_port(call.port)}"
                position = at("services", caller, "calls", index, "port")
                yield Problem(position, f"{wrong}, but {subject} only {right}", f"call {right}, {remedy}")


def _describe_port(name: object) -> str:
    return "its `port`" if name is None else f"port `{name}`"


def _check_accounts(environment: Environment, at: Locator) -> Iterator[Problem]:
    """Check that ARNs are in the environment's account and, where needed, region."""
    arns = (
        (("role",), environment.role, False),
        (("kms_key",), environment.kms_key, True),
        (("namespace_arn",), environment.namespace_arn, True),
        (("ingress", "certificate"), environment.ingress.certificate, True),
        (("ingress", "web_acl"), environment.ingress.web_acl, True),
    )
    for path, value, regional in arns:
        if value is None:
            continue
        region, account = value.split(":")[3:5]
        if account != environment.account:
            message = f"`{'.'.join(path)}` is in account {account}"
            yield Problem(at(*path), message, f"use one in the environment's account {environment.account}")
        if regional and region != environment.region:
            yield Problem(
                at(*path),
                f"`{'.'.join(path)}` is in {region}",
                f"use one in the environment's region {environment.region}",
            )


def _check_names(environment: Environment, tree: Node) -> Iterator[Problem]:
    prefix = environment.prefix
    at = locator(tree)
    if len(environment.state_bucket) > _MAX_BUCKET_NAME:
        message = f"bucket name `{environment.state_bucket}` is longer than {_MAX_BUCKET_NAME} characters"
        yield Problem(at("application"), message, "set a shorter one with `state: { bucket: ... }`")
    if environment.ingress.has_load_balancer and not re.fullmatch(
        rf"(?!internal-)[a-z0-9-]{{1,{_MAX_LOAD_BALANCER_NAME}}}", prefix
    ):
        message = f"`{prefix}` is not a valid load balancer name"
        form = f"at most {_MAX_LOAD_BALANCER_NAME} letters, digits and hyphens"
        remedy = f"set a `name_prefix` of {form} that does not begin with `internal-`"
        yield Problem(at("name_prefix"), message, remedy)
    for name in environment.services:
        position = locator(tree, "services", name)()
        longest = _MAX_ROLE_NAME - len(_ROLE_SUFFIX) - len(prefix) - 1
        if len(environment.original_name(name)) > longest:
            role = f"{environment.full_name(name)}{_ROLE_SUFFIX}"
            message = f"IAM role name `{role}` is longer than {_MAX_ROLE_NAME} characters"
            yield Problem(
                position, message, f"with this prefix, a service name can have at most {longest} characters"
            )


def _check_adopted(environment: Environment, tree: Node) -> Iterator[Problem]:
    """Check the names of adopted resources: Terraform would replace one whose name differs from ours."""
    adopt, at = environment.adopt, locator(tree, "adopt")
    yield from _check_adopted_name("cluster", adopt.cluster, environment.prefix, at)
    if adopt.vpc is not None and environment.network.vpc is not None:
        yield Problem(
            at("vpc", key=True), "`adopt.vpc` and `network.vpc` cannot be used together", "remove one of them"
        )
    yield from _check_adopted_subnets(environment, tree)
    if adopt.namespace is not None and adopt.vpc is None and environment.network.vpc is None:
        message = "an adopted namespace needs an adopted or existing VPC"
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
            at_adopt = locator(tree, "services", name, "adopt")
            yield from _check_adopted_name(key, getattr(service.adopt, key), expected, at_adopt)


def _check_adopted_subnets(environment: Environment, tree: Node) -> Iterator[Problem]:
    """Check that adopted subnets are in an adopted VPC, and each in a zone that has such a subnet."""
    subnets, at = environment.adopt.subnets, locator(tree, "adopt", "subnets")
    if (subnets.public or subnets.private) and environment.adopt.vpc is None:
        yield Problem(at(key=True), "adopted subnets need an adopted VPC", "add `adopt.vpc`")
    if subnets.private and environment.network.subnets == "public":
        message = "the network has no private subnets to adopt"
        yield Problem(at("private", key=True), message, "set `network: { subnets: private }`")
    for kind, zones in {"public": subnets.public, "private": subnets.private}.items():
        for zone in zones:
            if zone not in environment.zones:
                message = f"unknown zone `{zone}`"
                yield Problem(at(kind, zone, key=True), message, suggestion(zone, [*environment.zones]))


def _check_adopted_name(key: str, name: str | None, expected: str, at: Locator) -> Iterator[Problem]:
    if name is not None and name != expected:
        message = f"`{name}` would be replaced by `{expected}`, because AWS cannot rename it"
        yield Problem(at(key), message, "set a matching `name_prefix`, or do not adopt it")


def _check_tags(environment: Environment, tree: Node) -> Iterator[Problem]:
    common = {*_DEFAULT_TAGS, *environment.tags}
    yield from _check_tag_keys(common, locator(tree))
    for name, service in environment.services.items():
        if service.tags:
            yield from _check_tag_keys(common | {*service.tags}, locator(tree, "services", name))


def _check_tag_keys(keys: set[str], at: Locator) -> Iterator[Problem]:
    if len(keys) > _MAX_TAGS:
        count = f"{len(keys)} including {', '.join(_DEFAULT_TAGS)}"
        message = f"a resource can have at most {_MAX_TAGS} tags, but this one has {count}"
        yield Problem(at("tags", key=True), message, "remove some")
    first: dict[str, str] = {}
    for key in sorted(keys):
        other = first.setdefault(key.lower(), key)
        if other != key:
            message = f"tags `{other}` and `{key}` differ only in case, which IAM ignores"
            yield Problem(at("tags", key, key=True), message, "remove one of them")


def _check_external_calls(environment: Environment, tree: Node) -> Iterator[Problem]:
    network = environment.network
    if network.vpc is not None:  # the catalog knows neither its network nor its routes
        return
    vpc_network = ipaddress.IPv4Network(network.cidr)
    is_isolated = network.subnets == "private" and network.nat == "none"
    for name, service in environment.services.items():
        for index, call in enumerate(service.calls):
            at = locator(tree, "services", name)
            called = ipaddress.IPv4Network(call.cidr) if call.cidr is not None else None
            if called is not None and called.overlaps(vpc_network):
                message = f"{called} overlaps the environment's network {vpc_network}"
                yield Problem(at("calls", index, "cidr"), message, "call the services in it by name")
            elif is_isolated and (called is None or not called.is_private) and (called or call.host):
                message = f"`{call.host or called}` is on the internet, which is unreachable without NAT"
                remedy = (
                    "set `network.nat` to `single` or `per_zone`, or add the private `cidr:` that it is in"
                )
                yield Problem(at("calls", index), message, remedy)
