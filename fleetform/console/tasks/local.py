"""The tasks that run services on this machine."""

from fleetform import laptop
from fleetform.console import turns
from fleetform.demo import demo as run_demo
from fleetform.screen import Screen
from fleetform.workflow.project import Project


def up(project: Project, *, env: str, engine: str | None) -> None:
    """Start the services of an environment."""
    with turns.taken(project, env, "up", here=True):
        laptop.up(project, env, engine)


def down(project: Project, *, env: str, engine: str | None) -> None:
    """Remove what `up` started."""
    with turns.taken(project, env, "down", here=True):
        laptop.down(project, env, engine)


def logs(  # noqa: PLR0913 - a flag each
    project: Project, *, env: str, services: tuple[str, ...], engine: str | None, follow: bool, tail: int | None
) -> None:
    """Print what the services print."""
    laptop.logs(project, env, engine, laptop.Excerpt(services, follow, tail))


def smoke(  # noqa: PLR0913 - a flag each
    project: Project, *, env: str, engine: str | None, on_aws: bool, junit: str | None, as_json: bool
) -> None:
    """Try every pair of services."""
    laptop.smoke(project, env, engine, laptop.Proof(on_aws, junit, as_json))


def demo(project: Project, *, keep: bool) -> None:
    """Run the demonstration."""
    run_demo(project, Screen(), keep=keep)
