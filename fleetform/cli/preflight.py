"""Opens an environment for Terraform, and checks the requirements of an apply."""

from dataclasses import replace

from rich.console import Console

from fleetform.base.errors import CheckFailedError, InputError, printable
from fleetform.base.suggestions import suggestion
from fleetform.cli.render import require_checked
from fleetform.cli.screen import Screen
from fleetform.workflow.apply import states
from fleetform.workflow.apply.accounts import require_account
from fleetform.workflow.apply.adopted_network import require_free_subnets
from fleetform.workflow.apply.driver import DEFAULTS, RunOptions
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_workspace


def open_checked(project: Project, env: str, options: RunOptions = DEFAULTS) -> Workspace:
    """Open an environment whose rendered files are current and within the policy.

    Raises:
        CheckFailedError: They are not.
        InputError: `--stack` names an unknown stack.
    """
    screen = Screen(Console(stderr=True, highlight=False))  # standard output may be a document
    with screen.busy(f"Checking envs/{env}"):
        try:
            require_checked(project, env)
        except CheckFailedError as error:
            raise CheckFailedError(
                f"{error}\nnothing was planned or applied; fix this, then run it again"
            ) from None
    with screen.busy(f"Opening {env}"):
        workspace = replace(open_workspace(project, env), lock_timeout=60 * options.wait)
        names = [stack.name for stack in (*workspace.stacks, *workspace.emptied)]
        for name in sorted(options.only - {*names}):
            raise InputError(f"--stack: {env} has no stack `{printable(name)}`; {suggestion(name, names)}")
        states.require_bucket(workspace)
    return workspace


def require_right_account(workspace: Workspace) -> None:
    """Require the catalog's account, except on the emulator, which is started for it."""
    if not workspace.environment.emulator:
        require_account(workspace)


def require_plannable(workspace: Workspace) -> None:
    """Require the catalog's account, and that no apply would recreate a service in a different stack."""
    require_right_account(workspace)
    states.require_unmoved_services(workspace)
    require_free_subnets(workspace)
