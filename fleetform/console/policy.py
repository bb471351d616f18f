"""The policy: what is found, and the rules."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from fleetform import reports
from fleetform.catalog.loading import load_notices
from fleetform.catalog.wording import suggestion
from fleetform.console.printing import color, write, write_json
from fleetform.errors import CheckFailedError, InputError
from fleetform.policy.reference import HEADINGS, everything, exception, find, plain, row
from fleetform.policy.rule import Rule
from fleetform.policy.rules import shipped
from fleetform.reports import SEVERITIES
from fleetform.workflow import policy, reporting
from fleetform.workflow.policy import Assessment
from fleetform.workflow.project import Project


@dataclass(frozen=True)
class Telling:
    """How findings are told.

    Attributes:
        form: `text`, or one of `reports.FORMATS`.
        as_json: As a plain list instead.
        fail_on: The least severity that fails the check.
    """

    form: str
    as_json: bool = False
    fail_on: str = "low"

    def __post_init__(self) -> None:
        """Refuses what does not go together, and what there is not."""
        if self.as_json and self.form in reports.FORMATS:
            raise InputError(f"`--json` and `--format {self.form}` exclude each other; keep one of them")
        if self.fail_on not in SEVERITIES:
            known = suggestion(self.fail_on, list(SEVERITIES))
            raise InputError(f"`{self.fail_on}` is no severity; {known}")

    @property
    def fatal(self) -> frozenset[str]:
        """The severities that fail the check."""
        return frozenset(SEVERITIES[: SEVERITIES.index(self.fail_on) + 1])


def tell(project: Project, env: str, assessment: Assessment, telling: Telling) -> None:
    """Prints findings, with what the catalog's notices say for a program."""
    if telling.as_json:
        write_json([finding.plain() for finding in assessment.findings])
        return
    remarks = reporting.of_findings(project.root, assessment.findings, everything(shipped()))
    if telling.form in reports.FORMATS:
        notices = load_notices(project.root, env)
        warnings = reporting.of_problems(project.root, notices, reports.Level.WARNING)
        write(reports.FORMATS[telling.form]([*warnings, *remarks]))
    else:
        write(reports.text(remarks, color=color(sys.stdout)))
        sys.stderr.write(_of_baseline(env, assessment))


def _of_baseline(env: str, assessment: Assessment) -> str:
    """What of the baseline is worth saying."""
    mend = f"`invoke check --env {env} --write-baseline` takes them out"
    gone = "".join(f"note: {entry.rule} {entry.stack} {entry.address}\n" for entry in assessment.gone)
    return f"note: the baseline has what is no finding any more; {mend}:\n{gone}" if gone else ""


def require_none(project: Project, env: str, assessment: Assessment, fail_on: str = "low") -> None:
    """Makes sure that nothing is found that fails a check.

    Raises:
        CheckFailedError: Something is.
    """
    if {finding.severity for finding in assessment.findings} & Telling("text", fail_on=fail_on).fatal:
        raise CheckFailedError(summary(project, env, assessment))


def summary(project: Project, env: str, assessment: Assessment) -> str:
    """Such as `3 findings (1 high, 2 medium) in envs/prod`, and what a plan would tell besides."""
    remarks = reporting.of_findings(project.root, assessment.findings, {})
    found = f"{reports.counted(remarks)} in envs/{env}" if remarks else "no findings"
    known = f" besides {assessment.known} of the baseline" if assessment.known else ""
    return found + known


def write_baseline(project: Project, env: str) -> None:
    """Makes what is found now the baseline, and says so."""
    count = policy.write_baseline(project, env)
    write(f"{policy.baseline.baseline_file(env)}: {count} {'finding' if count == 1 else 'findings'}\n")


def explain(identifier: str, *, as_json: bool) -> None:
    """Prints all that is said of a rule."""
    rule = find(everything(shipped()), identifier)
    if as_json:
        write_json(plain(rule))
    else:
        write(explained(rule, color=color(sys.stdout)))


def explained(rule: Rule, *, color: bool) -> str:
    """A rule for a person: what must be so, why, how it fails, how it passes, how to except it."""
    parts = [
        f"{_painted('1', f'{rule.id}: {rule.title}', color=color)}\nseverity: {rule.severity}",
        rule.why,
        f"{_painted('31', 'fails:', color=color)}\n{_indented(rule.bad)}",
        f"{_painted('32', 'passes:', color=color)}\n{_indented(rule.good)}",
        *([f"to accept a finding, above its line or in `exceptions`:\n{_indented(exception(rule))}"] if exception(rule) else []),
        "\n".join([rule.link, *([f"checkov: {', '.join(rule.checkov)}"] if rule.checkov else [])]),
    ]
    return "\n\n".join(parts) + "\n"


def _painted(style: str, text: str, *, color: bool) -> str:
    return f"\033[{style}m{text}\033[0m" if color else text


def _indented(code: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in code.strip().splitlines())


def rules(*, as_json: bool) -> None:
    """Prints all rules."""
    known = everything(shipped()).values()
    if as_json:
        write_json([plain(rule) for rule in known])
    else:
        write(_table([HEADINGS, *map(row, known)]))


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, cells, widths)).rstrip() + "\n" for cells in rows)
