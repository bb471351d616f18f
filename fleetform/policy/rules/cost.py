"""Costs without a benefit."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Unknown
from fleetform.policy.requirements import number
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, environment_rule, rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

_MAX_TASKS = 100
_LARGEST_CPU = 16 * 1024  # CPU units: 16 vCPU, the largest size on Fargate


@environment_rule(
    "FF106",
    "Unprotected environments use one NAT gateway.",
    "aws_nat_gateway",
    severity=Severity.LOW,
    why="Each NAT gateway is billed by the hour. In development, the rare outage of a zone costs less.",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-pricing.html",
    good='resource "aws_nat_gateway" "this" {\n  subnet_id = "subnet-1"\n}\n',
    bad="""\
resource "aws_nat_gateway" "this" {
  for_each = { a = "subnet-1", b = "subnet-2" }

  subnet_id = each.value
}
""",
)
def one_nat_gateway_is_enough(
    view: View, environment: "Environment"
) -> Iterator[tuple[Resource, Violation | Undecided]]:
    """Check each stack, which has at most one VPC. Protected environments need one for each zone."""
    if environment.protection:
        return
    gateways_by_stack: dict[str, list[Resource]] = {}
    for gateway in view.of("aws_nat_gateway"):
        if gateway.value("connectivity_type", default="public") == "public":
            gateways_by_stack.setdefault(gateway.stack, []).append(gateway)
    for gateways in gateways_by_stack.values():
        for gateway in sorted(gateways, key=lambda each: each.address)[1:]:
            yield (
                gateway,
                Violation("the environment has several NAT gateways", "set `network: { nat: single }`"),
            )


@rule(
    "FF107",
    "Services scale to at most 100 tasks.",
    *("aws_appautoscaling_target", "aws_ecs_service"),
    severity=Severity.LOW,
    why="A retry loop or unexpected traffic scales up the bill along with the tasks.",
    link="https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html",
    good='resource "aws_appautoscaling_target" "web" {\n  service_namespace = "ecs"\n  max_capacity      ='
    " 10\n}\n",
    bad='resource "aws_appautoscaling_target" "web" {\n  service_namespace = "ecs"\n  max_capacity      ='
    " 1000\n}\n",
)
def services_scale_within_a_limit(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """More than a hundred tasks of one service should be a deliberate decision."""
    is_autoscaled = resource.type == "aws_appautoscaling_target"
    if is_autoscaled and resource.value("service_namespace") != "ecs":
        return
    name = "max_capacity" if is_autoscaled else "desired_count"
    count = number(resource.value(name))
    if isinstance(count, Unknown):
        yield Undecided((name,))
    elif count is not None and count > _MAX_TASKS:
        yield Violation(
            f"it can run {count:g} tasks", f"lower it to {_MAX_TASKS}, or add an exception", (name,)
        )


@rule(
    "FF108",
    "Unprotected environments do not run tasks of the largest size.",
    "aws_ecs_task_definition",
    severity=Severity.LOW,
    why="Fargate bills the requested size, not what a task uses.",
    link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size",
    good='resource "aws_ecs_task_definition" "web" {\n  cpu    = "256"\n  memory = "512"\n}\n',
    bad='resource "aws_ecs_task_definition" "web" {\n  cpu    = "16384"\n  memory = "32768"\n}\n',
)
def tasks_are_not_oversized(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """In an unprotected environment, the largest size of all is a mistake."""
    units = number(resource.value("cpu"))
    if facts.protected:
        return
    if isinstance(units, Unknown):
        yield Undecided(("cpu",))
    elif units is not None and units >= _LARGEST_CPU:
        yield Violation("16 vCPU in an unprotected environment", "lower cpu and memory", ("cpu",))
