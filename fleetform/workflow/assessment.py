"""What is to be mended in an environment: what the policy finds, less what is excepted and what the baseline has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from fleetform.catalog.files import EXTRA_NAME
from fleetform.catalog.loading import load, resolve
from fleetform.catalog.locating import locator
from fleetform.catalog.models import Environment
from fleetform.catalog.overlay import without_nulls
from fleetform.catalog.writing import replace_text
from fleetform.errors import InputError, Position, ProgramError
from fleetform.policy import baseline
from fleetform.policy.exceptions import SIGN, Allow, Circumstances, allows, judge
from fleetform.policy.finding import Finding
from fleetform.policy.judging import Open
from fleetform.stacks import stacks
from fleetform.workflow.policy import Check
from fleetform.workflow.project import Project

_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Assessment:
    """What the policy says of an environment.

    Attributes:
        findings: What is to be mended, by place.
        open: What only a plan can tell.
        known: How many findings the baseline has.
        gone: What the baseline has and nothing finds any more.
    """

    findings: Sequence[Finding]
    open: Sequence[Open] = ()
    known: int = 0
    gone: Sequence[baseline.Entry] = ()


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
    findings, undecided = _judged(project, env, plans)
    compared = baseline.compare(findings, _baseline(project, env), undecided)
    return Assessment(compared.new, undecided, len(findings) - len(compared.new), compared.gone)


def write_baseline(project: Project, env: str) -> int:
    """Makes what is found now the baseline of an environment, or removes it if that is nothing.

    Returns:
        How many findings it has.

    Raises:
        ProgramError: It cannot be written. What `assess` raises, save about the baseline.
    """
    findings, _ = _judged(project, env, _NONE)
    text, file = baseline.written(findings), project.root / baseline.baseline_file(env)
    entries = baseline.read(text, env)
    try:
        if entries:
            replace_text(file, text)
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        message = f"{baseline.baseline_file(env)}: cannot be written: {error.strerror}"
        raise ProgramError(f"{message}; mend that and run it again") from None
    return len(entries)


def _judged(project: Project, env: str, plans: Mapping[str, Any]) -> tuple[list[Finding], Sequence[Open]]:
    """What is found and not excepted, and what nobody knows yet."""
    environment = load(project.root, env)
    check = Check(project, environment)
    judgement = check.text().judgement
    if plans:
        judgement = check.plans(plans, judgement)
    circumstances = Circumstances(
        datetime.now(UTC).date(),
        _known(check, judgement.findings),
        _places(project.root, env),
        frozenset(judgement.open),
    )
    comments = list(_comments(project.root, environment))
    return judge(judgement.findings, environment.exceptions, comments, circumstances), judgement.open


def _known(check: Check, findings: Sequence[Finding]) -> set[str]:
    """The ids of rules; those in Rego say theirs only when they find something."""
    return {*check.rules, *(finding.rule for finding in findings)}


def _places(root: Path, env: str) -> Callable[[int], Position]:
    """Where each exception of the catalog is written; the YAML is read again only if anybody asks."""

    @cache
    def at() -> Callable[..., Position]:
        return locator(without_nulls(resolve(root, env).tree))

    return lambda index: at()("exceptions", index)


def _comments(root: Path, environment: Environment) -> Iterator[Allow]:
    for stack in stacks(environment):
        folder = PurePath("envs", environment.name, stack.name)
        for own in (folder, folder / EXTRA_NAME):
            for path in sorted((root / own).glob("*.tf")):
                content = path.read_bytes()
                if SIGN.encode() in content:
                    yield from allows(content.decode(errors="replace"), own / path.name)


def _baseline(project: Project, env: str) -> list[baseline.Entry]:
    file = baseline.baseline_file(env)
    try:
        return baseline.read((project.root / file).read_text(encoding="utf-8"), env)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}; make it a readable file") from None
