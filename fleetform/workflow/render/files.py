"""Renders the files of an environment, and requires that they are up to date."""

from typing import TYPE_CHECKING

from fleetform.base.errors import CheckFailedError
from fleetform.base.program_name import command
from fleetform.catalog.files import NETWORK_LOCK_NAME
from fleetform.render.writer import write
from fleetform.workflow.project import Project
from fleetform.workflow.render.rendering import Rendering

if TYPE_CHECKING:
    from fleetform.render.writer import Change


def render_changes(project: Project, name: str) -> "dict[str, list[Change]]":
    """Return the changes that a render would make, by stack; see `Rendering.changes` for its errors."""
    return Rendering(project, name).changes


def render_environment(project: Project, name: str) -> "list[Change]":
    """Render an environment's stacks and write them; see `Rendering.changes` for its errors."""
    return write_rendering(project, Rendering(project, name))


def write_rendering(project: Project, rendering: Rendering) -> "list[Change]":
    """Write the changes of a render, stack by stack; see `Rendering.changes` for its errors."""
    changes = [change for stack_changes in rendering.changes.values() for change in stack_changes]
    if changes:
        for stack_changes in rendering.changes.values():
            write(project.root, stack_changes)
        if NETWORK_LOCK_NAME in rendering.changes:
            _ = rendering.again().changes  # caches the render: it follows from the lock, too
    return changes


def emptied_notices(name: str, rendering: Rendering) -> list[str]:
    """Return what to do about stacks without services; they are kept, as their states may hold resources."""
    return [
        f"envs/{name}/{stack}: this group has no services any more; run `{command('apply', env=name)}` to"
        " destroy"
        " its resources, then delete the folder"
        for stack in rendering.emptied
    ]


def require_rendered(name: str, rendering: Rendering) -> None:
    """Make sure that the rendered files match the catalog.

    Raises:
        CheckFailedError: They do not.
    """
    stale = [str(change.path) for changes in rendering.changes.values() for change in changes]
    if stale:
        raise CheckFailedError(f"{stale[0]} does not match the catalog; run `{command('render', env=name)}`")
