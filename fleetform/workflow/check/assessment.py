"""The assessment of an environment: policy findings without exceptions and baseline, cached as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fleetform.base import fingerprint
from fleetform.base.cache import Kind
from fleetform.base.errors import Problem
from fleetform.base.serialization import JsonCodec
from fleetform.catalog.files import CATALOG, baseline_file
from fleetform.policy.finding import BaselineEntry, Finding, OpenAnswer
from fleetform.workflow.project import Project

_NO_PLANS: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Assessment:
    """The result of a check of an environment against the policy.

    Attributes:
        findings: The findings to fix, by place.
        open: The answers that only a plan has.
        known: The number of findings in the baseline.
        stale: The entries of the baseline that are not found anymore.
        unparsed: The files that cannot be parsed, whose resources only a plan shows.
        folders: The folders of the modules that were read.
    """

    findings: Sequence[Finding]
    open: Sequence[OpenAnswer] = ()
    known: int = 0
    stale: Sequence[BaselineEntry] = ()
    unparsed: Sequence[Problem] = ()
    folders: Sequence[str] = ()


class _Cached(NamedTuple):
    """A cached assessment, with the digests of the modules in its folders."""

    modules: tuple[bytes, ...]
    assessment: Assessment


_ASSESSMENT: Kind[_Cached] = Kind("assessment", JsonCodec(_Cached))


def assess(project: Project, env: str) -> Assessment:
    """Return the assessment of an environment as it is on disk.

    Raises:
        CheckFailedError: A module calls itself.
        InputError: The catalog is wrong, or the baseline is invalid.
    """

    def make() -> _Cached:
        assessment = _assess(project, env, _NO_PLANS)
        return _Cached(_modules(project, assessment), assessment)

    def is_current(cached: _Cached) -> bool:
        return cached.modules == _modules(project, cached.assessment)

    return project.cache.memo(_ASSESSMENT, lambda: _parts(project, env), make, is_current).assessment


def assess_plans(project: Project, env: str, plans: Mapping[str, Any]) -> Assessment:
    """Return the assessment of an environment and of its plans; see `assess`.

    Args:
        project: The checkout.
        env: The environment's name.
        plans: The output of ``terraform show -json`` by stack, for the stacks with a plan.
    """
    return _assess(project, env, plans)


def write_baseline(project: Project, env: str) -> int:
    """Write the current findings of an environment into its baseline, or remove it if there are none.

    Returns:
        The number of findings in it.

    Raises:
        ProgramError: It cannot be written. For other errors, see `assess`, except for an invalid baseline.
    """
    from fleetform.workflow.check import policy  # noqa: PLC0415 - as in `_assess`

    return policy.write_baseline(project, env)


def _assess(project: Project, env: str, plans: Mapping[str, Any]) -> Assessment:
    from fleetform.workflow.check import policy  # noqa: PLC0415 - a cached assessment needs neither catalog nor rules

    results = policy.evaluate(project, env, plans)
    compared = policy.compare_with_baseline(project, env, results)
    known = len(results.findings) - len(compared.new)
    return Assessment(compared.new, results.open, known, compared.stale, results.unparsed, results.folders)


def _parts(project: Project, env: str) -> tuple[bytes, ...]:
    """Return digests of everything that an assessment follows from, except for modules.

    Exceptions end with a day.
    """
    root = project.root
    return (
        fingerprint.code(),
        datetime.now(UTC).date().isoformat().encode(),
        env.encode(),
        fingerprint.content(root / CATALOG),
        fingerprint.tree(root / "envs" / env),
        fingerprint.content(root / baseline_file(env)),  # even if it is a folder, which has no content
        fingerprint.tree(root / "policies"),
    )


def _modules(project: Project, assessment: Assessment) -> tuple[bytes, ...]:
    return tuple(fingerprint.tree(project.root / folder) for folder in assessment.folders)
