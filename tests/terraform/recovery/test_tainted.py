"""Tainted resources that cannot be replaced."""

from dataclasses import replace

import pytest

from fleetform.terraform.plan.models import Action, Change, StackPlan
from fleetform.terraform.recovery.tainted import blocking_taints

ROLE = Change("aws_iam_role.task", "aws_iam_role", Action.REPLACE, created_first=True, reason="it is tainted")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ROLE, ("aws_iam_role.task",)),
        (replace(ROLE, created_first=False), ()),
        (replace(ROLE, forced_by=("name",)), ()),
        (replace(ROLE, reason="it was requested"), ()),
        (replace(ROLE, type="aws_security_group"), ()),
    ],
    ids=["new one first", "old one first", "name change", "requested", "name not unique"],
)
def test_a_taint_blocks_if_the_new_resource_needs_the_name(change: Change, expected: tuple[str, ...]) -> None:
    assert blocking_taints(StackPlan("services", (change,))) == expected
