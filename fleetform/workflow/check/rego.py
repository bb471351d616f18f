"""Custom rules in Rego, which run again only if something that their answers follow from has changed."""

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from fleetform.base import fingerprint
from fleetform.base.cache import Kind
from fleetform.base.serialization import JsonCodec
from fleetform.policy import team
from fleetform.policy.finding import Finding
from fleetform.policy.rego import build_input, find_denials, find_engine
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.policy.checking import Policy

_DENIALS: Kind[list[Finding]] = Kind("rego", JsonCodec(list[Finding]))


def collect_denials(
    project: Project, environment: str, policy: "Policy", folders: Sequence[PurePath]
) -> list[Finding]:
    """Return the denials of a project's files in Rego as findings.

    Args:
        project: The checkout.
        environment: The environment's name.
        policy: Provides the resources of its stacks.
        folders: The stacks' folders.

    Raises:
        ProgramError: No program that runs Rego is installed.
        InputError: A file cannot be run, or returns something other than denials.
    """
    files = team.policy_files(project.root, ".rego")
    if not files:
        return []

    engine = find_engine()
    common = (
        fingerprint.code(),
        fingerprint.program(engine.program, project.root),
        policy.fingerprint(folders),
    )
    parts = {file: (*common, str(file).encode(), fingerprint.content(project.root / file)) for file in files}

    def run(missing: Sequence[PurePath]) -> dict[PurePath, list[Finding]]:
        resources = [resource for folder in folders for resource in policy.resources(folder)]
        given = json.dumps(build_input(environment, resources))
        return {file: find_denials(project.root, file, engine, given, resources) for file in missing}

    denials = project.cache.memo_many(_DENIALS, parts, run)
    return [finding for found in denials.values() for finding in found]
