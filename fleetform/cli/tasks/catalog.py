"""The task that adds a service to the catalog."""

from fleetform.catalog.additions import NewService
from fleetform.cli import catalog
from fleetform.workflow.project import Project


def new_service(
    project: Project, *, name: str, port: int | None, calls: tuple[str, ...], image: str | None
) -> None:
    """Add a service to the catalog."""
    catalog.new_service(project, NewService(name, port, calls, image or None))
