"""Promotion: copies the images that one environment runs to another, by digest, without a build."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.base.program_name import command
from fleetform.base.suggestions import suggestion
from fleetform.catalog.files import lock_file
from fleetform.catalog.images_lock import LockedImage
from fleetform.catalog.models import Environment
from fleetform.images.image_specs import PLATFORMS
from fleetform.images.registry import Registry
from fleetform.images.transfer import Repository, copy_attached, copy_image


@dataclass(frozen=True)
class RegistrySide:
    """The source or the target of a promotion.

    Attributes:
        environment: The environment.
        registry: Its registry.
    """

    environment: Environment
    registry: Registry

    def repository(self, service: str) -> str:
        """Return the name of a service's repository."""
        return self.environment.full_name(service)


@dataclass(frozen=True)
class PromotedImage:
    """An image that the target has now.

    Attributes:
        service: Its service.
        image: Its entry in both locks.
        status: `found` if the target had it already, else `copied`.
        notice: Why not everything attached to it was copied; empty if it was.
    """

    service: str
    image: LockedImage
    status: Literal["found", "copied"]
    notice: str = ""


def select_images(
    source: Environment, target: Environment, lock: Mapping[str, LockedImage], services: Sequence[str]
) -> dict[str, LockedImage]:
    """Return the images to promote, by service.

    Args:
        source: The environment that runs them.
        target: The environment that should run them.
        lock: The source's lock.
        services: The services to promote; empty for all that the target builds and the source has an image
            of.

    Raises:
        InputError: The target cannot run one of the images, or there is nothing to promote.
    """
    if source.name == target.name:
        raise InputError(f"cannot promote `{source.name}` to itself; choose two different environments")
    built = [name for name, service in target.services.items() if service.build]
    for name in services:
        if name not in built:
            raise InputError(f"{target.name} has no service `{name}` with `build`; {suggestion(name, built)}")
        if name not in lock:
            build = f"`{command('images', env=source.name, service=name)}`"
            raise InputError(f"{lock_file(source.name)} has no image of `{name}`; run {build}")
    images = {name: lock[name] for name in services or built if name in lock}
    if not images:
        build = f"`{command('images', env=source.name)}`"
        raise InputError(
            f"{lock_file(source.name)} has no image of a service that {target.name} builds; run {build}"
        )
    for name, image in images.items():
        _require_platform(target, name, image)
    return images


def _require_platform(target: Environment, service: str, image: LockedImage) -> None:
    platform = PLATFORMS[target.services[service].architecture]
    if platform not in image.platforms:
        raise InputError(
            f"`{service}` runs on {platform} in {target.name}, but its image is for"
            f" {', '.join(image.platforms)};"
            " set the same `architecture` in both environments"
        )


def promote(source: RegistrySide, target: RegistrySide, service: str, image: LockedImage) -> PromotedImage:
    """Copy an image to the target's registry unless it is there already.

    Raises:
        CheckFailedError: The tag points to a different image there.
        InputError: The target has no repository for it.
        ProgramError: A request to a registry fails.
    """
    repository = target.repository(service)
    existing = target.registry.find(repository, image.tag)
    if existing is None:
        repositories = (
            Repository(source.registry.credentials(), source.repository(service)),
            Repository(target.registry.credentials(), repository),
        )
        copy_image(*repositories, image.digest, image.tag)
        return PromotedImage(service, image, "copied", _copy_attached(*repositories, image.digest))
    if existing != image.digest:
        raise CheckFailedError(
            f"{service}: {repository}:{image.tag} is {existing}, but {image.digest} in"
            f" {source.environment.name}:"
            " the same content was built twice; run"
            f" `{command('images', env=target.environment.name)}` to keep the target's image, or delete it"
            " and"
            " promote again"
        )
    return PromotedImage(service, image, "found")


def _copy_attached(source: Repository, target: Repository, digest: str) -> str:
    """Copy what is attached to an image. Return why that failed, as the image itself is copied already."""
    try:
        copy_attached(source, target, digest)
    except ProgramError as error:
        return f"the image's attachments, such as its SBOM, were not copied: {error}"
    return ""
