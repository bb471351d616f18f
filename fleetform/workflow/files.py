"""The files of an environment: rendered, up to date, formatted."""

import os
from pathlib import Path, PurePath

from fleetform.catalog.images_lock import load_lock
from fleetform.catalog.loading import load
from fleetform.errors import CheckFailedError
from fleetform.programs import read
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.render.writer import Change, changes, formatted, rendered_folders, write
from fleetform.stacks import emptied
from fleetform.terraform import commands, installation
from fleetform.workflow.project import Project


def rendered(project: Project, name: str) -> dict[str, list[Change]]:
    """What a render would change, by stack; writes nothing.

    Raises:
        InputError: The catalog is wrong, or a file that is not ours is in the way.
    """
    environment = load(project.root, name)
    lock = load_lock(project.root, name)
    folders = rendered_folders(project.root / "envs" / name)
    stacks = formatted(render(environment, Templates(project.root / "templates"), lock, folders), _format)
    return {stack: changes(project.root, PurePath("envs", name, stack), files) for stack, files in stacks.items()}


def render_environment(project: Project, name: str) -> list[Change]:
    """Renders an environment's stacks and writes them; see `rendered` for what it raises."""
    by_stack = rendered(project, name)
    for stack_changes in by_stack.values():
        write(project.root, stack_changes)
    return [change for stack_changes in by_stack.values() for change in stack_changes]


def emptied_notices(project: Project, name: str) -> list[str]:
    """What to do about the stacks that all services have left: they stay, as their states may hold resources."""
    folder = PurePath("envs", name)
    return [
        f"{folder / stack.name}: no service is in this group any more; `invoke apply --env {name}` destroys what is"
        " left of it, and then the folder can be deleted"
        for stack in emptied(load(project.root, name), rendered_folders(project.root / folder))
    ]


def require_rendered(project: Project, name: str) -> None:
    """Makes sure that what is on disk is what the catalog says.

    Raises:
        CheckFailedError: It is not.
    """
    stale = [str(change.path) for found in rendered(project, name).values() for change in found]
    if stale:
        raise CheckFailedError(f"{stale[0]} is not what the catalog says; run `invoke render --env {name}`")


def _format(folder: Path) -> None:
    program = installation.find_program()
    read(commands.fmt(program, folder), installation.variables(os.environ, folder))


def unformatted(project: Project) -> list[str]:
    """The Terraform files of the modules and environments that `terraform fmt` would change."""
    program = installation.find_program()
    variables = installation.variables(os.environ, project.work)
    argv = commands.fmt(program, project.root / "modules", project.root / "envs", check=True)
    lines = read(argv, variables, accepted=(0, 3)).splitlines()
    # Terraform shows paths as seen from its working directory, which is ours.
    return sorted(os.path.relpath(line, project.root) for line in lines if line)
