"""Verification of what the catalog decides about how services run: capacity, deployment, network, scaling."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from fleetform import topology
from fleetform.aws.comparisons import Comparison
from fleetform.aws.live_state import LiveState
from fleetform.catalog.models import Autoscaling, Environment, Service

# The predefined metric of each key of `autoscaling` (Application Auto Scaling API, MetricType).
_METRICS = {
    "ECSServiceAverageCPUUtilization": "cpu",
    "ECSServiceAverageMemoryUtilization": "memory",
    "ALBRequestCountPerTarget": "requests_per_target",
}
# A load balancer's health check where the catalog has none: the variables of the module `ecs_service`.
_PATH, _INTERVAL, _TIMEOUT = "/", 30, 5
# Targets that get no new requests (ELB API, TargetHealth).
_LEAVING = {"draining", "unused"}


class LiveSettings:
    """The settings of an environment's services, as the API reports them. Each part is read once."""

    def __init__(self, live: LiveState) -> None:
        self._live = live

    @cached_property
    def subnets(self) -> dict[str, Mapping[str, Any]]:
        """The subnets of the VPC by id."""
        filters = [{"Name": "vpc-id", "Values": [self._live.vpc_id]}]
        pages = self._live.ec2.get_paginator("describe_subnets").paginate(Filters=filters)
        return {subnet["SubnetId"]: subnet for page in pages for subnet in page["Subnets"]}

    def scaling(self, service: str) -> dict[str, object] | None:
        """Return the bounds, targets and schedules of a service by the catalog's keys; None without any."""
        resource = f"service/{self._live.environment.prefix}/{self._live.environment.full_name(service)}"
        target = self._targets.get(resource)
        if target is None:
            return None
        policies = {
            _METRICS.get(metric, metric): configuration["TargetValue"]
            for configuration in self._policies.get(resource, [])
            for metric in [configuration["PredefinedMetricSpecification"]["PredefinedMetricType"]]
        }
        return {"min": target["MinCapacity"], "max": target["MaxCapacity"], **policies}

    @cached_property
    def _targets(self) -> dict[str, Mapping[str, Any]]:
        pages = self._scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="ecs")
        return {target["ResourceId"]: target for page in pages for target in page["ScalableTargets"]}

    @cached_property
    def _policies(self) -> dict[str, list[Mapping[str, Any]]]:
        pages = self._scaling.get_paginator("describe_scaling_policies").paginate(ServiceNamespace="ecs")
        policies: dict[str, list[Mapping[str, Any]]] = {}
        for page in pages:
            for policy in page["ScalingPolicies"]:
                configuration = policy.get("TargetTrackingScalingPolicyConfiguration", {})
                if "PredefinedMetricSpecification" in configuration:
                    policies.setdefault(policy["ResourceId"], []).append(configuration)
        return policies

    def target_group(self, arn: str) -> dict[str, object]:
        """Return the settings of a target group, and how many of its targets get requests."""
        (group,) = self._balancing.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        attributes = self._balancing.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        delays = [
            each["Value"] for each in attributes if each["Key"] == "deregistration_delay.timeout_seconds"
        ]
        targets = self._balancing.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {
            "path": group.get("HealthCheckPath"),
            "interval": group["HealthCheckIntervalSeconds"],
            "timeout": group["HealthCheckTimeoutSeconds"],
            "deregistration_delay": int(delays[0]) if delays else None,
            "targets": sum(each["TargetHealth"]["State"] not in _LEAVING for each in targets),
        }

    @cached_property
    def _scaling(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return self._live.access.client("application-autoscaling")

    @cached_property
    def _balancing(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return self._live.access.client("elbv2")


def subnet_facts(environment: Environment, settings: LiveSettings) -> Iterator[Comparison]:
    """Compare the subnets of the environment's own VPC; those of an existing one are not its own."""
    if environment.network.vpc is not None:
        return
    zones = {subnet["CidrBlock"]: subnet["AvailabilityZone"] for subnet in settings.subnets.values()}
    for key, (block, zone) in _subnets(environment).items():
        yield Comparison(f"zone of subnet {key} {block}", zone, zones.get(block, "absent"))


def _subnets(environment: Environment) -> dict[str, tuple[str, str]]:
    """Return CIDR block and zone of each subnet by key."""
    private = topology.private_subnets(environment)
    return topology.public_subnets(environment) | {
        key: (subnet.cidr_block, subnet.zone) for key, subnet in private.items()
    }


def setting_facts(
    environment: Environment, live: LiveState, settings: LiveSettings, name: str
) -> Iterator[Comparison]:
    """Compare the settings of a running service."""
    entry, service = environment.services[name], live.ecs_services[name]
    strategy = {
        each["capacityProvider"]: (each.get("weight", 0), each.get("base", 0))
        for each in service.get("capacityProviderStrategy", ())
    }
    providers = {key: (each.weight, each.base) for key, each in entry.capacity_providers.items()}
    yield Comparison(f"capacity providers of {name}", providers, strategy)
    yield Comparison(f"deployment of {name}", _expected_deployment(entry), _deployment(service))
    if entry.autoscaling is None:
        yield Comparison(f"desired tasks of {name}", entry.desired_count, service["desiredCount"])
    actual = settings.scaling(name)
    yield Comparison(
        f"autoscaling of {name}", _expected_scaling(entry.autoscaling), _comparable(entry.autoscaling, actual)
    )
    yield from _network_facts(environment, settings, name, service)
    if name in topology.routes(environment):
        arns = [each["targetGroupArn"] for each in service.get("loadBalancers", ())]
        expected = _expected_target_group(entry) | {"targets": service["runningCount"]}
        yield Comparison(f"target group of {name}", [expected], [settings.target_group(arn) for arn in arns])


def _expected_deployment(entry: Service) -> dict[str, object]:
    return {
        "minimum_healthy_percent": entry.deployment.minimum_healthy_percent,
        "maximum_percent": entry.deployment.maximum_percent,
        "circuit_breaker": entry.deployment.circuit_breaker,
    }


def _deployment(service: Mapping[str, Any]) -> dict[str, object]:
    found = service.get("deploymentConfiguration", {})
    return {
        "minimum_healthy_percent": found.get("minimumHealthyPercent"),
        "maximum_percent": found.get("maximumPercent"),
        "circuit_breaker": found.get("deploymentCircuitBreaker", {}).get("enable", False),
    }


def _expected_scaling(autoscaling: Autoscaling | None) -> dict[str, object] | None:
    if autoscaling is None:
        return None
    bounds = {} if autoscaling.schedule else {"min": autoscaling.min, "max": autoscaling.max}
    targets = {key: getattr(autoscaling, key) for key in ("cpu", "memory", "requests_per_target")}
    return {**bounds, **{key: target for key, target in targets.items() if target is not None}}


def _comparable(
    autoscaling: Autoscaling | None, actual: dict[str, object] | None
) -> dict[str, object] | None:
    """Leave out the bounds that a schedule sets."""
    if actual is None or autoscaling is None or not autoscaling.schedule:
        return actual
    return {key: value for key, value in actual.items() if key not in {"min", "max"}}


def _network_facts(
    environment: Environment, settings: LiveSettings, name: str, service: Mapping[str, Any]
) -> Iterator[Comparison]:
    network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    is_public = environment.network.subnets == "public"
    address = network.get("assignPublicIp", "DISABLED") == "ENABLED"
    yield Comparison(f"public addresses of {name}", is_public, address)
    if environment.network.vpc is None:
        subnets = topology.public_subnets(environment) if is_public else _subnets(environment)
        blocks = {block for key, (block, _) in subnets.items() if is_public or key.startswith("private_")}
        found = {settings.subnets.get(each, {}).get("CidrBlock", each) for each in network.get("subnets", ())}
        yield Comparison(f"subnets of {name}", blocks, found)


def _expected_target_group(entry: Service) -> dict[str, object]:
    check = entry.health_check if entry.health_check is not None and entry.health_check.path else None
    interval = check.interval if check else _INTERVAL
    timeout = check.timeout if check else _TIMEOUT
    return {
        "path": check.path if check else _PATH,
        "interval": interval,
        "timeout": min(timeout, interval - 1),
        "deregistration_delay": entry.ingress.deregistration_delay if entry.ingress else 30,
    }
