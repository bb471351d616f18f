"""Builds and pushes the images of an environment, and locks their digests."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetform.base.errors import CheckFailedError, FleetformError, InputError
from fleetform.catalog.images_lock import load_lock, write_lock
from fleetform.catalog.models import Environment
from fleetform.images import checks, sbom
from fleetform.images.building import BuildContext, BuildListener, build_and_push, look_up_images
from fleetform.images.engine import find_engine
from fleetform.images.image_specs import image_specs
from fleetform.validation.loading import load
from fleetform.workflow.images.registry import built_services, open_registry
from fleetform.workflow.project import Project
from fleetform.workflow.render.files import render_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetform.images.building import PushedImage
    from fleetform.images.image_specs import ImageSpec
    from fleetform.render.writer import Change


@dataclass(frozen=True)
class ImageRequest:
    """Which images to build, and with what options.

    Attributes:
        services: Their services; empty for all that have `build`.
        engine: Name of the engine; None for the first that works.
        jobs: How many images are built at a time.
    """

    services: tuple[str, ...] = ()
    engine: str | None = None
    jobs: int = 2


@dataclass(frozen=True)
class ImagesReport:
    """The result of building images.

    Attributes:
        done: The images that are in the registry now.
        failures: The errors of the others, whose lock entries stay as they were.
        changes: The files that the render changed.
        notices: Checks that were skipped before the push, and SBOMs that were not created after it.
    """

    done: "tuple[PushedImage, ...]"
    failures: tuple[FleetformError, ...]
    changes: "tuple[Change, ...]"
    notices: tuple[str, ...] = ()


def make_images(
    project: Project, name: str, request: ImageRequest, listener: "BuildListener | None" = None
) -> ImagesReport:
    """Build and push the images that the registry lacks; write the lock and render.

    Images that were pushed are locked even if others fail. The next run continues from there.

    Raises:
        InputError: A service has no `build`, or the foundation is not applied.
        CheckFailedError: An image must not be pushed, or a tag points to a different image than the lock
            says.
        ProgramError: A request to ECR fails, no engine works or its login fails.
    """
    if request.jobs < 1:
        raise InputError(f"--jobs {request.jobs}: must be 1 or more")
    environment = load(project.root, name)
    lock = load_lock(project.root, name)
    images = image_specs(project.root, environment, built_services(environment, request.services))
    registry = open_registry(project, environment)
    done = tuple(look_up_images(images, lock, registry))
    failures: tuple[FleetformError, ...] = ()
    notices: tuple[str, ...] = ()
    if missing := [image for image in images if image.service not in {existing.service for existing in done}]:
        notices = _check_before_push(environment, missing)
        sbom_notices = sbom.notices()
        work = project.work / "environments" / name
        context = BuildContext(
            find_engine(request.engine),
            work,
            request.jobs,
            listener or BuildListener(),
            sboms=not sbom_notices,
        )
        outcome = build_and_push(missing, registry, context)
        done, failures = (*done, *outcome.done), outcome.failures
        notices = (*notices, *sbom_notices, *(pushed.notice for pushed in outcome.done if pushed.notice))
    entries = {
        service: image for service, image in lock.items() if service in built_services(environment, ())
    }
    write_lock(project.root, name, entries | {image.service: image.image for image in done})
    return ImagesReport(done, failures, tuple(render_environment(project, name)), notices)


def _check_before_push(environment: Environment, images: "Sequence[ImageSpec]") -> tuple[str, ...]:
    """Make sure that images may be pushed; return notices about checks that were skipped."""
    problems = [
        problem
        for image in images
        for problem in checks.check_before_push(
            image.service,
            environment.services[image.service],
            image.context,
            image.context.dockerfile.read_text(encoding="utf-8", errors="replace"),
        )
    ]
    if problems:
        raise CheckFailedError("\n".join(dict.fromkeys(map(str, problems))))
    return tuple(checks.notices())
