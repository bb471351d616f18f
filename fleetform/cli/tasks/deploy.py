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
    delete_images: tuple[str, ...],
    verbose: bool,
    engine: str | None,
    severity: str,
) -> None:
    """Do all that is still to be done, from rendering to verifying."""
    run = options(jobs, wait, delete_images=delete_images, yes=yes, verbose=verbose)
    how = deployment.DeployOptions(run, engine, severity)
    with run_lock.hold_run_lock(project, env, "deploy", wait):
        deployment.deploy(project, env, how)
