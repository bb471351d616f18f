"""Makes room for the priorities that plans give to a load balancer's rules."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.base.errors import ProgramError
from fleetform.terraform.plan import listener_rules
from fleetform.terraform.plan.listener_rules import RuleChange
from fleetform.workflow.apply import terraform
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.workspace import Workspace


def make_room(workspace: Workspace, plans: Iterable[Plan]) -> None:
    """Swap priorities in one call, because Terraform would change one rule after the other.

    Terraform then finds each rule where its plan moves it.

    Raises:
        ProgramError: AWS reports an error.
    """
    by_listener: dict[str, list[RuleChange]] = defaultdict(list)
    for plan in plans:
        if not plan.stack.reads_foundation:
            continue
        if listener_rules.may_collide(terraform.read_changes(workspace, plan)):
            for change in listener_rules.read(terraform.show(workspace, plan)):
                by_listener[change.listener].append(change)
    try:
        for listener, changes in by_listener.items():
            _make_room(workspace.access.client("elbv2"), listener, changes)
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"the priorities of listener rules cannot be changed: {error}") from None


def _make_room(balancing: Any, listener: str, changes: Sequence[RuleChange]) -> None:  # noqa: ANN401 - boto3
    pages = balancing.get_paginator("describe_rules").paginate(ListenerArn=listener)
    rules = [rule for page in pages for rule in page["Rules"] if not rule["IsDefault"]]
    priorities = listener_rules.reorder(changes, {rule["RuleArn"]: int(rule["Priority"]) for rule in rules})
    if priorities:
        balancing.set_rule_priorities(
            RulePriorities=[{"RuleArn": arn, "Priority": number} for arn, number in priorities.items()]
        )
