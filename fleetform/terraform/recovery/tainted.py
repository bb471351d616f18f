"""Resources that an interrupted apply left tainted, because Terraform did not see their creation complete.

The next plan replaces them. With `create_before_destroy`, AWS refuses the new resource: the old one has its
name. Such a resource can be untainted instead; the next apply changes in place whatever it lacks.
"""

from fleetform.terraform.plan.models import REASONS, Action, StackPlan
from fleetform.terraform.recovery.apply_log import NAME_ATTRIBUTES

_TAINTED = REASONS["replace_because_tainted"]


def blocking_taints(plan: StackPlan) -> tuple[str, ...]:
    """Return the addresses that would be replaced only because they are tainted, but cannot be."""
    return tuple(
        change.address
        for change in plan.changes
        if change.type in NAME_ATTRIBUTES
        and (change.action, change.created_first) == (Action.REPLACE, True)
        and (change.reason, change.forced_by) == (_TAINTED, ())
    )
