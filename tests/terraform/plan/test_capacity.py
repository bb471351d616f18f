"""Services whose capacity providers change."""

from dataclasses import replace

import pytest

from fleetform.terraform.plan.capacity import services_refused_for_capacity, services_with_new_capacity
from fleetform.terraform.plan.models import Action, Change, StackPlan

SERVICE = Change(
    'module.worker.aws_ecs_service.fixed["this"]',
    "aws_ecs_service",
    Action.REPLACE,
    forced_by=("capacity_provider_strategy.base", "capacity_provider_strategy.weight"),
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (SERVICE, ("worker",)),
        (replace(SERVICE, forced_by=("capacity_provider_strategy",)), ("worker",)),
        (replace(SERVICE, forced_by=(*SERVICE.forced_by, "name")), ()),
        (replace(SERVICE, reason="it is tainted"), ()),
        (replace(SERVICE, action=Action.UPDATE, forced_by=()), ()),
        (replace(SERVICE, type="aws_ecs_task_set"), ()),
    ],
    ids=["its parts", "the whole", "and the name", "tainted", "an update", "not a service"],
)
def test_services_that_only_new_capacity_providers_replace(change: Change, expected: tuple[str, ...]) -> None:
    assert services_with_new_capacity(StackPlan("services", (change,))) == expected


REFUSED = """\
Error: force_new_deployment should be true when capacity_provider_strategy is being updated

  with module.worker.aws_ecs_service.fixed["this"],
  on ../../../modules/ecs_service/service_fixed.tf line 3, in resource "aws_ecs_service" "fixed":
   3: resource "aws_ecs_service" "fixed" {
"""


@pytest.mark.parametrize(("output", "expected"), [(REFUSED, ("worker",)), ("Error: Cycle", ())])
def test_services_whose_plan_a_later_provider_refuses(output: str, expected: tuple[str, ...]) -> None:
    assert services_refused_for_capacity(output) == expected
