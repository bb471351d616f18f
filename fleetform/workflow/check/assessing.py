"""What is to be mended in an environment: what the policy finds, less what is excepted and what the baseline has."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fleetform.base.errors import InputError, Position, Problem, ProgramError
from fleetform.catalog.locator import locator
from fleetform.catalog.overlay import remove_nulls
from fleetform.catalog.writer import write_atomically
from fleetform.hcl.parsing import UnreadableError
from fleetform.policy import baseline
from fleetform.policy.exceptions import ExceptionContext, apply_exceptions
from fleetform.validation.loading import read_environment
from fleetform.workflow.check.assessment import Assessment
from fleetform.workflow.check.policy import Check
from fleetform.workflow.project import Project

_NONE: Mapping[str, Any] = {}


def assess(project: Project, env: str, plans: Mapping[str, Any] = _NONE) -> Assessment:
    """What the policy says of an environment as it stands on disk.

    Args:
        project: The checkout.
        env: The environment's name.
        plans: What ``terraform show -json`` says of the plans that there are, by stack.

    Raises:
        CheckFailedError: A file is not valid HCL.
        InputError: The catalog is wrong, or the baseline is none.
    """
    judged = _judged(project, env, plans)
    compared = baseline.compare(judged.findings, _baseline(project, env), judged.open)
    known = len(judged.findings) - len(compared.new)
    return replace(judged, findings=compared.new, known=known, stale=compared.stale)


def write_baseline(project: Project, env: str) -> int:
    """Makes what is found now the baseline of an environment, or removes it if that is nothing.

    Returns:
        How many findings it has.

    Raises:
        ProgramError: It cannot be written. What `assess` raises, save about the baseline.
    """
    text, file = baseline.to_json(_judged(project, env, _NONE).findings), project.root / baseline.baseline_file(env)
    entries = baseline.parse(text, env)
    try:
        if entries:
            write_atomically(file, text)
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        message = f"{baseline.baseline_file(env)}: cannot be written: {error.strerror}"
        raise ProgramError(f"{message}; fix that and run the command again") from None
    return len(entries)


def _judged(project: Project, env: str, plans: Mapping[str, Any]) -> Assessment:
    """What is found and not excepted, and what nobody knows yet; without the baseline."""
    check = Check(project, env)
    outcome = check.text()
    verdicts = check.plans(plans, outcome.verdicts) if plans else outcome.verdicts
    context = ExceptionContext(
        datetime.now(UTC).date(),
        # Those in Rego say theirs only when they find something.
        {*check.rules, *(finding.rule for finding in verdicts.findings)},
        _places(project.root, env),
        frozenset(verdicts.open),
    )
    comments = list(check.allows(outcome.allowing))
    return Assessment(
        apply_exceptions(verdicts.findings, check.outline.exceptions, comments, context),
        verdicts.open,
        unparsed=[] if plans else [_unread(error) for error in outcome.unreadable],
        folders=check.folders,
    )


def _unread(error: UnreadableError) -> Problem:
    reason = f" ({error.reason})" if error.reason else ""
    message = f"the policy cannot parse this file from here on{reason}: its resources are checked only on a plan"
    return Problem(error.position, message)


def _places(root: Path, env: str) -> Callable[[int], Position]:
    """Where each exception of the catalog is written; the YAML is read again only if anybody asks."""

    @cache
    def at() -> Callable[..., Position]:
        return locator(remove_nulls(read_environment(root, env).tree))

    return lambda index: at()("exceptions", index)


def _baseline(project: Project, env: str) -> list[baseline.Entry]:
    file = baseline.baseline_file(env)
    try:
        return baseline.parse((project.root / file).read_text(encoding="utf-8"), env)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}; make it a readable file") from None
