"""Renders from a loaded catalog, when the cache has no result."""

from pathlib import PurePath

from fleetform.catalog import network_lock
from fleetform.catalog.images_lock import load_lock
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.validation.loading import load_with_notices
from fleetform.workflow.project import Project
from fleetform.workflow.render import extra_modules, formatting


class LoadedCatalog:
    """A loaded catalog, and its render.

    Args:
        project: The checkout.
        name: The environment's name.

    Raises:
        CatalogError: The catalog has problems.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._project = project
        self._name = name
        self.environment, self.notices = load_with_notices(project.root, name)

    @property
    def network_lock(self) -> str | None:
        """Return the text of the network lock; None if there is none."""
        return network_lock.format_lock(self.environment)

    def render(self, rendered_stacks: tuple[str, ...]) -> dict[str, dict[PurePath, str]]:
        """Return the formatted text of each file by stack.

        Args:
            rendered_stacks: The stacks that have files now.
        """
        lock = load_lock(self._project.root, self._name)
        declared = extra_modules.declared_variables(self._project, self._name)
        templates = Templates(*self._project.templates)
        return formatting.format_rendering(
            self._project, render(self.environment, templates, lock, rendered_stacks, declared)
        )
