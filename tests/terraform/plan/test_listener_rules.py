"""Priorities that rules of a load balancer take from each other."""

import pytest

from fleetform.terraform.plan.listener_rules import RuleChange, may_collide, read, reorder
from fleetform.terraform.plan.models import Action, Change, StackPlan

A, B, C = "arn:a", "arn:b", "arn:c"


def change(arn: str | None, before: int | None, after: int | None) -> RuleChange:
    return RuleChange("arn:listener", arn, before, after)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([change(A, 10, 20), change(B, 20, 10)], {A: 20, B: 10}),
        ([change(A, 10, 20), change(B, 20, 30)], {A: 20, B: 30}),
        ([change(A, 10, 20), change(B, 20, None)], {A: 20, B: 49_999}),
        ([change(None, None, 20), change(B, 20, None)], {B: 49_999}),
        ([change(None, None, 20), change(B, 20, 30)], {B: 30}),
        ([change(A, 10, 30), change(B, 20, None)], {}),
        ([change(A, 10, 10), change(None, None, 30)], {}),
        ([change(A, 10, 20)], {}),
    ],
    ids=[
        "a swap",
        "a chain",
        "of a deleted rule",
        "of a deleted rule, for a new one",
        "of a rule that moves, for a new one",
        "free",
        "unchanged",
        "of a rule that stays",
    ],
)
def test_rules_make_room_only_if_a_priority_is_taken(
    changes: list[RuleChange], expected: dict[str, int]
) -> None:
    assert reorder(changes, {A: 10, B: 20, C: 50_000}) == expected


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([Action.UPDATE], True),
        ([Action.REPLACE], True),
        ([Action.CREATE, Action.DELETE], True),
        ([Action.CREATE], False),
        ([Action.DELETE], False),
        ([], False),
    ],
)
def test_a_plan_is_read_only_if_rules_may_collide(actions: list[Action], expected: bool) -> None:  # noqa: FBT001
    changes = tuple(Change(f"rule.{action}", "aws_lb_listener_rule", action) for action in actions)
    assert may_collide(StackPlan("services", changes)) == expected


def entry(actions: list[str], before: object, after: object) -> dict[str, object]:
    change = {"actions": actions, "before": before, "after": after}
    return {"type": "aws_lb_listener_rule", "change": change}


def test_changes_are_read_from_the_plan() -> None:
    old = {"listener_arn": "arn:listener", "arn": A, "priority": 10}
    changes = [
        entry(["update"], old, {**old, "priority": 20}),
        entry(["delete"], old, None),
        entry(["create"], None, {"listener_arn": "arn:listener", "priority": 30}),
        entry(["create"], None, {"priority": 30}),
        entry(["delete", "create"], old, {"listener_arn": "arn:other", "priority": 10}),
        entry(["no-op"], old, old),
    ]
    assert [*read({"resource_changes": changes})] == [
        change(A, 10, 20),
        change(A, 10, None),
        change(None, None, 30),
        change(A, 10, None),
        RuleChange("arn:other", None, None, 10),
    ]
