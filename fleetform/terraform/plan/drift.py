"""Drift: what was changed outside of Terraform, and the plan would change back.

A refresh finds more than that: right after an apply it finds values that AWS filled in, and what other
resources created, such as the rules of a security group. So a change is drift only if the plan would undo it.
"""

from typing import NamedTuple

from fleetform.terraform.plan.models import Action, Change, StackPlan


class Drift(NamedTuple):
    """The differences between a stack and its code, by their cause.

    Attributes:
        stack: The stack's name.
        outside: What an apply would do because of changes outside of Terraform.
        unapplied: What it would do because the code has changed since the last apply.
    """

    stack: str
    outside: tuple[Change, ...]
    unapplied: tuple[Change, ...]


def drift(plan: StackPlan) -> Drift:
    """Split the changes of a plan, read with its values, by cause; reads and forgets do not count."""
    found = {change.address: change for change in plan.drift}
    changes = [change for change in plan.changes if change.action not in {Action.READ, Action.FORGET}]
    outside = [change for change in changes if _is_reverted(found.get(change.address), change)]
    return Drift(plan.stack, tuple(outside), tuple(change for change in changes if change not in outside))


def _is_reverted(drifted: Change | None, change: Change) -> bool:
    if drifted is None:
        return False
    if drifted.action == Action.DELETE:
        return change.action == Action.CREATE
    names = {each.name for each in drifted.differences if each.before or each.after}
    return not names.isdisjoint(each.name for each in change.differences)
