"""The files of an environment: rendered, up to date, within the policy."""

from typing import TYPE_CHECKING

from fleetform.base.errors import CheckFailedError
from fleetform.base.program_name import command
from fleetform.render.writer import write
from fleetform.workflow.project import Project
from fleetform.workflow.render.rendering import Rendering

if TYPE_CHECKING:
    from fleetform.render.writer import Change


def render_changes(project: Project, name: str) -> "dict[str, list[Change]]":
    """What a render would change, by stack; see `Rendering.changes` for what it raises."""
    return Rendering(project, name).changes


def render_environment(project: Project, name: str) -> "list[Change]":
    """Renders an environment's stacks and writes them; see `rendered` for what it raises."""
    return write_rendering(project, Rendering(project, name))


def write_rendering(project: Project, rendering: Rendering) -> "list[Change]":
    """Writes what a render changes, stack by stack; see `Rendering.changes` for what it raises."""
    changes = [change for found in rendering.changes.values() for change in found]
    if changes:
        for found in rendering.changes.values():
            write(project.root, found)
    return changes


def emptied_notices(name: str, rendering: Rendering) -> list[str]:
    """What to do about the stacks that all services have left: they stay, as their states may hold resources."""
    return [
        f"envs/{name}/{stack}: no service is in this group any more; `{command('apply', env=name)}` destroys what is"
        " left of it, and then the folder can be deleted"
        for stack in rendering.emptied
    ]


def require_rendered(name: str, rendering: Rendering) -> None:
    """Makes sure that what is on disk is what the catalog says.

    Raises:
        CheckFailedError: It is not.
    """
    stale = [str(change.path) for found in rendering.changes.values() for change in found]
    if stale:
        raise CheckFailedError(f"{stale[0]} is not what the catalog says; run `{command('render', env=name)}`")
