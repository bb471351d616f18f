"""An environment made ready for Terraform, and what has to hold before anything is applied."""

from dataclasses import replace

from fleetform.base.errors import InputError, printable
from fleetform.base.suggestions import suggestion
from fleetform.cli.render import require_sound
from fleetform.cli.waves import AS_IT_IS, Driving
from fleetform.workflow import workspace
from fleetform.workflow.apply import states
from fleetform.workflow.apply.accounts import require_account
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workplace


def open_checked(project: Project, env: str, how: Driving = AS_IT_IS) -> Workplace:
    """Opens an environment whose rendered files are current and within the policy.

    Raises:
        InputError: A stack that is wanted is none of the environment's.
    """
    require_sound(project, env)
    workplace = replace(workspace.open_environment(project, env), lock_timeout=60 * how.wait)
    known = [stack.name for stack in (*workplace.stacks, *workplace.emptied)]
    for name in sorted(how.only - {*known}):
        raise InputError(f"--stack: {env} has no stack `{printable(name)}`; {suggestion(name, known)}")
    states.require_bucket(workplace)
    return workplace


def require_right(workplace: Workplace) -> None:
    """Makes sure that it is the right account; the emulator's is, as it is made for the environment."""
    if not workplace.environment.emulator:
        require_account(workplace)


def require_settled(workplace: Workplace) -> None:
    """The same, and that no apply would destroy a service only to make it anew in another stack."""
    require_right(workplace)
    states.require_settled(workplace)
