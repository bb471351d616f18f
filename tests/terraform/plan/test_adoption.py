"""Imports that would end in a replacement."""

from dataclasses import replace

import pytest

from fleetform.terraform.plan.adoption import replaced_imports
from fleetform.terraform.plan.models import Action, Change

SERVICE = Change(
    'module.web.aws_ecs_service.fixed["this"]',
    "aws_ecs_service",
    Action.REPLACE,
    imported="shop-prod/shop-prod-web",
    forced_by=("capacity_provider_strategy[0].weight", "capacity_provider_strategy[0].base"),
)
ADOPTED = f"{SERVICE.address}: `shop-prod/shop-prod-web` is adopted and would be replaced, because of"

LAUNCH_TYPE = "it has a launch type, which AWS cannot change; set `launch_type: FARGATE`"


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (
            SERVICE,
            [f"{ADOPTED} `capacity_provider_strategy`; {LAUNCH_TYPE}"],
        ),
        (
            replace(SERVICE, forced_by=("scheduling_strategy",)),
            [
                f"{ADOPTED} `scheduling_strategy`; set the key to what the resource has, or do not adopt it",
            ],
        ),
        (replace(SERVICE, imported=""), []),
        (replace(SERVICE, action=Action.UPDATE, forced_by=()), []),
    ],
    ids=["launch type", "something else", "not adopted", "updated"],
)
def test_an_adopted_resource_is_never_replaced(change: Change, messages: list[str]) -> None:
    assert replaced_imports([change]) == messages
