"""The registry of an environment, and the images that it needs there."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from fleetform.aws.clients import Access
from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.base.program_name import command
from fleetform.base.suggestions import suggestion
from fleetform.catalog.images_lock import load_lock
from fleetform.catalog.models import Environment
from fleetform.images.registry import Registry
from fleetform.workflow.emulated import aws_variables
from fleetform.workflow.project import Project


def open_registry(project: Project, environment: Environment) -> Registry:
    """The environment's image registry; starts the emulator if it runs against that.

    Raises:
        ProgramError: The AWS credentials cannot be read.
    """
    access = Access(environment.region, aws_variables(environment, project.work), environment.role)
    try:
        return registry_of(environment, access)
    except BotoCoreError as error:
        raise ProgramError(f"{error}; are the AWS credentials there, and right?") from None


def registry_of(environment: Environment, access: Access) -> Registry:
    """The environment's image registry, where AWS is known already. The emulator is its own registry."""
    front = urlsplit(access.variables["AWS_ENDPOINT_URL"]).netloc if environment.emulator else None
    return Registry(access.client("ecr"), environment.account, environment.name, front)


def require_images(project: Project, environment: Environment) -> None:
    """Makes sure that every service that is built here has an image; the emulator runs none, and needs none.

    Raises:
        CheckFailedError: One has not.
    """
    lock = load_lock(project.root, environment.name)
    missing = [name for name in built_services(environment, ()) if name not in lock]
    if missing and not environment.emulator:
        build, deploy = command("images", env=environment.name), command("deploy", env=environment.name)
        raise CheckFailedError(
            f"{environment.name} has no image of {', '.join(missing)} yet; run `{build}` and apply again, or `{deploy}`"
        )


def built_services(environment: Environment, chosen: Sequence[str]) -> list[str]:
    """The services that were chosen, or all, of those that are built here."""
    built = [name for name, service in environment.services.items() if service.build]
    for name in chosen:
        if name not in built:
            raise InputError(f"`{name}` is no service of {environment.name} with `build`; {suggestion(name, built)}")
    return [name for name in built if name in chosen or not chosen]
