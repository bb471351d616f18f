"""What is to be mended in an environment, told anew only where something that it follows from has changed."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.base.errors import Problem
from fleetform.catalog.files import CATALOG
from fleetform.policy.finding import Finding, OpenAnswer
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.policy.baseline import Entry


@dataclass(frozen=True)
class Assessment:
    """What the policy says of an environment.

    Attributes:
        findings: What is to be mended, by place.
        open: What only a plan can tell.
        known: How many findings the baseline has.
        stale: The entries of the baseline that are no longer found.
        unparsed: The files that the policy cannot parse; only a plan decides about their resources.
        folders: The folders of modules that it has read.
    """

    findings: Sequence[Finding]
    open: Sequence[OpenAnswer] = ()
    known: int = 0
    stale: "Sequence[Entry]" = ()
    unparsed: Sequence[Problem] = ()
    folders: Sequence[str] = ()


def assess(project: Project, env: str) -> Assessment:
    """What the policy says of an environment as it stands on disk.

    Raises:
        CheckFailedError: A module calls itself.
        InputError: The catalog is wrong, or the baseline is none.
    """
    key = _key(project, env)
    for value in project.store.get_many([key]).values():
        folders, modules, remembered = pickle.loads(value)  # noqa: S301 - our own work folder, trusted as the code is
        if modules == _modules(project, folders):
            return remembered  # type: ignore[no-any-return]
    from fleetform.workflow.check import assessing  # noqa: PLC0415 - what is remembered needs neither catalog nor rules

    found = assessing.assess(project, env)
    value = pickle.dumps((found.folders, _modules(project, found.folders), found))
    if _key(project, env) == key:  # nobody wrote meanwhile
        project.store.put_many({key: value})
    return found


def assess_plans(project: Project, env: str, plans: Mapping[str, Any]) -> Assessment:
    """What the policy says of an environment and of its plans; see `assess`.

    Args:
        project: The checkout.
        env: The environment's name.
        plans: What ``terraform show -json`` says of the plans that there are, by stack.
    """
    from fleetform.workflow.check import assessing  # noqa: PLC0415 - as above

    return assessing.assess(project, env, plans)


def _key(project: Project, env: str) -> bytes:
    """A digest of all that an assessment follows from, save for modules; exceptions end with a day."""
    root = project.root
    return digest(
        b"assessment",
        fingerprint.code(),
        datetime.now(UTC).date().isoformat().encode(),
        env.encode(),
        fingerprint.content(root / CATALOG),
        fingerprint.tree(root / "envs" / env),
        fingerprint.tree(root / "policies"),
    )


def _modules(project: Project, folders: Sequence[str]) -> list[bytes]:
    return [fingerprint.tree(project.root / folder) for folder in folders]
