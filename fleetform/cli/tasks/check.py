"""The task that checks what is rendered."""

from fleetform.cli import policy, render
from fleetform.cli.adapter import load
from fleetform.workflow.project import Project


def check(  # noqa: PLR0913 - a flag each
    project: Project,
    *,
    env: str,
    validate: bool,
    plan: bool,
    as_json: bool,
    explain: str | None,
    fail_on: str,
    write_baseline: bool,
    report_format: str,
) -> None:
    """Check what is rendered, explain a rule, or write the baseline."""
    if explain:
        load("fleetform.cli.rules:explain")(project, explain, as_json=as_json)
    elif write_baseline:
        load("fleetform.cli.policy_report:write_baseline")(project, env)
    else:
        options = policy.OutputOptions(report_format, as_json=as_json, fail_on=fail_on)
        render.check(project, env, options, validate=validate, plan=plan)
