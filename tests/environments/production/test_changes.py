"""What a change of the catalog comes to in the plans over an applied production: this, and nothing else.

`move` is a new address of what stays as it is.
"""

import pytest

from tests.environments.production.conftest import Production

CHANGES = {
    "rename a service": {
        # The container's name is new; the caller's variable too.
        ("module.inventory.aws_ecs_task_definition.this", "replace"),
        ('module.inventory.aws_ecs_service.fixed["this"]', "update"),
        ("module.orders.aws_ecs_task_definition.this", "replace"),
        ('module.orders.aws_ecs_service.autoscaled["this"]', "update"),
        # Their descriptions name the service.
        ('module.inventory.aws_cloudwatch_metric_alarm.running["this"]', "update"),
        ('module.inventory.aws_cloudwatch_metric_alarm.usage["cpu"]', "update"),
        ('module.inventory.aws_cloudwatch_metric_alarm.usage["memory"]', "update"),
        ("module.inventory.aws_cloudwatch_log_group.this", "move"),
        ("module.inventory.aws_iam_role.execution", "move"),
        ("module.inventory.aws_iam_role.task", "move"),
        ("module.inventory.aws_iam_role_policy.execution", "move"),
    },
    "turn autoscaling on": {
        ('module.media.aws_ecs_service.autoscaled["this"]', "move"),
        ('module.media.aws_appautoscaling_target.this["this"]', "create"),
        ('module.media.aws_appautoscaling_policy.this["cpu"]', "create"),
    },
    "turn autoscaling off": {
        ('module.web.aws_ecs_service.fixed["this"]', "move"),
        ('module.web.aws_appautoscaling_target.this["this"]', "delete"),
        ('module.web.aws_appautoscaling_policy.this["cpu"]', "delete"),
        ('module.web.aws_appautoscaling_policy.requests["this"]', "delete"),
    },
    "add a zone": {
        ('module.network.aws_subnet.public["public_3"]', "create"),
        ('module.network.aws_route_table_association.public["public_3"]', "create"),
        ('module.network.aws_subnet.private["private_3"]', "create"),
        ('module.network.aws_route_table.private["private_3"]', "create"),
        ('module.network.aws_route_table_association.private["private_3"]', "create"),
        ('module.network.aws_route.private_internet["private_3"]', "create"),
        ('module.network.aws_vpc_endpoint.gateway["s3"]', "update"),
        ('module.network.aws_vpc_endpoint.interface["ecr.api"]', "update"),
        ('module.network.aws_vpc_endpoint.interface["ecr.dkr"]', "update"),
        ('module.network.aws_vpc_endpoint.interface["logs"]', "update"),
        ("module.ingress.aws_lb.this", "update"),
    },
    "remove a call": {
        ('module.security.aws_vpc_security_group_egress_rule.this["report->media:8080"]', "delete"),
        ('module.security.aws_vpc_security_group_ingress_rule.this["report->media:8080"]', "delete"),
        # Without the callee's variable.
        ("module.report.aws_ecs_task_definition.this", "replace"),
        ('module.report.aws_scheduler_schedule.this["this"]', "update"),
    },
    "add a sidecar": {
        ("module.mail.aws_ecs_task_definition.this", "replace"),
        ('module.mail.aws_ecs_service.fixed["this"]', "update"),
        ("module.mail.aws_iam_role_policy.execution", "update"),  # ECS may pull its image
    },
}


def planned(production: Production) -> dict[str, str]:
    """What happens to each resource to which something happens, by address, in both stacks."""
    messages = [message for found in production.planned.values() for message in found]
    changes = [message["change"] for message in messages if message["type"] == "planned_change"]
    return {change["resource"]["addr"]: change["action"] for change in changes}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_concerns_no_more_than_it_says(production: Production, change: str) -> None:
    modules = {address.split(".")[1] for address, _ in CHANGES[change]}
    found = {
        (address, action)
        for address, action in planned(production).items()
        if address.split(".")[1] in modules
    }
    assert found == CHANGES[change]


def test_nothing_else_changes(production: Production) -> None:
    assert set(planned(production).items()) == set().union(*CHANGES.values())


def test_no_service_is_ever_destroyed(production: Production) -> None:
    services = {
        address: action for address, action in planned(production).items() if ".aws_ecs_service." in address
    }
    assert {address.split(".")[1]: action for address, action in services.items()} == {
        "inventory": "update",
        "mail": "update",
        "media": "move",
        "orders": "update",
        "web": "move",
    }


def test_the_services_hear_of_a_new_zone_by_an_output(production: Production) -> None:
    """They are planned over what is applied.

    A zone reaches them, in place, when the foundation has been applied.
    """
    (outputs,) = (message for message in production.planned["foundation"] if message["type"] == "outputs")
    actions = {name: output["action"] for name, output in outputs["outputs"].items()}
    assert {name: action for name, action in actions.items() if action != "noop"} == {"subnet_ids": "update"}


def test_only_the_zone_and_the_call_change_the_foundations_files(production: Production) -> None:
    paths = {str(change.path) for change in production.rendered if change.path.parent.name == "foundation"}
    assert paths == {"envs/prod/foundation/network.tf", "envs/prod/foundation/security.tf"}
