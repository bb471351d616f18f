"""What of a plan is drift: changed outside of Terraform, and to be changed back.

Not all that a refresh finds: right after an apply it finds values that AWS filled in, and what other resources made,
such as the rules of a security group. So a change is drift if the plan would undo it.
"""

from typing import NamedTuple

from fleetform.terraform.plan.models import Action, Change, StackPlan


class Drift(NamedTuple):
    """What a stack is not as its code says, and why.

    Attributes:
        stack: The stack's name.
        outside: What an apply would do because of changes outside of Terraform.
        unapplied: What it would do because the code has changed since the last apply.
    """

    stack: str
    outside: tuple[Change, ...]
    unapplied: tuple[Change, ...]


def drift(plan: StackPlan) -> Drift:
    """Tells apart why a plan, read with its values, has its changes; what is only read or forgotten is none."""
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
