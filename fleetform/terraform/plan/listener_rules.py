"""Changes of a load balancer's rules: which priorities they take, and who has them until then.

AWS refuses a priority that a different rule has, and the provider changes one rule after the other, so rules
that swap priorities would block each other. One call of SetRulePriorities changes all at once:
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fleetform.terraform.plan.models import Action, StackPlan

TYPE = "aws_lb_listener_rule"
_LAST = 50_000


class RuleChange(NamedTuple):
    """A change of a rule.

    Attributes:
        listener: ARN of its listener.
        arn: ARN of the rule that exists; None for a new rule.
        before: Its priority; None for a new rule.
        after: Its new priority; None if it is deleted.
    """

    listener: str
    arn: str | None
    before: int | None
    after: int | None


def may_collide(plan: StackPlan) -> bool:
    """Return whether a rule could take the priority that a different one has."""
    actions = {change.action for change in plan.changes if change.type == TYPE}
    return Action.UPDATE in actions or {Action.CREATE, Action.DELETE} <= actions or Action.REPLACE in actions


def read(shown: Mapping[str, Any]) -> Iterator[RuleChange]:
    """Read the changes of rules from ``terraform show -json``; without those of listeners to be created."""
    for entry in shown.get("resource_changes", ()):
        if entry["type"] == TYPE and entry["change"]["actions"] not in (["no-op"], ["read"]):
            yield from _read(entry["change"])


def _read(change: Mapping[str, Any]) -> Iterator[RuleChange]:
    before, after = change["before"], change["after"]
    if before and after and before["listener_arn"] == after.get("listener_arn"):
        yield RuleChange(before["listener_arn"], before["arn"], before["priority"], after["priority"])
        return
    if before:
        yield RuleChange(before["listener_arn"], before["arn"], before["priority"], None)
    if after and after.get("listener_arn"):
        yield RuleChange(after["listener_arn"], None, None, after["priority"])


def reorder(changes: Sequence[RuleChange], priorities: Mapping[str, int]) -> dict[str, int]:
    """Return the priorities to set before the changes of one listener's rules; empty if none collide.

    A rule that will be deleted makes room at the end. Also empty if a rule without a change has a priority
    that a different one would take: no order helps, and AWS reports it.

    Args:
        changes: The changes.
        priorities: The priorities on AWS, by the rules' ARNs.
    """
    known = {change.arn: change.after for change in changes if change.arn in priorities}
    added = [change.after for change in changes if change.arn is None]
    moves = {arn: after for arn, after in known.items() if arn and after and after != priorities[arn]}
    wanted = {*moves.values(), *added}
    holders = {
        arn for arn, priority in priorities.items() if priority in wanted and known.get(arn) != priority
    }
    deleted = sorted(arn for arn in holders if arn in known and known[arn] is None)
    if not holders or holders - moves.keys() - set(deleted):
        return {}
    taken = {*wanted, *priorities.values()}
    free = (number for number in range(_LAST, 0, -1) if number not in taken)
    return moves | dict(zip(deleted, free, strict=False))
