"""What the policy finds, told."""

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
    """How findings are told.

    Attributes:
        form: `text`, or one of the forms of `reports.FORMATS`.
        as_json: As a plain list instead.
        fail_on: The least severity that fails the check.
    """

    form: str = _TEXT
    as_json: bool = False
    fail_on: str = "low"

    def __post_init__(self) -> None:
        """Refuses what does not go together, and what there is not."""
        if self.as_json and self.form != _TEXT:
            raise InputError(f"`--json` and `--format {self.form}` exclude each other; keep one of them")
        if self.fail_on not in _SEVERITIES:
            raise InputError(f"`{self.fail_on}` is no severity; {suggestion(self.fail_on, _SEVERITIES)}")

    @property
    def is_text(self) -> bool:
        """Whether warnings are told beside what is printed, not in it."""
        return self.form == _TEXT

    @property
    def fatal(self) -> list[str]:
        """The severities that fail the check."""
        return _SEVERITIES[: _SEVERITIES.index(self.fail_on) + 1]


def report(project: "Project", found: Assessment, notices: "Sequence[Problem]", telling: OutputOptions) -> None:
    """Prints findings; to a program, the catalog's notices before them."""
    if telling.as_json:
        write_json([_plain(finding) for finding in found.findings])
    elif found.findings or not telling.is_text:
        from fleetform.cli.policy_report import render_report  # noqa: PLC0415 - rich and all rules, only findings need them

        write(render_report(project, found, notices, telling.form))


def _plain(finding: "Finding") -> dict[str, Any]:
    """A finding as JSON has it."""
    texts = ("rule", "severity", "stack", "address", "message", "remedy", "stage")
    return {
        **_place(finding.place),
        **{key: getattr(finding, key) for key in texts},
        "cause": _place(finding.cause) if finding.cause else None,
        "origin": _place(finding.origin) if finding.origin else None,
    }


def _place(place: "Position") -> dict[str, Any]:
    return {"file": place.file.as_posix(), "line": place.line, "column": place.column}


def require_passing(env: str, found: Assessment, telling: OutputOptions) -> None:
    """Makes sure that nothing is found that fails the check.

    Raises:
        CheckFailedError: Something is.
    """
    if any(finding.severity in telling.fatal for finding in found.findings):
        raise CheckFailedError(summarize(env, found))


def summarize(env: str, found: Assessment) -> str:
    """Such as `3 findings (1 high, 2 medium) in envs/prod`, and what is not told with it."""
    parts = [_count_findings(env, found.findings)]
    if found.known:
        parts.append(f"{found.known} more in the baseline")
    if found.open:
        answers = count(len(found.open), "answer is", "answers are")
        parts.append(f"{answers} open until a plan: {command('check', env=env, plan=True)}")
    if found.stale:
        gone = count(len(found.stale), "entry of the baseline is", "entries of the baseline are")
        parts.append(f"{gone} not found any more: {command('check', env=env, write_baseline=True)}")
    return "; ".join(parts)


def _count_findings(env: str, findings: "Sequence[Finding]") -> str:
    if not findings:
        return "no findings"
    severities = [str(finding.severity) for finding in findings]
    kinds = ", ".join(f"{severities.count(name)} {name}" for name in _SEVERITIES if name in severities)
    return f"{count(len(findings), 'finding', 'findings')} ({kinds}) in envs/{env}"
