"""Which stacks Terraform has found valid, as they are now."""

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.terraform import installation
from fleetform.workflow.project import Project
from fleetform.workflow.render.rendering import Rendering


def unvalidated(project: Project, name: str, rendering: Rendering) -> dict[str, bytes]:
    """The stacks of an environment that `terraform validate` is still to see.

    Args:
        project: The checkout.
        name: The environment.
        rendering: Its render, which names its stacks.

    Returns:
        By the stack's name, what to give to `remember` once it is valid. The provider's version is in it twice, by the
        stack's files and by our code, which pins it.
    """
    program = fingerprint.program(installation.find_program(), project.root)
    modules = fingerprint.tree(project.root / "modules")
    keys = {
        stack: digest(
            b"valid", program, fingerprint.code(), modules, fingerprint.tree(project.root / "envs" / name / stack)
        )
        for stack in rendering.stacks
    }
    known = project.store.get_many(keys.values())
    return {stack: key for stack, key in keys.items() if key not in known}


def remember(project: Project, name: str, rendering: Rendering, valid: dict[str, bytes]) -> None:
    """Remembers that stacks are valid, save those whose files somebody changed meanwhile."""
    now = unvalidated(project, name, rendering)
    project.store.put_many({key: b"" for stack, key in valid.items() if now.get(stack) == key})
