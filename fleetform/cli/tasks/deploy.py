"""The task that does all steps in one go."""

from fleetform.cli import deployment, run_lock
from fleetform.cli.tasks.stacks import options
from fleetform.workflow.project import Project


def deploy(  # noqa: PLR0913 - a flag each
    project: Project,
    *,
    env: str,
    jobs: int | None,
    wait: int,
    yes: bool,
    verbose: bool,
    engine: str | None,
    severity: str,
) -> None:
    """Do all that is still to be done, from rendering to verifying."""
    how = deployment.DeployOptions(options(jobs, wait, yes=yes, verbose=verbose), engine, severity)
    with run_lock.hold_run_lock(project, env, "deploy", wait):
        deployment.deploy(project, env, how)
