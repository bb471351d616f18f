"""Promotion: what one environment runs goes to another, by digest, without a build."""

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
    """One end of a promotion.

    Attributes:
        environment: The environment.
        registry: Its registry.
    """

    environment: Environment
    registry: Registry

    def repository(self, service: str) -> str:
        """The name of a service's repository."""
        return self.environment.full_name(service)


@dataclass(frozen=True)
class PromotedImage:
    """An image that the target has.

    Attributes:
        service: Its service.
        image: Its entry in both locks.
        how: `found`: it was there; `copied`: from the source.
        notice: Why not all that is attached to it was copied, if so.
    """

    service: str
    image: LockedImage
    how: Literal["found", "copied"]
    notice: str = ""


def select_images(
    source: Environment, target: Environment, lock: Mapping[str, LockedImage], services: Sequence[str]
) -> dict[str, LockedImage]:
    """The images to promote, by service.

    Args:
        source: Where they run.
        target: Where they are to run.
        lock: The source's lock.
        services: The services; none for all that the target builds and the source has.

    Raises:
        InputError: The target cannot run one of them, or there is none.
    """
    if source.name == target.name:
        raise InputError(f"from `{source.name}` to itself: there is nothing to promote")
    built = [name for name, service in target.services.items() if service.build]
    for name in services:
        if name not in built:
            raise InputError(f"`{name}` is no service of {target.name} with `build`; {suggestion(name, built)}")
        if name not in lock:
            build = f"`{command('images', env=source.name, service=name)}`"
            raise InputError(f"{lock_file(source.name)} has no image of `{name}`; {build} makes it")
    images = {name: lock[name] for name in services or built if name in lock}
    if not images:
        build = f"`{command('images', env=source.name)}`"
        raise InputError(f"{lock_file(source.name)} has no image of what {target.name} builds; {build} makes them")
    for name, image in images.items():
        _require_platform(target, name, image)
    return images


def _require_platform(target: Environment, service: str, image: LockedImage) -> None:
    platform = PLATFORMS[target.services[service].architecture]
    if platform not in image.platforms:
        raise InputError(
            f"`{service}` runs on {platform} in {target.name}, but its image is for {', '.join(image.platforms)};"
            " give both environments the same `architecture`"
        )


def promote(source: RegistrySide, target: RegistrySide, service: str, image: LockedImage) -> PromotedImage:
    """Sees to it that the target's registry has an image.

    Raises:
        CheckFailedError: Its tag stands for another image there.
        InputError: The target has no repository for it.
        ProgramError: A registry refuses, or does not answer.
    """
    repository = target.repository(service)
    there = target.registry.find(repository, image.tag)
    if there is None:
        ends = (
            Repository(source.registry.credentials(), source.repository(service)),
            Repository(target.registry.credentials(), repository),
        )
        copy_image(*ends, image.digest, image.tag)
        return PromotedImage(service, image, "copied", _copy_attached(*ends, image.digest))
    if there != image.digest:
        raise CheckFailedError(
            f"{service}: {repository}:{image.tag} is {there}, but {image.digest} in {source.environment.name}:"
            " one content was built twice; keep what is there with"
            f" `{command('images', env=target.environment.name)}`, or delete that image and promote again"
        )
    return PromotedImage(service, image, "found")


def _copy_attached(source: Repository, target: Repository, digest: str) -> str:
    """Copies what is attached to an image; returns why it cannot, as the image itself is there."""
    try:
        copy_attached(source, target, digest)
    except ProgramError as error:
        return f"what is attached to the image, such as its SBOM, was not copied: {error}"
    return ""
