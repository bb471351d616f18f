"""What of a plan was changed outside of Terraform."""

import pytest

from fleetform.terraform.plan.drift import Drift, drift
from fleetform.terraform.plan.models import Action, Change, Difference, StackPlan

TAGS = Difference("tags", {"team": "x"}, {"team": "y"})


def update(*differences: Difference, action: Action = Action.UPDATE) -> Change:
    return Change("aws_ecs_service.this", "aws_ecs_service", action, differences=differences)


GONE = update(action=Action.DELETE)
MADE_ANEW = update(action=Action.CREATE)
COUNT = Difference("desired_count", 2, 3)


@pytest.mark.parametrize(
    ("drifted", "change"),
    [
        (update(COUNT), update(Difference("desired_count", 3, 2))),
        (GONE, MADE_ANEW),
        (update(COUNT), update(Difference("desired_count", 3, 2), action=Action.REPLACE)),
    ],
)
def test_what_a_plan_changes_back_is_drift(drifted: Change, change: Change) -> None:
    assert drift(StackPlan("services", (change,), drift=(drifted,))) == Drift("services", (change,), ())


@pytest.mark.parametrize(
    "drifted",
    [
        update(TAGS),
        update(Difference("desired_count", None, 0), Difference("tags", None, {})),
        Change("aws_ecs_service.other", "aws_ecs_service", Action.UPDATE, differences=(COUNT,)),
    ],
)
def test_a_change_of_what_was_not_touched_outside_is_not_applied_yet(drifted: Change) -> None:
    change = update(Difference("desired_count", 2, 4))
    assert drift(StackPlan("services", (change,), drift=(drifted,))) == Drift("services", (), (change,))


def test_what_was_changed_outside_and_stays_so_is_no_drift() -> None:
    """After an apply, a refresh finds the rules of a group that are resources of their own, and values of AWS's."""
    assert drift(StackPlan("services", (), drift=(update(TAGS),))) == Drift("services", (), ())


def test_what_is_only_read_is_no_drift() -> None:
    assert drift(StackPlan("services", (update(action=Action.READ),))) == Drift("services", (), ())
