"""What an apply that was interrupted, or lost its connection, leaves tainted: Terraform did not see that it was whole.

A plan replaces it. Where the new one has to be there first, AWS refuses to make it, as the old one has its name. That
can be kept: what it lacks is changed in place.
"""

from fleetform.terraform.plan.models import REASONS, Action, StackPlan
from fleetform.terraform.recovery.apply_log import NAMED

_TAINTED = REASONS["replace_because_tainted"]


def blocking_taints(plan: StackPlan) -> tuple[str, ...]:
    """The addresses of what is replaced for that reason alone, and could not be."""
    return tuple(
        change.address
        for change in plan.changes
        if change.type in NAMED
        and (change.action, change.created_first) == (Action.REPLACE, True)
        and (change.reason, change.forced_by) == (_TAINTED, ())
    )
