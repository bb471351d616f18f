"""Images of an environment that go: the old ones, or all of them before their repositories do."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetform.base.errors import InputError, ProgramError
from fleetform.catalog.images_lock import load_lock
from fleetform.catalog.models import Environment
from fleetform.images import retention
from fleetform.images.history import rollback_targets
from fleetform.images.retention import StoredImage
from fleetform.terraform.plan.models import Action
from fleetform.validation.loading import load
from fleetform.workflow.apply import terraform
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.images.registry import open_registry, registry_of
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace

if TYPE_CHECKING:
    from fleetform.images.registry import Registry

_REPOSITORY = re.compile(r'module\.registry\.aws_ecr_repository\.this\["([^"]+)"\]')


@dataclass(frozen=True)
class OldImages:
    """The images of a service, as far as they have a tag.

    Attributes:
        service: The service.
        repository: Its repository.
        kept: How many stay.
        locked: How many of those the lock names, or would after a rollback.
        images: What is to be deleted.
    """

    service: str
    repository: str
    kept: int
    locked: int
    images: tuple[StoredImage, ...]

    @property
    def size(self) -> int:
        """Bytes that are freed, if no image that stays has the same layers."""
        return sum(image.size for image in self.images)


@dataclass(frozen=True)
class Pruning:
    """What is to be deleted from an environment's repositories.

    Attributes:
        environment: The environment.
        registry: Its registry.
        services: Those that are built here.
    """

    environment: Environment
    registry: "Registry"
    services: tuple[OldImages, ...]

    @property
    def count(self) -> int:
        """How many images are to be deleted."""
        return sum(len(old.images) for old in self.services)


def find_old_images(project: Project, name: str, keep: int) -> Pruning:
    """Looks for images that are neither among the newest of their repository, nor locked, nor what a rollback locks.

    Args:
        project: The checkout.
        name: The environment.
        keep: How many of each repository stay, whether they are locked or not.

    Raises:
        InputError: `keep` is below 1, the foundation is not applied, or the lock's history is not there.
        ProgramError: ECR or Git does not answer.
    """
    if keep < 1:
        raise InputError(f"--keep {keep}: 1 or more is expected")
    environment = load(project.root, name)
    lock, targets = load_lock(project.root, name), rollback_targets(project.root, name)
    registry = open_registry(project, environment)
    services = []
    for service in sorted(service for service, described in environment.services.items() if described.build):
        held = [images[service] for images in (lock, targets) if service in images]
        locked = {text for image in held for text in (image.digest, image.tag)}
        services.append(_old_images(registry, environment, service, locked, keep))
    return Pruning(environment, registry, tuple(services))


def _old_images(registry: "Registry", environment: Environment, service: str, locked: set[str], keep: int) -> OldImages:
    repository = environment.full_name(service)
    images = retention.read_images(registry, repository)
    old = retention.select_expired(images, locked, keep)
    gone = {image.digest for image in old}
    kept = [image for image in images if image.tags and image.digest not in gone]
    return OldImages(service, repository, len(kept), sum(retention.is_tagged(image, locked) for image in kept), old)


def delete(found: Pruning) -> list[str]:
    """Deletes what was found.

    Returns:
        A line for each tag that could not be deleted.

    Raises:
        ProgramError: ECR does not answer.
    """
    return [
        line for old in found.services for line in retention.delete_images(found.registry, old.repository, old.images)
    ]


def images_to_delete(workspace: Workspace, planned: Plan) -> dict[str, int]:
    """How many images are in each repository that a plan destroys; those that hold none, or are gone, are left out.

    Raises:
        ProgramError: ECR does not answer.
    """
    changes = terraform.read_changes(workspace, planned).changes
    destroyed = [change.address for change in changes if change.action in {Action.DELETE, Action.REPLACE}]
    matches = map(_REPOSITORY.fullmatch, destroyed)
    repositories = [f"{workspace.environment.prefix}-{match[1]}" for match in matches if match]
    if not repositories:
        return {}
    registry = registry_of(workspace.environment, workspace.access)
    found = {}
    for repository in repositories:
        with suppress(InputError):
            found[repository] = len(retention.read_images(registry, repository))
    return {repository: count for repository, count in found.items() if count}


def delete_images(workspace: Workspace, repositories: Iterable[str]) -> None:
    """Deletes all images of repositories: ECR deletes no repository that holds any.

    Raises:
        ProgramError: ECR does not answer, or keeps an image.
    """
    registry = registry_of(workspace.environment, workspace.access)
    failures = [line for repository in repositories for line in retention.delete_all(registry, repository)]
    if failures:
        raise ProgramError("\n".join(failures))
