"""Prints policy findings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.base.program_name import command
from fleetform.base.suggestions import suggestion
from fleetform.cli.printing import count, write, write_json
from fleetform.policy.rule import Severity
from fleetform.workflow.check.assessment import Assessment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetform.base.errors import Position, Problem
    from fleetform.policy.finding import Finding
    from fleetform.workflow.project import Project

_TEXT = "text"
_SEVERITIES = list(map(str, Severity))


@dataclass(frozen=True)
class OutputOptions:
    """How findings are printed, and which of them fail the check.

    Attributes:
        form: `text`, or one of `reports.FORMATS`.
        as_json: Print a plain JSON list instead.
        fail_on: The lowest severity that fails the check.
    """

    form: str = _TEXT
    as_json: bool = False
    fail_on: str = "low"

    def __post_init__(self) -> None:
        """Refuse flags that exclude each other, and unknown severities."""
        if self.as_json and self.form != _TEXT:
            raise InputError(f"`--json` and `--format {self.form}` exclude each other; keep one of them")
        if self.fail_on not in _SEVERITIES:
            raise InputError(
                f"--fail-on: unknown severity `{self.fail_on}`; {suggestion(self.fail_on, _SEVERITIES)}"
            )

    @property
    def is_text(self) -> bool:
        """Whether warnings go to standard error instead of into the report."""
        return self.form == _TEXT

    @property
    def fatal(self) -> list[str]:
        """The severities that fail the check."""
        return _SEVERITIES[: _SEVERITIES.index(self.fail_on) + 1]


def report(
    project: "Project", assessment: Assessment, notices: "Sequence[Problem]", options: OutputOptions
) -> None:
    """Print findings; in formats for programs, the catalog's notices come before them."""
    if options.as_json:
        write_json([_plain(finding) for finding in assessment.findings])
    elif assessment.findings or not options.is_text:
        from fleetform.cli.policy_report import render_report  # noqa: PLC0415 - rich and all rules, only findings need them

        write(render_report(project, assessment, notices, options.form))


def _plain(finding: "Finding") -> dict[str, Any]:
    """Return a finding as JSON data."""
    texts = ("rule", "severity", "stack", "address", "message", "remedy", "stage")
    return {
        **_place(finding.place),
        **{key: getattr(finding, key) for key in texts},
        "cause": _place(finding.cause) if finding.cause else None,
        "origin": _place(finding.origin) if finding.origin else None,
    }


def _place(place: "Position") -> dict[str, Any]:
    return {"file": place.file.as_posix(), "line": place.line, "column": place.column}


def require_passing(env: str, assessment: Assessment, options: OutputOptions) -> None:
    """Require that no finding fails the check.

    Raises:
        CheckFailedError: A finding fails it.
    """
    if any(finding.severity in options.fatal for finding in assessment.findings):
        raise CheckFailedError(summarize(env, assessment))


def summarize(env: str, assessment: Assessment) -> str:
    """Return a summary such as `3 findings (1 high, 2 medium) in envs/prod`, with other counts."""
    parts = [_count_findings(env, assessment.findings)]
    if assessment.known:
        parts.append(f"{assessment.known} more in the baseline")
    if assessment.open:
        answers = count(len(assessment.open), "answer is", "answers are")
        parts.append(f"{answers} open until a plan: {command('check', env=env, plan=True)}")
    if assessment.stale:
        stale = count(len(assessment.stale), "baseline entry is", "baseline entries are")
        parts.append(f"{stale} obsolete: {command('check', env=env, write_baseline=True)}")
    return "; ".join(parts)


def _count_findings(env: str, findings: "Sequence[Finding]") -> str:
    if not findings:
        return "no findings"
    severities = [str(finding.severity) for finding in findings]
    kinds = ", ".join(f"{severities.count(name)} {name}" for name in _SEVERITIES if name in severities)
    return f"{count(len(findings), 'finding', 'findings')} ({kinds}) in envs/{env}"
