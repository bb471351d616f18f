"""The task that examines the states."""

from fleetform.cli import state
from fleetform.workflow.project import Project


def state_doctor(project: Project, *, env: str, unlock: str | None, yes: bool, as_json: bool) -> None:
    """Show each stack's state and lock, or remove a lock."""
    if unlock:
        state.unlock(project, env, unlock, yes=yes)
    else:
        state.doctor(project, env, as_json=as_json)
