"""Rules for services, clusters, repositories, keys and alarms, beyond their examples."""

import pytest

from tests.policy.examples import counted

from .answers import answers


def service(*lines: str) -> str:
    return 'resource "aws_ecs_service" "web" {\n' + "\n".join(lines) + "\n}\n"


BREAKER = "deployment_circuit_breaker {{\n  enable = {}\n  rollback = {}\n}}"
FOR_EVER = ["a failed deployment is retried forever"]
DAEMON = 'scheduling_strategy = "DAEMON"'
CODE_DEPLOY = 'deployment_controller {\n  type = "CODE_DEPLOY"\n}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service(), FOR_EVER),
        (service(BREAKER.format("true", "false")), FOR_EVER),
        (service(BREAKER.format("true", '"true"')), []),
        (service(BREAKER.format("true", "var.x")), ["? deployment_circuit_breaker"]),
        (service('alarms {\n  alarm_names = ["a"]\n  enable = true\n  rollback = true\n}'), []),
        (service('alarms {\n  alarm_names = ["a"]\n  enable = true\n  rollback = false\n}'), FOR_EVER),
        (service(CODE_DEPLOY), []),
    ],
)
def test_rollback(text: str, expected: list[str]) -> None:
    assert answers("FF057", text) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), []),
        (("deployment_minimum_healthy_percent = 50",), []),
        (
            ('deployment_minimum_healthy_percent = "0"',),
            ["a deployment may stop all tasks before it starts new ones"],
        ),
        (("deployment_minimum_healthy_percent = 0", DAEMON), []),
        (("deployment_minimum_healthy_percent = 0", CODE_DEPLOY), []),
        (("deployment_minimum_healthy_percent = var.x",), ["? deployment_minimum_healthy_percent"]),
    ],
)
def test_tasks_during_a_deployment(lines: tuple[str, ...], expected: list[str]) -> None:
    assert answers("FF058", service(*lines)) == expected


def target(namespace: str, least: str) -> str:
    return (
        f'resource "aws_appautoscaling_target" "web" {{\n  service_namespace = "{namespace}"\n'
        f"  min_capacity = {least}\n}}\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service(), []),
        (service("desired_count = 0"), []),
        (service('desired_count = "1"'), ["it runs only one task"]),
        (service("desired_count = 1", DAEMON), []),
        (service("desired_count = var.x"), ["? desired_count"]),
        (target("ecs", "1"), ["it runs only one task"]),
        (target("ecs", "2"), []),
        (target("dynamodb", "1"), []),
    ],
)
def test_number_of_tasks(text: str, expected: list[str]) -> None:
    assert answers("FF059", text) == expected


def with_task(container: str, *lines: str) -> str:
    """Return a service with its task of one container."""
    return service("task_definition = aws_ecs_task_definition.web.arn", *lines) + (
        f'resource "aws_ecs_task_definition" "web" {{\n  container_definitions ='
        f" jsonencode([{container}])\n}}\n"
    )


PORT = "portMappings = [{ containerPort = 80 }]"


ALARM = 'resource "aws_cloudwatch_metric_alarm" "{}" {{\n  alarm_name = "{}"\n  {}\n}}\n'
SILENT = ALARM.format("a", "a", "alarm_actions = []")
HEARD = ALARM.format("b", "b", 'ok_actions = ["arn:a"]')
CLUSTER = 'resource "aws_ecs_cluster" "this" {\n  name = "shop"\n}\n'
GROUP = 'resource "aws_cloudwatch_log_group" "web" {\n  name = "a"\n}\n'


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("FF048", with_task('{ image = "nginx:1.29" }')),
        ("FF049", with_task('{ image = "nginx:1.29" }')),
        ("FF051", with_task(f"{{ {PORT} }}")),
        ("FF058", service("deployment_minimum_healthy_percent = 0")),
        ("FF059", service("desired_count = 1")),
        ("FF061", GROUP),
        ("FF065", CLUSTER),
        ("FF066", SILENT),
    ],
)
def test_rules_for_protected_environments(rule: str, text: str) -> None:
    assert [counted(text, rule, protected=protected) for protected in (True, False)] == [(1, 0), (0, 0)]


STRATEGY = 'capacity_provider_strategy {\n  capacity_provider = "FARGATE"\n  weight = 1\n}'


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((STRATEGY,), []),
        (('launch_type = "FARGATE"',), []),
        (("launch_type = null", STRATEGY), []),
        (("launch_type = var.x", STRATEGY), []),
        (('launch_type = "FARGATE"', STRATEGY), ["it has both a launch type and capacity providers"]),
        (("deployment_maximum_percent = 100",), []),
        (
            ("deployment_maximum_percent = 100", 'availability_zone_rebalancing = "ENABLED"'),
            ["availability zone rebalancing has no room for an extra task"],
        ),
        (("deployment_maximum_percent = 100", "deployment_minimum_healthy_percent = 50"), []),
        (("deployment_maximum_percent = 100", "deployment_minimum_healthy_percent = 100", DAEMON), []),
        (("deployment_maximum_percent = 100", "deployment_minimum_healthy_percent = 100", CODE_DEPLOY), []),
    ],
)
def test_what_ecs_accepts(lines: tuple[str, ...], expected: list[str]) -> None:
    assert answers("FF064", service(*lines)) == expected


@pytest.mark.parametrize(
    ("rule", "lines", "expected"),
    [
        ("FF062", ('propagate_tags = "TASK_DEFINITION"',), []),
        ("FF062", (), ["its tasks have no tags"]),
        ("FF062", ("propagate_tags = var.x",), ["? propagate_tags"]),
        ("FF063", (), []),
        ("FF063", ('platform_version = "1.4.0"',), []),
        ("FF063", ('platform_version = "1.0.0"',), []),
        ("FF063", ("platform_version = var.x",), ["? platform_version"]),
    ],
)
def test_services(rule: str, lines: tuple[str, ...], expected: list[str]) -> None:
    assert answers(rule, service(*lines)) == expected


UNASKED = ["its tasks have no health check"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (with_task(f"{{ {PORT} }}"), UNASKED),
        (with_task(f'{{ {PORT}, healthCheck = {{ command = ["CMD", "a"] }} }}'), []),
        (with_task(f"{{ {PORT}, healthCheck = var.check }}"), []),
        (with_task(f"{{ {PORT} }}", 'load_balancer {\n  container_name = "web"\n}'), []),
        (with_task("{ portMappings = [] }"), []),
        (with_task(f"{{ {PORT}, essential = false }}, {{ essential = true }}"), []),
        (with_task("var.container"), []),
        (service('task_definition = "web:1"'), []),
    ],
)
def test_health_checks(text: str, expected: list[str]) -> None:
    assert answers("FF051", text) == expected


def cluster(*lines: str) -> str:
    return (
        'resource "aws_ecs_cluster" "this" {\n  configuration {\n    execute_command_configuration {\n'
        + "\n".join(lines)
        + "\n    }\n  }\n}\n"
    )


def insights(value: str) -> str:
    return (
        'resource "aws_ecs_cluster" "this" {\n  setting {\n    name = "containerInsights"\n'
        f"    value = {value}\n  }}\n}}\n"
    )


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("FF060", CLUSTER, []),
        ("FF060", cluster(), []),
        ("FF060", cluster("logging = var.x"), ["? configuration.0.execute_command_configuration.0.logging"]),
        ("FF061", CLUSTER, []),
        (
            "FF061",
            cluster('logging = "OVERRIDE"'),
            ["ECS Exec sessions are not encrypted with a customer managed key"],
        ),
        ("FF061", cluster('kms_key_id = "arn:a"'), []),
        (
            "FF061",
            (
                'resource "aws_ecr_repository" "web" {\n  encryption_configuration {\n    kms_key = var.x\n '
                " }\n}\n"
            ),
            ["? encryption_configuration.0.kms_key"],
        ),
        ("FF065", CLUSTER, ["Container Insights is off"]),
        ("FF065", insights('"enabled"'), []),
        ("FF065", insights("var.x"), ["? setting.0.value"]),
    ],
)
def test_clusters_and_keys(rule: str, text: str, expected: list[str]) -> None:
    assert answers(rule, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SILENT, ["it has no action"]),
        (SILENT + HEARD, ["it has no action"]),
        (SILENT + ALARM.format("b", "b", ""), ["none of the 2 alarms has an action"]),
        (SILENT + service('alarms {\n  alarm_names = ["a"]\n}'), []),
        (
            SILENT
            + HEARD
            + 'resource "aws_cloudwatch_composite_alarm" "c" {\n  alarm_actions = ["arn:a"]\n}\n',
            [],
        ),
        (ALARM.format("a", "a", "alarm_actions = [var.topic]"), []),
        (ALARM.format("a", "a", "alarm_actions = var.topics"), ["? alarm_actions"]),
        (
            ALARM.format("a", "a", 'alarm_actions = ["arn:a"]\n  actions_enabled = "false"'),
            ["its actions are disabled"],
        ),
    ],
)
def test_alarms(text: str, expected: list[str]) -> None:
    assert answers("FF066", text) == expected


REPOSITORY = 'resource "aws_ecr_repository" "web" {\n  name = "web"\n}\n'
POLICY = 'resource "aws_ecr_lifecycle_policy" "web" {{\n  repository = {}\n}}\n'


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("FF068", REPOSITORY + 'resource "aws_ecr_registry_scanning_configuration" "this" {\n}\n', []),
        (
            "FF068",
            REPOSITORY.replace("}", "  image_scanning_configuration {\n    scan_on_push = var.x\n  }\n}"),
            ["? image_scanning_configuration.0.scan_on_push"],
        ),
        ("FF069", REPOSITORY + POLICY.format('"web"'), []),
        ("FF069", REPOSITORY + POLICY.format('"orders"'), ["images are kept forever"]),
        ("FF069", REPOSITORY + POLICY.format("aws_ecr_repository.web.id"), []),
        ("FF069", REPOSITORY + POLICY.format("var.name"), ["? "]),
    ],
)
def test_repositories(rule: str, text: str, expected: list[str]) -> None:
    assert answers(rule, text) == expected
