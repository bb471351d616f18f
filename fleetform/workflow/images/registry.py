"""Opens the image registry of an environment, and requires the images that it needs."""

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
    """Open the environment's image registry; start the emulator if the environment runs against it.

    Raises:
        ProgramError: The AWS credentials cannot be read.
    """
    access = Access(environment.region, aws_variables(environment, project.work), environment.role)
    try:
        return registry_of(environment, access)
    except BotoCoreError as error:
        raise ProgramError(f"{error}; check the AWS credentials") from None


def registry_of(environment: Environment, access: Access) -> Registry:
    """Return the environment's image registry, given access to AWS. The emulator has its own registry."""
    push_host = urlsplit(access.variables["AWS_ENDPOINT_URL"]).netloc if environment.emulator else None
    return Registry(access.client("ecr"), environment.account, environment.name, push_host)


def require_images(project: Project, environment: Environment) -> None:
    """Make sure that every service with `build` has an image. The emulator runs no images and needs none.

    Raises:
        CheckFailedError: A service has no image.
    """
    lock = load_lock(project.root, environment.name)
    missing = [name for name in built_services(environment, ()) if name not in lock]
    if missing and not environment.emulator:
        build, deploy = command("images", env=environment.name), command("deploy", env=environment.name)
        names = ", ".join(missing)
        raise CheckFailedError(
            f"{environment.name} has no image of {names} yet; run `{build}` and apply again, or run"
            f" `{deploy}`"
        )


def built_services(environment: Environment, chosen: Sequence[str]) -> list[str]:
    """Return those chosen services that have `build`, or all services that have it if none is chosen."""
    built = [name for name, service in environment.services.items() if service.build]
    for name in chosen:
        if name not in built:
            raise InputError(
                f"{environment.name} has no service `{name}` with `build`; {suggestion(name, built)}"
            )
    return [name for name in built if name in chosen or not chosen]
