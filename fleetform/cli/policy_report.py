"""Reports of findings, and the baseline that accepts them.

A check loads this module only if there are findings.
"""

import sys
from collections.abc import Sequence

from fleetform import reports
from fleetform.base.errors import Problem
from fleetform.catalog.files import baseline_file
from fleetform.cli.printing import color, count, write
from fleetform.policy.reference import with_exception_rules
from fleetform.policy.team import all_rules
from fleetform.workflow.check import assessment, reporting
from fleetform.workflow.check.assessment import Assessment
from fleetform.workflow.project import Project


def render_report(project: Project, result: Assessment, notices: Sequence[Problem], form: str) -> str:
    """Return a report of findings.

    Args:
        project: The checkout.
        result: The result of a check.
        notices: Notices of the catalog, which come first in a report for a program.
        form: `text`, or one of `reports.FORMATS`.
    """
    diagnostics = reporting.of_findings(
        project.root, result.findings, with_exception_rules(all_rules(project.root))
    )
    if form not in reports.FORMATS:
        return reports.text(diagnostics, color=color(sys.stdout))
    return reports.FORMATS[form](
        [*reporting.of_problems(project.root, notices, reports.Level.WARNING), *diagnostics]
    )


def write_baseline(project: Project, env: str) -> None:
    """Write the current findings into the baseline, and print how many there are."""
    number = assessment.write_baseline(project, env)
    file = baseline_file(env)
    write(
        f"{file}: {count(number, 'finding', 'findings')}\n"
        if number
        else f"no findings: no {file} is needed\n"
    )
