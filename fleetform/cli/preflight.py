"""An environment made ready for Terraform, and what has to hold before anything is applied."""

from dataclasses import replace

from fleetform.base.errors import InputError, printable
from fleetform.base.suggestions import suggestion
from fleetform.cli.render import require_sound
from fleetform.cli.waves import AS_IT_IS, Driving
from fleetform.workflow.apply import states
from fleetform.workflow.apply.accounts import require_account
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_workspace


def open_checked(project: Project, env: str, how: Driving = AS_IT_IS) -> Workspace:
    """Opens an environment whose rendered files are current and within the policy.

    Raises:
        InputError: A stack that is wanted is none of the environment's.
    """
    require_sound(project, env)
    workspace = replace(open_workspace(project, env), lock_timeout=60 * how.wait)
    known = [stack.name for stack in (*workspace.stacks, *workspace.emptied)]
    for name in sorted(how.only - {*known}):
        raise InputError(f"--stack: {env} has no stack `{printable(name)}`; {suggestion(name, known)}")
    states.require_bucket(workspace)
    return workspace


def require_right(workspace: Workspace) -> None:
    """Makes sure that it is the right account; the emulator's is, as it is made for the environment."""
    if not workspace.environment.emulator:
        require_account(workspace)


def require_settled(workspace: Workspace) -> None:
    """The same, and that no apply would destroy a service only to make it anew in another stack."""
    require_right(workspace)
    states.require_settled(workspace)
