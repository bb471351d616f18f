"""Prints which stacks a change affects, as text or for pipelines."""

import sys
from dataclasses import asdict

from fleetform.cli.printing import write, write_json
from fleetform.workflow.affected.stacks import AffectedStack, Report, affected
from fleetform.workflow.project import Project


def show(project: Project, env: str, reference: str, *, why: bool, as_json: bool) -> None:
    """Print which stacks, and which services in them, differ between a commit and the work tree."""
    report = affected(project, env, reference)
    if report.notice:
        sys.stderr.write(f"warning: {report.notice}\n")
    if as_json:
        write_json(
            {"env": report.env, "since": report.since, "stacks": [asdict(stack) for stack in report.stacks]}
        )
    else:
        write(_text(report, why=why))


def _text(report: Report, *, why: bool) -> str:
    if not report.stacks:
        return f"nothing of {report.env} is affected since {report.since[:12]}\n"
    return "".join(
        _line(stack) + ("".join(f"  {each}\n" for each in stack.why) if why else "")
        for stack in report.stacks
    )


def _line(stack: AffectedStack) -> str:
    """Return such as `services: orders, web`."""
    change = "" if stack.change == "changed" else f" ({stack.change})"
    return f"{stack.name}{change}{': ' if stack.services else ''}{', '.join(stack.services)}\n"
