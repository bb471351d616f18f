"""Replacements that are no longer safe because the new resource comes first, and tasks that restart."""

import pytest

from fleetform.terraform.plan import text_reader
from fleetform.terraform.plan.messages import describe_change, table
from fleetform.terraform.plan.models import Action, Change, StackPlan, read
from fleetform.terraform.plan.risks import Level, Risk, risk

SAME_NAME = Risk(
    Level.MEDIUM, "the new one has the same name, which AWS refuses, or it is deleted with the old one"
)


def replaced(type_: str, *forced_by: str, created_first: bool = True, address: str = "") -> Change:
    return Change(address or f"{type_}.this", type_, Action.REPLACE, created_first, forced_by=forced_by)


@pytest.mark.parametrize(
    "change",
    [
        replaced("aws_ecs_service", "launch_type"),
        replaced("aws_ecs_service"),
        replaced("aws_iam_role", "path"),
        replaced("aws_lb_target_group", "port"),
        replaced("aws_lb_listener_rule"),
        replaced("aws_appautoscaling_target"),
        Change(
            "aws_ecs_service.this (deposed 0a1b2c3d)", "aws_ecs_service", Action.DELETE, created_first=True
        ),
    ],
    ids=lambda change: f"{change.type} {change.action} {','.join(change.forced_by)}",
)
def test_a_resource_with_a_fixed_name_cannot_be_created_first(change: Change) -> None:
    assert risk(change) == SAME_NAME


@pytest.mark.parametrize(
    "change",
    [
        replaced("aws_ecs_service", "cluster"),
        replaced("aws_ecs_service", "launch_type", "name"),
        replaced("aws_lb_listener_rule", "listener_arn"),
        replaced("aws_iam_role", "name"),
        replaced("aws_security_group", "description"),
        replaced("aws_ecs_task_definition", "container_definitions"),
    ],
    ids=lambda change: f"{change.type} {','.join(change.forced_by)}",
)
def test_a_resource_with_a_new_name_is_safe_if_it_is_created_first(change: Change) -> None:
    assert risk(change) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (replaced("aws_lb_target_group", "name", "port"), "requests fail meanwhile"),
        (replaced("aws_subnet", "cidr_block"), "everything in it loses its network"),
    ],
    ids=["target group", "subnet"],
)
def test_what_is_in_use_has_a_risk_in_any_order(change: Change, why: str) -> None:
    assert risk(change) == Risk(Level.MEDIUM, why)


def test_scaling_restarts_at_the_minimum_with_a_replaced_service() -> None:
    address = 'module.web.aws_ecs_service.autoscaled["this"]'
    change = replaced("aws_ecs_service", "launch_type", created_first=False, address=address)
    assert risk(change) == Risk(
        Level.MEDIUM,
        "its tasks stop, and calls fail until new ones run; scaling restarts at the minimum",
    )


def test_a_scalable_target_has_a_risk_only_if_it_is_replaced() -> None:
    change = replaced("aws_appautoscaling_target", "resource_id", created_first=False)
    assert risk(change) == Risk(Level.MEDIUM, "the number of tasks does not follow the load meanwhile")
    assert risk(Change("a", "aws_appautoscaling_target", Action.DELETE)) is None


SERVICE = {"cluster": "shop", "desired_count": 2, "force_new_deployment": False, "task_definition": "web:1"}


def updated(**values: object) -> StackPlan:
    """The plan of an ECS service that is changed in place."""
    change = {"actions": ["update"], "before": SERVICE, "after": SERVICE | values}
    entry = {"address": "aws_ecs_service.this", "type": "aws_ecs_service", "change": change}
    return read("services", {"resource_changes": [entry]})


@pytest.mark.parametrize(
    ("values", "restarts"),
    [
        ({"desired_count": 3}, False),
        ({"task_definition": "web:2"}, True),
        ({"desired_count": 3, "force_new_deployment": True}, True),
        ({"network_configuration": [{}]}, True),
        ({"deployment_maximum_percent": 150}, False),
    ],
    ids=["count", "task definition", "forced", "network", "settings"],
)
def test_tasks_restart_if_a_change_deploys(values: dict[str, object], *, restarts: bool) -> None:
    (change,) = updated(**values).changes
    assert change.restarts is restarts
    assert risk(change) is None


def test_the_table_counts_services_whose_tasks_restart() -> None:
    columns, rows = table([updated(task_definition="web:2"), StackPlan("payments")])
    assert columns == ("add", "change", "replace", "destroy", "restart")
    assert [row.counts for row in rows] == [(0, 1, 0, 0, 1), (0, 0, 0, 0, 0)]


def test_a_table_without_restarts_has_no_column_for_them() -> None:
    columns, _ = table([updated(desired_count=3)])
    assert columns == ("add", "change", "replace", "destroy")


def test_a_restart_is_described() -> None:
    (change,) = updated(task_definition="web:2").changes
    assert describe_change(change) == "changed in place, all tasks restart"


TEXT = """Terraform will perform the following actions:

  # aws_ecs_service.this will be updated in-place
  ~ resource "aws_ecs_service" "this" {{
        name = "web"
      {line}
        # (20 unchanged attributes hidden)

        # (1 unchanged block hidden)
    }}

Plan: 0 to add, 1 to change, 0 to destroy."""


@pytest.mark.parametrize(
    ("line", "restarts"),
    [
        ('~ task_definition = "web:1" -> "web:2"', True),
        ("~ desired_count = 2 -> 3", False),
        ("+ service_registries {\n          + registry_arn = (known after apply)\n        }", True),
        ("~ tags = {\n          + task_definition = 1\n        }", False),
    ],
    ids=["task definition", "count", "registry", "tag"],
)
def test_restarts_are_read_from_the_text_too(line: str, *, restarts: bool) -> None:
    plan = text_reader.read("services", TEXT.format(line=line).splitlines())
    assert plan is not None
    assert [change.restarts for change in plan.changes] == [restarts]
