"""What is tainted, and could not be replaced."""

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
    ids=["new first", "old goes first", "another name", "asked for", "two may have its name"],
)
def test_only_that_is_kept_whose_name_the_new_one_needs(change: Change, expected: tuple[str, ...]) -> None:
    assert blocking_taints(StackPlan("services", (change,))) == expected
