"""What the plan of an environment would do after an upgrade."""

from fleetform.base.errors import FleetformError
from fleetform.cli.preflight import open_checked, require_plannable
from fleetform.cli.progress import Progress
from fleetform.cli.run_lock import hold_run_lock
from fleetform.workflow.apply import order
from fleetform.workflow.apply.driver import DEFAULTS, Driver
from fleetform.workflow.project import Project

ERROR = "error"
"""Names the reason where an environment has no plan; no stack can be called so."""


def summarize(project: Project, env: str) -> dict[str, str]:
    """Return the summary of each stack's plan, such as `no changes` or `1 to change`, by stack.

    An environment that cannot be planned, as its credentials are missing, has only a reason.
    """
    try:
        with hold_run_lock(project, env, "upgrade", DEFAULTS.wait):
            return _summarize(project, env)
    except FleetformError as error:
        return {ERROR: str(error).partition("\n")[0]}


def _summarize(project: Project, env: str) -> dict[str, str]:
    workspace = open_checked(project, env)
    listener = Progress(workspace.environment, DEFAULTS, quiet=True)
    ready, waiting = order.plannable(workspace, DEFAULTS)
    planned, unready = Driver(workspace, DEFAULTS, listener, checks=require_plannable).survey(ready)
    try:
        summaries = {plan.stack.name: str(plan.summary) for plan in planned}
    finally:
        for plan in planned:
            plan.discard()
    return summaries | dict.fromkeys([*waiting, *unready], "waits for the foundation")
