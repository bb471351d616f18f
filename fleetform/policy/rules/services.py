"""ECS services: deployments and availability."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Unknown
from fleetform.policy.helpers.containers import TASK, containers, unknown_containers
from fleetform.policy.requirements import FALSE, TRUE, number
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, environment_rule, rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

Answers: TypeAlias = Iterator[tuple[Resource, Violation | Undecided]]

SERVICE = "aws_ecs_service"
_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"


def _example(*lines: str) -> str:
    body = "".join(f"  {line}\n" if line else "\n" for line in lines)
    return f'resource "{SERVICE}" "web" {{\n  name = "web"\n{body}}}\n'


_TASK_EXAMPLE = """
resource "aws_ecs_task_definition" "web" {{
  family = "web"

  container_definitions = jsonencode([
    {{
      name         = "web"
      portMappings = [{{ containerPort = 8080 }}]
{health}    }},
  ])
}}
"""


@environment_rule(
    "FF051",
    "Services that receive calls have a health check.",
    *(SERVICE, TASK),
    severity=Severity.LOW,
    why="Without a health check, ECS and service discovery treat a hung process as healthy.",
    link=f"{_GUIDE}/healthcheck.html",
    good=_example("task_definition = aws_ecs_task_definition.web.arn")
    + _TASK_EXAMPLE.format(health='      healthCheck  = { command = ["CMD", "healthcheck"] }\n'),
    bad=_example("task_definition = aws_ecs_task_definition.web.arn") + _TASK_EXAMPLE.format(health=""),
)
def called_services_have_a_health_check(view: View, environment: "Environment") -> Answers:
    """Check essential containers in protected environments; load balancers have their own checks."""
    if not environment.protection:
        return
    tasks = {(task.stack, f"{task.address}.arn"): task for task in view.of(TASK)}
    for service in view.of(SERVICE):
        reference = service.value("task_definition")
        task = tasks.get((service.stack, reference.reference)) if isinstance(reference, Unknown) else None
        if task is None or service.value("load_balancer") not in (None, []):
            continue
        essential = [container for container in containers(task) if container.value("essential") not in FALSE]
        if next(unknown_containers(task), None) or any(
            container.value("healthCheck") for container in essential
        ):
            continue
        if any(container.items("portMappings") for container in essential):
            yield service, Violation("its tasks have no health check", "add a health check to its container")


def _is_deployed_by_ecs(resource: Resource) -> bool:
    """Return whether ECS itself deploys a service, rather than CodeDeploy or an external controller."""
    return resource.value("deployment_controller", 0, "type", default="ECS") == "ECS"


@rule(
    "FF057",
    "Failed deployments are rolled back.",
    SERVICE,
    severity=Severity.MEDIUM,
    why="Otherwise ECS restarts failing tasks for hours, until an operator steps in.",
    link=f"{_GUIDE}/deployment-circuit-breaker.html",
    good=_example("deployment_circuit_breaker {", "  enable   = true", "  rollback = true", "}"),
    bad=_example("deployment_circuit_breaker {", "  enable   = true", "  rollback = false", "}"),
)
def deployments_are_rolled_back(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept the circuit breaker or alarms; either needs rollback turned on."""
    places = [
        (kind, 0, name)
        for kind in ("deployment_circuit_breaker", "alarms")
        for name in ("enable", "rollback")
    ]
    settings = [resource.value(*place) for place in places]
    if (
        not _is_deployed_by_ecs(resource)
        or all(setting in TRUE for setting in settings[:2])
        or all(setting in TRUE for setting in settings[2:])
    ):
        return
    unknown = next(
        (place for place, setting in zip(places, settings, strict=True) if isinstance(setting, Unknown)), None
    )
    if unknown:
        yield Undecided(unknown[:1])
    else:
        at = next(
            (place for place, setting in zip(places, settings, strict=True) if setting in FALSE),
            places[0][:1],
        )
        yield Violation(
            "a failed deployment is retried forever",
            "set enable and rollback in deployment_circuit_breaker",
            at,
        )


@rule(
    "FF058",
    "Deployments keep tasks running.",
    SERVICE,
    severity=Severity.MEDIUM,
    why="Otherwise ECS may stop every task before the first new one responds: each deployment is an outage.",
    link=f"{_GUIDE}/deployment-type-ecs.html",
    good=_example("deployment_minimum_healthy_percent = 100"),
    bad=_example("deployment_minimum_healthy_percent = 0"),
)
def deployments_keep_tasks_running(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """Check protected environments; a daemon service has no room for a second task on an instance."""
    at = ("deployment_minimum_healthy_percent",)
    percent = number(resource.value(*at))
    if (
        not facts.protected
        or resource.value("scheduling_strategy") == "DAEMON"
        or not _is_deployed_by_ecs(resource)
    ):
        return
    if isinstance(percent, Unknown):
        yield Undecided(at)
    elif percent == 0:
        yield Violation(
            "a deployment may stop all tasks before it starts new ones",
            "set deployment_minimum_healthy_percent to 100",
            at,
        )


_COUNTS = {SERVICE: "desired_count", "aws_appautoscaling_target": "min_capacity"}


@rule(
    "FF059",
    "Services run more than one task.",
    *_COUNTS,
    severity=Severity.MEDIUM,
    why="Otherwise the loss of one task or one zone is an outage.",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html",
    good=_example("desired_count = 2"),
    bad=_example("desired_count = 1")
    + """
resource "aws_appautoscaling_target" "web" {
  service_namespace = "ecs"
  min_capacity      = 1
  max_capacity      = 4
}
""",
)
def services_have_more_than_one_task(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """Check protected environments; a service without any task is turned off on purpose."""
    at = (_COUNTS[resource.type],)
    count = number(resource.value(*at))
    if not facts.protected or resource.value("service_namespace", default="ecs") != "ecs":
        return
    if resource.value("scheduling_strategy") == "DAEMON":
        return
    if isinstance(count, Unknown):
        yield Undecided(at)
    elif count == 1:
        yield Violation("it runs only one task", f"set {at[0]} to 2 or more", at)


@rule(
    "FF062",
    "Services propagate tags to their tasks.",
    SERVICE,
    severity=Severity.LOW,
    why="Fargate bills by task: without tags, costs cannot be attributed to a service.",
    link=f"{_GUIDE}/ecs-using-tags.html",
    good=_example('propagate_tags = "SERVICE"'),
    bad=_example('propagate_tags = "NONE"'),
)
def tasks_have_tags(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Neither AWS nor the provider propagates tags by default."""
    value = resource.value("propagate_tags", default="NONE")
    if isinstance(value, Unknown):
        yield Undecided(("propagate_tags",))
    elif value not in ("SERVICE", "TASK_DEFINITION"):
        yield Violation("its tasks have no tags", 'set propagate_tags = "SERVICE"', ("propagate_tags",))


_RETIRED = frozenset(
    {"1.1.0", "1.2.0", "1.3.0"}
)  # the current versions are 1.0.0 for Windows and 1.4.0 for Linux


@rule(
    "FF063",
    "Tasks run on a current Fargate platform version.",
    SERVICE,
    severity=Severity.MEDIUM,
    why="Old Fargate platform versions get no fixes, and AWS eventually retires them.",
    link=f"{_GUIDE}/platform-fargate.html",
    checkov=("CKV_AWS_332",),
    good=_example('platform_version = "LATEST"'),
    bad=_example('platform_version = "1.3.0"'),
)
def platforms_are_kept_up_to_date(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """AWS patches the newest version in place, so that its number is as good as LATEST."""
    version = resource.value("platform_version")
    if isinstance(version, Unknown):
        yield Undecided(("platform_version",))
    elif version in _RETIRED:
        yield Violation(
            f"platform version {version} is outdated", "remove platform_version", ("platform_version",)
        )


@rule(
    "FF064",
    "ECS accepts the service.",
    SERVICE,
    severity=Severity.MEDIUM,
    why="The plan succeeds, but the apply fails halfway.",
    link=f"{_API}/API_CreateService.html",
    good=_example(
        "capacity_provider_strategy {", '  capacity_provider = "FARGATE"', "  weight            = 1", "}"
    ),
    bad=_example(
        'launch_type                        = "FARGATE"',
        'availability_zone_rebalancing      = "ENABLED"',
        "deployment_maximum_percent         = 100",
        "deployment_minimum_healthy_percent = 100",
        "",
        "capacity_provider_strategy {",
        '  capacity_provider = "FARGATE_SPOT"',
        "  weight            = 1",
        "}",
    ),
)
def ecs_accepts_the_service(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Report contradictions, and deployments that could not proceed."""
    maximum = number(resource.value("deployment_maximum_percent"))
    minimum = number(resource.value("deployment_minimum_healthy_percent"))
    launch_type = resource.value("launch_type")
    if isinstance(launch_type, str) and launch_type and _has_strategy(resource):  # a plan has "" for none
        yield Violation(
            "it has both a launch type and capacity providers", "remove launch_type", ("launch_type",)
        )
    if not isinstance(maximum, float | int) or not _is_deployed_by_ecs(resource):
        return
    at = ("deployment_maximum_percent",)
    if resource.value("availability_zone_rebalancing") == "ENABLED" and maximum <= 100:  # noqa: PLR2004 - percent
        yield Violation(
            "availability zone rebalancing has no room for an extra task",
            "set deployment_maximum_percent above 100",
            at,
        )
    if (
        isinstance(minimum, float | int)
        and minimum >= maximum
        and resource.value("scheduling_strategy") != "DAEMON"
    ):
        yield Violation(
            "a deployment can neither start nor stop a task", "set deployment_maximum_percent to 200", at
        )


def _has_strategy(resource: Resource) -> bool:
    """On a plan, AWS's launch type is present only without a strategy."""
    strategy = resource.value("capacity_provider_strategy")
    return isinstance(strategy, list) and bool(strategy)
