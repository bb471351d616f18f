"""ECS clusters."""

from collections.abc import Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown
from fleetform.policy.requirements import require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_CLUSTER = "aws_ecs_cluster"
_EXEC: Path = ("configuration", 0, "execute_command_configuration", 0)


def _cluster(logging: str) -> str:
    return f"""\
resource "aws_ecs_cluster" "this" {{
  name = "shop-prod"

  configuration {{
    execute_command_configuration {{
      logging = "{logging}"
    }}
  }}
}}
"""


@rule(
    "FF060",
    "ECS Exec sessions are logged.",
    _CLUSTER,
    severity=Severity.MEDIUM,
    why="Otherwise a shell in production leaves no record of what was done.",
    link=f"{_GUIDE}/ecs-exec.html",
    checkov=("CKV_AWS_223",),
    good=_cluster("DEFAULT"),
    bad=_cluster("NONE"),
)
def exec_sessions_are_logged(resource: Resource, _: Facts) -> Iterator[Violation | Undecided]:
    """Accept the default, with which ECS logs to the containers' own log groups."""
    at = (*_EXEC, "logging")
    violation = Violation("ECS Exec sessions are not logged", 'set logging = "OVERRIDE" and a log group', at)
    yield from require(resource, ("DEFAULT", "OVERRIDE"), violation, default="DEFAULT")


def _insights(value: str) -> str:
    setting = f'    name  = "containerInsights"\n    value = "{value}"\n'
    return f'resource "aws_ecs_cluster" "this" {{\n  setting {{\n{setting}  }}\n}}\n'


@rule(
    "FF065",
    "Container Insights is enabled.",
    _CLUSTER,
    severity=Severity.LOW,
    why="Without it, no metric shows that a service runs below its desired count, or how much a task uses.",
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ContainerInsights.html",
    checkov=("CKV_AWS_65",),
    good=_insights("enhanced"),
    bad=_insights("disabled"),
)
def container_insights_is_enabled(resource: Resource, facts: Facts) -> Iterator[Violation | Undecided]:
    """Check protected environments, as metrics cost. The default is the account's setting, or off."""
    settings = resource.value("setting", default=[])
    if not facts.protected:
        return
    if not isinstance(settings, list) or any(isinstance(setting, Unknown) for setting in settings):
        yield Undecided(("setting",))
        return
    names = [resource.value("setting", index, "name") for index in range(len(settings))]
    at: Path = (
        ("setting", names.index("containerInsights"), "value")
        if "containerInsights" in names
        else ("setting",)
    )
    violation = Violation(
        "Container Insights is off", "enable containerInsights (`container_insights` in the catalog)", at
    )
    if len(at) == 1:
        yield violation
    else:
        yield from require(resource, ("enabled", "enhanced"), violation)
