"""The changes of a plan that undo changes outside of Terraform."""

import pytest

from fleetform.terraform.plan.drift import Drift, drift
from fleetform.terraform.plan.models import Action, Change, Difference, StackPlan

TAGS = Difference("tags", {"team": "x"}, {"team": "y"})


def update(*differences: Difference, action: Action = Action.UPDATE) -> Change:
    return Change("aws_ecs_service.this", "aws_ecs_service", action, differences=differences)


DELETED = update(action=Action.DELETE)
RECREATED = update(action=Action.CREATE)
COUNT = Difference("desired_count", 2, 3)


@pytest.mark.parametrize(
    ("drifted", "change"),
    [
        (update(COUNT), update(Difference("desired_count", 3, 2))),
        (DELETED, RECREATED),
        (update(COUNT), update(Difference("desired_count", 3, 2), action=Action.REPLACE)),
    ],
)
def test_a_change_that_the_plan_undoes_is_drift(drifted: Change, change: Change) -> None:
    assert drift(StackPlan("services", (change,), drift=(drifted,))) == Drift("services", (change,), ())


@pytest.mark.parametrize(
    "drifted",
    [
        update(TAGS),
        update(Difference("desired_count", None, 0), Difference("tags", None, {})),
        Change("aws_ecs_service.other", "aws_ecs_service", Action.UPDATE, differences=(COUNT,)),
    ],
)
def test_a_change_that_undoes_nothing_is_unapplied(drifted: Change) -> None:
    change = update(Difference("desired_count", 2, 4))
    assert drift(StackPlan("services", (change,), drift=(drifted,))) == Drift("services", (), (change,))


def test_a_change_that_the_plan_keeps_is_not_drift() -> None:
    """After an apply, a refresh finds a group's separate rules and values that AWS filled in."""
    assert drift(StackPlan("services", (), drift=(update(TAGS),))) == Drift("services", (), ())


def test_a_read_is_not_drift() -> None:
    assert drift(StackPlan("services", (update(action=Action.READ),))) == Drift("services", (), ())
