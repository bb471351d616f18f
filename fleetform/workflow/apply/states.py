"""Creates the state bucket of an environment, and reads which stacks have a state."""

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
    """Create or update the environment's state bucket, and return the outcome of each setting."""
    environment = workspace.environment
    tags = {"application": environment.application, "environment": environment.name, **environment.tags}
    spec = BucketSpec(environment.state_bucket, environment.account, environment.kms_key, tags)
    with translate_failures(environment.name):
        return ensure_bucket(workspace.access, spec)


def require_bucket(workspace: Workspace) -> None:
    """Create the state bucket if it is on an emulator, once for each start of the emulator."""

    def create() -> bool:
        bootstrap(workspace)
        return True

    if workspace.environment.emulator:
        _check_once(workspace, workspace.facts / "bucket", create)


def has_state(workspace: Workspace, stack: Stack) -> bool:
    """Return whether a stack is applied. A yes is cached until the stack is applied again, or destroyed."""

    def ask() -> bool:
        with translate_failures(workspace.environment.name):
            return reader.has_state(workspace.access, workspace.environment.state_bucket, stack.name)

    return _check_once(workspace, workspace.applied_fact(stack), ask)


def _check_once(workspace: Workspace, file: Path, ask: Callable[[], bool]) -> bool:
    """Check a fact about the state bucket until it is true, and again for each emulator that is started."""
    bucket = _bucket_fingerprint(workspace)
    if fingerprint.content(file) == digest(b"", bucket):
        return True
    if not ask():
        return False
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(bucket)
    return True


def _bucket_fingerprint(workspace: Workspace) -> bytes:
    """Return a fingerprint that distinguishes buckets of the same name on AWS and on different emulators."""
    name, endpoint = workspace.environment.state_bucket, workspace.variables.get("AWS_ENDPOINT_URL", "")
    records: list[bytes] = []
    if workspace.environment.emulator:
        # One emulator for the project or, if an AWS environment is applied to this machine, its own emulator.
        records = [
            fingerprint.content(folder / RECORD) for folder in (workspace.work, workspace.work.parents[1])
        ]
    return digest(name.encode(), endpoint.encode(), *records)


def require_unmoved_services(workspace: Workspace) -> None:
    """Make sure that no apply would recreate a service in a different stack, or lose sight of one.

    Raises:
        CheckFailedError: A service's resources are in another stack's state, or in that of a stack without a
            folder.
    """
    environment = workspace.environment
    with translate_failures(environment.name):
        services_by_state = reader.modules(workspace.access, environment.state_bucket)
    home = {
        name: stack.name
        for stack in workspace.stacks
        for service in stack.services
        for name in (service, *environment.services[service].renamed_from)
    }
    names = {stack.name for stack in (*workspace.stacks, *workspace.emptied)}
    problems = [
        f"{stack}: its state holds resources, but envs/{environment.name}/{stack} is missing; restore the"
        " folder from"
        " Git, and apply: that destroys what is left"
        for stack in sorted(services_by_state.keys() - names)
    ]
    problems += [
        f"{name}: now in the group {home[name]}, but its resources are in the state of {stack}; an apply"
        " would destroy"
        " and recreate them; docs/upgrading.md shows how to move them"
        for stack in sorted(services_by_state.keys() & names - {FOUNDATION.name})
        for name in sorted(services_by_state[stack])
        if home.get(name, stack) != stack
    ]
    if problems:
        raise CheckFailedError("\n".join(problems))
