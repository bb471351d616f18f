"""What a change of the catalog comes to in the plans over an applied production: this, and nothing else.

`moved` is a new address of what stays as it is, `replaced` a new one first and then the old one's end.
"""

from typing import Any

import pytest

from tests.environments.production.conftest import Production

CHANGES = {
    "rename a service": {
        # The container's name is new; the caller's variable too.
        ("module.inventory.aws_ecs_task_definition.this", "replaced"),
        ('module.inventory.aws_ecs_service.fixed["this"]', "updated"),
        ("module.orders.aws_ecs_task_definition.this", "replaced"),
        ('module.orders.aws_ecs_service.autoscaled["this"]', "updated"),
        # Their descriptions name the service.
        ('module.inventory.aws_cloudwatch_metric_alarm.running["this"]', "updated"),
        ('module.inventory.aws_cloudwatch_metric_alarm.usage["cpu"]', "updated"),
        ('module.inventory.aws_cloudwatch_metric_alarm.usage["memory"]', "updated"),
        ("module.inventory.aws_cloudwatch_log_group.this", "moved"),
        ("module.inventory.aws_iam_role.execution", "moved"),
        ("module.inventory.aws_iam_role.task", "moved"),
        ("module.inventory.aws_iam_role_policy.execution", "moved"),
        ("module.inventory.terraform_data.discovery_service", "moved"),
    },
    "turn autoscaling on": {
        ('module.media.aws_ecs_service.autoscaled["this"]', "moved"),
        ('module.media.aws_appautoscaling_target.this["this"]', "created"),
        ('module.media.aws_appautoscaling_policy.this["cpu"]', "created"),
    },
    "turn autoscaling off": {
        ('module.web.aws_ecs_service.fixed["this"]', "moved"),
        ('module.web.aws_appautoscaling_target.this["this"]', "deleted"),
        ('module.web.aws_appautoscaling_policy.this["cpu"]', "deleted"),
        ('module.web.aws_appautoscaling_policy.requests["this"]', "deleted"),
    },
    "add a zone": {
        ('module.network.aws_subnet.public["public_3"]', "created"),
        ('module.network.aws_route_table_association.public["public_3"]', "created"),
        ('module.network.aws_subnet.private["private_3"]', "created"),
        ('module.network.aws_route_table.private["private_3"]', "created"),
        ('module.network.aws_route_table_association.private["private_3"]', "created"),
        ('module.network.aws_route.private_internet["private_3"]', "created"),
        ('module.network.aws_vpc_endpoint.gateway["s3"]', "updated"),
        ('module.network.aws_vpc_endpoint.interface["ecr.api"]', "updated"),
        ('module.network.aws_vpc_endpoint.interface["ecr.dkr"]', "updated"),
        ('module.network.aws_vpc_endpoint.interface["logs"]', "updated"),
        ("module.ingress.aws_lb.this", "updated"),
    },
    "remove a call": {
        ('module.security.aws_vpc_security_group_egress_rule.this["report->media:8080"]', "deleted"),
        ('module.security.aws_vpc_security_group_ingress_rule.this["report->media:8080"]', "deleted"),
        # Without the callee's variable.
        ("module.report.aws_ecs_task_definition.this", "replaced"),
        ('module.report.aws_scheduler_schedule.this["this"]', "updated"),
    },
    "add a sidecar": {
        ("module.mail.aws_ecs_task_definition.this", "replaced"),
        ('module.mail.aws_ecs_service.fixed["this"]', "updated"),
    },
}

ACTIONS = {
    ("no-op",): "moved",
    ("create",): "created",
    ("update",): "updated",
    ("delete",): "deleted",
    ("create", "delete"): "replaced",
}


def planned(production: Production) -> dict[str, str]:
    """What happens to each resource to which something happens, by address, in both stacks."""
    documents = production.planned.values()
    found: list[dict[str, Any]] = [each for document in documents for each in document["resource_changes"]]
    return {
        each["address"]: ACTIONS[tuple(each["change"]["actions"])]
        for each in found
        if each["change"]["actions"] != ["no-op"] or "previous_address" in each
    }


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_concerns_no_more_than_it_says(production: Production, change: str) -> None:
    modules = {address.split(".")[1] for address, _ in CHANGES[change]}
    found = {(address, what) for address, what in planned(production).items() if address.split(".")[1] in modules}
    assert found == CHANGES[change]


def test_nothing_else_changes(production: Production) -> None:
    assert set(planned(production).items()) == set().union(*CHANGES.values())


def test_no_service_is_ever_destroyed(production: Production) -> None:
    services = {address: what for address, what in planned(production).items() if ".aws_ecs_service." in address}
    assert {address.split(".")[1]: what for address, what in services.items()} == {
        "inventory": "updated",
        "mail": "updated",
        "media": "moved",
        "orders": "updated",
        "web": "moved",
    }


def test_the_services_hear_of_a_new_zone_by_an_output(production: Production) -> None:
    """They are planned over what is applied: a zone reaches them, in place, when the foundation has been applied."""
    outputs = production.planned["foundation"]["output_changes"]
    assert {name for name, change in outputs.items() if change["actions"] != ["no-op"]} == {"subnet_ids"}


def test_only_the_zone_and_the_call_change_the_foundations_files(production: Production) -> None:
    paths = {str(change.path) for change in production.rendered if change.path.parent.name == "foundation"}
    assert paths == {"envs/prod/foundation/security.tf", "envs/prod/foundation/terraform.tfvars"}
