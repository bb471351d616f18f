"""The states of an environment: their bucket, and what is in it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.base.errors import CheckFailedError
from fleetform.emulator.process import RECORD
from fleetform.stacks import FOUNDATION, Stack
from fleetform.terraform.failures import translate_failures
from fleetform.terraform.state import reader
from fleetform.terraform.state.bucket import BucketSpec, ensure_bucket
from fleetform.workflow.workspace import Workspace

if TYPE_CHECKING:
    from fleetform.terraform.state.bucket import Outcome


def bootstrap(workspace: Workspace) -> "dict[str, Outcome]":
    """Makes the bucket for the environment's state, or brings it up to date; says what was done about what."""
    environment = workspace.environment
    tags = {"application": environment.application, "environment": environment.name, **environment.tags}
    wanted = BucketSpec(environment.state_bucket, environment.account, environment.kms_key, tags)
    with translate_failures(environment.name):
        return ensure_bucket(workspace.access, wanted)


def require_bucket(workspace: Workspace) -> None:
    """Makes the bucket for the state where no one is asked: on an emulator; once for each that is started."""

    def make() -> bool:
        bootstrap(workspace)
        return True

    if workspace.environment.emulator:
        _check_once(workspace, workspace.facts / "bucket", make)


def has_state(workspace: Workspace, stack: Stack) -> bool:
    """Whether a stack is applied; that it is stays so until it is applied again, or destroyed."""

    def ask() -> bool:
        with translate_failures(workspace.environment.name):
            return reader.has_state(workspace.access, workspace.environment.state_bucket, stack.name)

    return _check_once(workspace, workspace.applied_fact(stack), ask)


def _check_once(workspace: Workspace, file: Path, ask: Callable[[], bool]) -> bool:
    """A fact about the bucket of states: asked for until it is true, and again for each emulator that is started."""
    there = _bucket_fingerprint(workspace)
    if fingerprint.content(file) == digest(b"", there):
        return True
    if not ask():
        return False
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(there)
    return True


def _bucket_fingerprint(workspace: Workspace) -> bytes:
    """Which bucket it is, of all that have its name."""
    name, endpoint = workspace.environment.state_bucket, workspace.variables.get("AWS_ENDPOINT_URL", "")
    records: list[bytes] = []
    if workspace.environment.emulator:
        # One for the project or, where an environment of AWS's is applied to this machine, of its own.
        records = [fingerprint.content(folder / RECORD) for folder in (workspace.work, workspace.work.parents[1])]
    return digest(name.encode(), endpoint.encode(), *records)


def require_settled(workspace: Workspace) -> None:
    """Make sure that no apply would recreate a service in a different stack, or lose sight of one.

    Raises:
        CheckFailedError: A service's resources are in another stack's state, or in that of a stack without a folder.
    """
    environment = workspace.environment
    with translate_failures(environment.name):
        held = reader.modules(workspace.access, environment.state_bucket)
    home = {
        name: stack.name
        for stack in workspace.stacks
        for service in stack.services
        for name in (service, *environment.services[service].renamed_from)
    }
    known = {stack.name for stack in (*workspace.stacks, *workspace.emptied)}
    problems = [
        f"{stack}: its state holds resources, and envs/{environment.name}/{stack} is gone; take the folder from Git"
        f" again: an apply destroys what is left"
        for stack in sorted(held.keys() - known)
    ]
    problems += [
        f"{name}: now of the group {home[name]}, but its resources are in the state of {stack}; an apply would destroy"
        " them and make others: docs/upgrading.md moves them"
        for stack in sorted(held.keys() & known - {FOUNDATION.name})
        for name in sorted(held[stack])
        if home.get(name, stack) != stack
    ]
    if problems:
        raise CheckFailedError("\n".join(problems))
