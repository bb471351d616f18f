"""The stacks that `terraform validate` has accepted, as they are now."""

from fleetform.base import fingerprint
from fleetform.base.cache import Kind
from fleetform.base.serialization import JsonCodec
from fleetform.terraform import installation
from fleetform.workflow.project import Project
from fleetform.workflow.render.rendering import Rendering

_VALID: Kind[bool] = Kind("valid", JsonCodec(bool))


def find_unvalidated(project: Project, name: str, rendering: Rendering) -> dict[str, tuple[bytes, ...]]:
    """Return the stacks of an environment that `terraform validate` has not accepted yet.

    Args:
        project: The checkout.
        name: The environment.
        rendering: Its render, which names its stacks.

    Returns:
        By the stack's name, the digests to give to `mark_valid` once it is valid. They include the provider's
        version twice: in the stack's files, and in our code, which pins it.
    """
    program = fingerprint.program(installation.find_program(), project.root)
    modules = fingerprint.tree(project.root / "modules")
    parts = {
        stack: (program, fingerprint.code(), modules, fingerprint.tree(project.root / "envs" / name / stack))
        for stack in rendering.stacks
    }
    valid = project.cache.find(_VALID, parts)
    return {stack: digests for stack, digests in parts.items() if stack not in valid}


def mark_valid(
    project: Project, name: str, rendering: Rendering, stacks: dict[str, tuple[bytes, ...]]
) -> None:
    """Cache that stacks are valid, except for those whose files have changed in the meantime."""
    now = find_unvalidated(project, name, rendering)
    unchanged = {stack: digests for stack, digests in stacks.items() if now.get(stack) == digests}
    project.cache.keep(_VALID, unchanged, dict.fromkeys(unchanged, True))
