"""The task that builds and pushes images."""

from fleetform.cli import images as console
from fleetform.workflow.images.build import ImageRequest
from fleetform.workflow.project import Project


def images(project: Project, *, env: str, services: tuple[str, ...], engine: str | None, jobs: int) -> None:
    """Build and push the images that are missing."""
    console.make_images(project, env, ImageRequest(services, engine, jobs))
