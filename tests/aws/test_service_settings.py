"""Verification of what the catalog decides about how services run: each changed through the API."""

from collections.abc import Callable
from typing import Any

import pytest

from fleetform.aws.verification import verify
from fleetform.catalog.models import Autoscaling, Environment, IngressConfig
from tests.deployed import Deployment

Act = Callable[[Deployment], object]


def update(**settings: Any) -> Act:  # noqa: ANN401 -- whatever UpdateService takes
    """Return what updates the ECS service of `web`."""
    return lambda made: made.ecs.update_service(
        cluster=made.prefix, service=f"{made.prefix}-web", forceNewDeployment=True, **settings
    )


def network(**changes: object) -> Act:
    """Return what changes the network of `web`."""

    def change(made: Deployment) -> None:
        defaults = {
            "subnets": made.subnets,
            "securityGroups": [made.groups["web"]],
            "assignPublicIp": "ENABLED",
        }
        update(networkConfiguration={"awsvpcConfiguration": {**defaults, **changes}})(made)

    return change


def deployment_of_web(low: int, high: int, *, circuit_breaker: bool) -> str:
    return str({"minimum_healthy_percent": low, "maximum_percent": high, "circuit_breaker": circuit_breaker})


SOUND = deployment_of_web(100, 200, circuit_breaker=True)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            update(capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 2}]),
            "capacity providers of web: expected {'FARGATE': (1, 0)}, found {'FARGATE_SPOT': (2, 0)}",
        ),
        (
            update(
                deploymentConfiguration={
                    "minimumHealthyPercent": 50,
                    "maximumPercent": 150,
                    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
                }
            ),
            f"deployment of web: expected {SOUND}, found {deployment_of_web(50, 150, circuit_breaker=False)}",
        ),
        (update(desiredCount=3), "desired tasks of web: expected 1, found 3"),
        (network(assignPublicIp="DISABLED"), "public addresses of web: expected True, found False"),
        (
            lambda made: network(subnets=made.subnets[:1])(made),
            "subnets of web: expected {10.0.1.0/24, 10.0.2.0/24}, found {10.0.1.0/24}",
        ),
    ],
    ids=["capacity providers", "deployment", "desired count", "public addresses", "subnets"],
)
def test_a_changed_setting_is_reported(deployment: Deployment, change: Act, difference: str) -> None:
    change(deployment)
    assert deployment.differences() == (difference,)


def test_a_missing_subnet_is_reported(deployment: Deployment) -> None:
    zones = (*deployment.environment.zones, "eu-central-1c")
    wider = deployment.environment.model_copy(update={"zones": zones})
    assert verify(wider, deployment.access).differences == (
        "zone of subnet public_3 10.0.3.0/24: expected eu-central-1c, found absent",
        *(
            f"subnets of {name}: expected {{10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24}}, "
            "found {10.0.1.0/24, 10.0.2.0/24}"
            for name in ("orders", "web", "worker")
        ),
    )


class Scaling:
    """The scaling of `web`, created through the API, with what is needed to break it."""

    def __init__(self, made: Deployment) -> None:
        self.made = made
        self.api = made.access.client("application-autoscaling")
        self.named = {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{made.prefix}/{made.prefix}-web",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        self.register(1, 4)
        self.track(60)

    def register(self, low: int, high: int) -> None:
        """Set the bounds."""
        self.api.register_scalable_target(**self.named, MinCapacity=low, MaxCapacity=high)

    def track(self, cpu: int) -> None:
        """Set the target for the CPU."""
        metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
        self.api.put_scaling_policy(
            **self.named,
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": cpu,
                "PredefinedMetricSpecification": metric,
            },
        )

    def environment(self, autoscaling: Autoscaling | None) -> Environment:
        """Return the environment whose `web` scales so."""
        environment = self.made.environment
        web = environment.services["web"].model_copy(update={"autoscaling": autoscaling})
        return environment.model_copy(update={"services": {**environment.services, "web": web}})


EXPECTED = "autoscaling of web: expected {'min': 1, 'max': 4, 'cpu': 60}, found"


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        (lambda _: None, ()),
        (lambda scaling: scaling.register(2, 4), (f"{EXPECTED} {{'min': 2, 'max': 4, 'cpu': 60}}",)),
        (lambda scaling: scaling.track(50), (f"{EXPECTED} {{'min': 1, 'max': 4, 'cpu': 50}}",)),
        (
            lambda scaling: scaling.api.delete_scaling_policy(**scaling.named, PolicyName="cpu"),
            (f"{EXPECTED} {{'min': 1, 'max': 4}}",),
        ),
        (lambda scaling: scaling.api.deregister_scalable_target(**scaling.named), (f"{EXPECTED} None",)),
    ],
    ids=["sound", "bounds", "target", "no policy", "no target"],
)
def test_changed_scaling_is_reported(
    deployment: Deployment, change: Callable[[Scaling], object], differences: tuple[str, ...]
) -> None:
    scaling = Scaling(deployment)
    change(scaling)
    environment = scaling.environment(Autoscaling(min=1, max=4))
    assert verify(environment, deployment.access).differences == differences


def test_scaling_unknown_to_the_catalog_is_reported(deployment: Deployment) -> None:
    Scaling(deployment)
    assert deployment.differences() == (
        "autoscaling of web: expected None, found {'min': 1, 'max': 4, 'cpu': 60}",
    )


def test_a_schedule_sets_the_bounds(deployment: Deployment) -> None:
    scaling = Scaling(deployment)
    scaling.register(0, 9)
    night = {"expression": "cron(0 20 * * ? *)", "min": 0, "max": 9}
    autoscaling = Autoscaling.model_validate({"min": 1, "max": 4, "schedule": {"night": night}})
    assert verify(scaling.environment(autoscaling), deployment.access).differences == ()


def test_a_changed_target_group_and_missing_targets_are_reported(deployment: Deployment) -> None:
    balancing, made = deployment.access.client("elbv2"), deployment
    balancer = balancing.create_load_balancer(Name=made.prefix, Subnets=made.subnets)["LoadBalancers"][0]
    group = balancing.create_target_group(
        Name=made.prefix,
        Protocol="HTTP",
        Port=80,
        VpcId=made.vpc,
        TargetType="ip",
        HealthCheckPath="/healthz",
        HealthCheckIntervalSeconds=20,
        HealthCheckTimeoutSeconds=10,
    )["TargetGroups"][0]["TargetGroupArn"]
    listener = balancing.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    joined = [{"targetGroupArn": group, "containerName": "web", "containerPort": 80}]
    update(loadBalancers=joined)(made)
    targets = balancing.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    balancing.deregister_targets(TargetGroupArn=group, Targets=[each["Target"] for each in targets])
    environment = made.environment.model_copy(update={"ingress": IngressConfig(type="alb")})
    found = [
        difference
        for difference in verify(environment, made.access).differences
        if difference.startswith("target group")
    ]
    balancing.delete_listener(ListenerArn=listener)
    balancing.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    balancing.delete_target_group(TargetGroupArn=group)
    expected = {"path": "/", "interval": 30, "timeout": 5, "deregistration_delay": 30, "targets": 1}
    actual = {"path": "/healthz", "interval": 20, "timeout": 10, "deregistration_delay": 300, "targets": 0}
    assert found == [f"target group of web: expected [{expected}], found [{actual}]"]
