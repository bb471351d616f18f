"""Deletes images of an environment: the old ones, or all of them before their repositories are destroyed."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetform.base.errors import InputError, ProgramError
from fleetform.catalog.images_lock import load_lock
from fleetform.catalog.models import Environment
from fleetform.images import retention
from fleetform.images.history import rollback_targets
from fleetform.images.retention import StoredImage
from fleetform.terraform.plan.models import Action, Change
from fleetform.validation.loading import load
from fleetform.workflow.images.registry import open_registry, registry_of
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace

if TYPE_CHECKING:
    from fleetform.images.registry import Registry

_REPOSITORY = re.compile(r'module\.registry\.aws_ecr_repository\.this\["([^"]+)"\]')


@dataclass(frozen=True)
class OldImages:
    """The tagged images of a service, divided into kept and old ones.

    Attributes:
        service: The service.
        repository: Its repository.
        kept: How many images to keep.
        locked: How many of those the lock names, or would name after a rollback.
        images: The images to delete.
    """

    service: str
    repository: str
    kept: int
    locked: int
    images: tuple[StoredImage, ...]

    @property
    def size(self) -> int:
        """Return how many bytes are freed, if no image that stays shares these layers."""
        return sum(image.size for image in self.images)


@dataclass(frozen=True)
class Pruning:
    """The images to delete from an environment's repositories.

    Attributes:
        environment: The environment.
        registry: Its registry.
        services: The old images of each service with `build`.
    """

    environment: Environment
    registry: "Registry"
    services: tuple[OldImages, ...]

    @property
    def count(self) -> int:
        """Return how many images to delete."""
        return sum(len(old.images) for old in self.services)


def find_old_images(project: Project, name: str, keep: int) -> Pruning:
    """Find images that are not among the newest, not locked, and not a rollback's target.

    Args:
        project: The checkout.
        name: The environment.
        keep: How many of the newest images of each repository to keep, locked or not.

    Raises:
        InputError: `keep` is below 1, the foundation is not applied, or the lock's history is incomplete.
        ProgramError: A request to ECR or Git fails.
    """
    if keep < 1:
        raise InputError(f"--keep {keep}: must be 1 or more")
    environment = load(project.root, name)
    lock, targets = load_lock(project.root, name), rollback_targets(project.root, name)
    registry = open_registry(project, environment)
    services = []
    for service in sorted(name for name, settings in environment.services.items() if settings.build):
        needed = [images[service] for images in (lock, targets) if service in images]
        locked = {text for image in needed for text in (image.digest, image.tag)}
        services.append(_old_images(registry, environment, service, locked, keep))
    return Pruning(environment, registry, tuple(services))


def _old_images(
    registry: "Registry", environment: Environment, service: str, locked: set[str], keep: int
) -> OldImages:
    repository = environment.full_name(service)
    images = retention.read_images(registry, repository)
    old = retention.select_expired(images, locked, keep)
    deleted = {image.digest for image in old}
    kept = [image for image in images if image.tags and image.digest not in deleted]
    return OldImages(
        service, repository, len(kept), sum(retention.is_tagged(image, locked) for image in kept), old
    )


def delete(pruning: Pruning) -> list[str]:
    """Delete the old images.

    Returns:
        A line for each tag that could not be deleted.

    Raises:
        ProgramError: A request to ECR fails.
    """
    return [
        line
        for old in pruning.services
        for line in retention.delete_images(pruning.registry, old.repository, old.images)
    ]


def images_to_delete(workspace: Workspace, changes: Iterable[Change]) -> dict[str, int]:
    """Count the images in each repository that a plan destroys, without empty and missing repositories.

    Raises:
        ProgramError: A request to ECR fails.
    """
    destroyed = [change.address for change in changes if change.action in {Action.DELETE, Action.REPLACE}]
    matches = map(_REPOSITORY.fullmatch, destroyed)
    repositories = [f"{workspace.environment.prefix}-{match[1]}" for match in matches if match]
    if not repositories:
        return {}
    registry = registry_of(workspace.environment, workspace.access)
    counts = {}
    for repository in repositories:
        with suppress(InputError):
            counts[repository] = len(retention.read_images(registry, repository))
    return {repository: count for repository, count in counts.items() if count}


def require_named(workspace: Workspace, images: Mapping[str, int], named: frozenset[str]) -> None:
    """Require that every repository whose images an apply would delete is named.

    The emulator has no images that anything else needs.

    Args:
        workspace: The environment.
        images: How many images would be deleted, by repository.
        named: Services, or repositories, that the user names.

    Raises:
        InputError: One is not named.
    """
    prefix = f"{workspace.environment.prefix}-"
    missing = {
        repository: count
        for repository, count in images.items()
        if named.isdisjoint({repository, repository.removeprefix(prefix)})
    }
    if not missing or workspace.environment.emulator:
        return
    lines = [
        f"{repository}: {count} {'image' if count == 1 else 'images'} would be deleted with the repository"
        for repository, count in missing.items()
    ]
    services = ",".join(repository.removeprefix(prefix) for repository in missing)
    raise InputError(
        "\n".join(
            [*lines, f"nothing was applied; if you want to lose them, pass `--delete-images {services}`"]
        )
    )


def delete_images(workspace: Workspace, repositories: Iterable[str]) -> None:
    """Delete all images of repositories, as ECR refuses to delete a repository that has any.

    Raises:
        ProgramError: A request to ECR fails, or ECR keeps an image.
    """
    registry = registry_of(workspace.environment, workspace.access)
    failures = [line for repository in repositories for line in retention.delete_all(registry, repository)]
    if failures:
        raise ProgramError("\n".join(failures))
