"""A team's rules in Rego, run anew only where something that their answers follow from has changed."""

import json
import pickle
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.policy import team
from fleetform.policy.rego import build_input, find_denials, find_engine
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.policy.checking import Policy
    from fleetform.policy.finding import Finding


def findings(project: Project, environment: str, policy: "Policy", folders: Sequence[PurePath]) -> "list[Finding]":
    """What a team's files of Rego deny.

    Args:
        project: The checkout.
        environment: The environment's name.
        policy: What knows the resources of its stacks.
        folders: The stacks' folders.

    Raises:
        ProgramError: There is nothing to run them with.
        InputError: A file cannot be run, or says what is no denial.
    """
    files = team.policy_files(project.root, ".rego")
    if not files:
        return []

    engine = find_engine()
    asked = digest(fingerprint.code(), fingerprint.program(engine.program, project.root), policy.identity(folders))
    keys = {
        file: digest(b"rego", asked, str(file).encode(), fingerprint.content(project.root / file)) for file in files
    }
    answers = project.store.get_many(keys.values())
    missing = {file: key for file, key in keys.items() if key not in answers}
    if missing:
        resources = [resource for folder in folders for resource in policy.resources(folder)]
        given = json.dumps(build_input(environment, resources))
        fresh = {
            key: pickle.dumps(find_denials(project.root, file, engine, given, resources))
            for file, key in missing.items()
        }
        project.store.put_many(fresh)
        answers |= fresh
    return [finding for key in keys.values() for finding in pickle.loads(answers[key])]  # noqa: S301 - our own work folder, trusted as the code is
