"""CloudWatch Logs."""

from collections.abc import Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Unknown
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs"


@rule(
    "FF003",
    "Log groups have a retention period.",
    "aws_cloudwatch_log_group",
    severity=Severity.MEDIUM,
    why="By default, CloudWatch Logs keeps logs forever, and bills for them.",
    link=f"{_LOGS}/Working-with-log-groups-and-streams.html",
    checkov=("CKV_AWS_66",),
    good='resource "aws_cloudwatch_log_group" "web" {\n  retention_in_days = 30\n}\n',
    bad='resource "aws_cloudwatch_log_group" "web" {\n  name = "/ecs/web"\n}\n',
)
def logs_have_a_retention(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Zero means forever, too."""
    days = resource.value("retention_in_days", default=0)
    if isinstance(days, Unknown):
        yield Undecided(("retention_in_days",))
    elif days == 0:
        yield Violation("logs are kept forever", "set retention_in_days", ("retention_in_days",))
