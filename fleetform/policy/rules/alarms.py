"""CloudWatch alarms."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Unknown, Value
from fleetform.policy.requirements import FALSE
from fleetform.policy.rule import Severity, Undecided, Violation, environment_rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

Answers: TypeAlias = Iterator[tuple[Resource, Violation | Undecided]]

_ALARM, _COMPOSITE, _SERVICE = (
    "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_composite_alarm",
    "aws_ecs_service",
)
_REMEDY = "set an SNS topic (`monitoring.topics` in the catalog)"
_ACTIONS = ("alarm_actions", "ok_actions", "insufficient_data_actions")


@environment_rule(
    "FF066",
    "Alarms have an action.",
    *(_ALARM, _COMPOSITE, _SERVICE),
    severity=Severity.LOW,
    why="An alarm without an action only shows on a dashboard: no one is notified.",
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html",
    checkov=("CKV_AWS_319",),
    good="""\
resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name    = "web-cpu"
  alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
}
""",
    bad="""\
resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name = "web-cpu"
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  alarm_name      = "web-memory"
  alarm_actions   = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
  actions_enabled = false
}
""",
    keeps=lambda _: [("actions_enabled",), ("alarm_actions",)],
)
def alarms_have_an_action(view: View, environment: "Environment") -> Answers:
    """Check protected environments; alarms that roll back deployments, or feed others, need no action."""
    if not environment.protection:
        return
    alarms, deployment_alarms = view.of(_ALARM, _COMPOSITE), _deployment_alarms(view)
    silent = [
        alarm for alarm in alarms if _is_silent(alarm) and alarm.value("alarm_name") not in deployment_alarms
    ]
    if silent and len(silent) == len(alarms) > 1:
        yield silent[0], Violation(f"none of the {len(alarms)} alarms has an action", _REMEDY)
        return
    composite_alarms = view.of(_COMPOSITE)
    for alarm in alarms:
        if alarm.value("actions_enabled") in FALSE:
            yield alarm, Violation("its actions are disabled", "remove actions_enabled", ("actions_enabled",))
        elif any(isinstance(alarm.value(name), Unknown) for name in _ACTIONS):
            yield alarm, Undecided(("alarm_actions",))
        elif alarm in silent and not composite_alarms:
            yield alarm, Violation("it has no action", _REMEDY)


def _is_silent(alarm: Resource) -> bool:
    return not any(alarm.value(name) for name in _ACTIONS)


def _deployment_alarms(view: View) -> list[Value]:
    """Return the names of the alarms that roll back deployments."""
    names_by_service = [service.value("alarms", 0, "alarm_names") for service in view.of(_SERVICE)]
    return [name for alarm_names in names_by_service if isinstance(alarm_names, list) for name in alarm_names]
