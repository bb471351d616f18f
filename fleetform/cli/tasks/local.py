"""The tasks that run services on this machine."""

from fleetform.cli import local, run_lock
from fleetform.cli.demo import demo as run_demo
from fleetform.cli.screen import Screen
from fleetform.workflow.project import Project


def up(project: Project, *, env: str, engine: str | None) -> None:
    """Start the services of an environment."""
    with run_lock.hold_run_lock(project, env, "up", here=True):
        local.up(project, env, engine)


def down(project: Project, *, env: str, engine: str | None) -> None:
    """Remove what `up` started."""
    with run_lock.hold_run_lock(project, env, "down", here=True):
        local.down(project, env, engine)


def logs(  # noqa: PLR0913 - a flag each
    project: Project,
    *,
    env: str,
    services: tuple[str, ...],
    engine: str | None,
    follow: bool,
    tail: int | None,
) -> None:
    """Print what the services print."""
    local.logs(project, env, engine, local.LogOptions(services, follow, tail))


def smoke(  # noqa: PLR0913 - a flag each
    project: Project, *, env: str, engine: str | None, on_aws: bool, junit: str | None, as_json: bool
) -> None:
    """Test every pair of services."""
    local.smoke(project, env, engine, local.SmokeOptions(on_aws, junit, as_json))


def demo(project: Project, *, keep: bool) -> None:
    """Run the demonstration."""
    run_demo(project, Screen(), keep=keep)
