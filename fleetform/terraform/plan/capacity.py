"""Changes of capacity providers, which replace an ECS service unless they start new tasks.

The provider reads `force_new_deployment` when it plans. If it always were true, every update would start new
tasks: https://github.com/hashicorp/terraform-provider-aws/issues/22823.
"""

import re

from fleetform.terraform.plan.models import Action, StackPlan

_STRATEGY = re.compile(r"capacity_provider_strategy\b")
_REFUSED = re.compile(r"force_new_deployment should be true\b.*?\bwith module\.([^.]+)\.", re.DOTALL)
_MODULE = re.compile(r"module\.([^.]+)\.")


def services_with_new_capacity(plan: StackPlan) -> tuple[str, ...]:
    """Return the services that are replaced only because their capacity providers change, sorted."""
    modules = {
        module[1]
        for change in plan.changes
        if change.type == "aws_ecs_service" and change.action == Action.REPLACE and not change.reason
        if change.forced_by and all(map(_STRATEGY.match, change.forced_by))
        if (module := _MODULE.match(change.address))
    }
    return tuple(sorted(modules))


def services_refused_for_capacity(output: str) -> tuple[str, ...]:
    """Return the services for which a later provider refuses the plan of new capacity providers, sorted."""
    return tuple(sorted(set(_REFUSED.findall(output))))
