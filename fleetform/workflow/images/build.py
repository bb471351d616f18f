"""The images of an environment: seen to be in the registry, and locked."""

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
    """Which images to make, and how.

    Attributes:
        services: Their services; none for all that are built here.
        engine: Name of the engine; None for the first that works.
        jobs: How many are built at a time.
    """

    services: tuple[str, ...] = ()
    engine: str | None = None
    jobs: int = 2


@dataclass(frozen=True)
class ImagesReport:
    """What came of making images.

    Attributes:
        done: What is in the registry now.
        failures: What went wrong with the others; the lock keeps what it had of them.
        changes: What the render changed.
        notices: What was not checked before the push, and which SBOMs were not made after it.
    """

    done: "tuple[PushedImage, ...]"
    failures: tuple[FleetformError, ...]
    changes: "tuple[Change, ...]"
    notices: tuple[str, ...] = ()


def make_images(
    project: Project, name: str, request: ImageRequest, watch: "BuildListener | None" = None
) -> ImagesReport:
    """Sees to it that images are in the registry; writes the lock and renders.

    Images that are pushed get into the lock even if others fail: they are there for good, and the next run goes on from
    there.

    Raises:
        InputError: A service is not one that is built here, or the foundation is not applied.
        CheckFailedError: What is to be built should not be pushed, or a tag does not stand for what the lock says.
        ProgramError: ECR does not answer, no engine works or its login fails.
    """
    if request.jobs < 1:
        raise InputError(f"--jobs {request.jobs}: 1 or more is expected")
    environment = load(project.root, name)
    lock = load_lock(project.root, name)
    images = image_specs(project.root, environment, built_services(environment, request.services))
    registry = open_registry(project, environment)
    done = tuple(look_up_images(images, lock, registry))
    failures: tuple[FleetformError, ...] = ()
    notices: tuple[str, ...] = ()
    if missing := [image for image in images if image.service not in {there.service for there in done}]:
        notices = _check_before_push(environment, missing)
        unmade = sbom.notices()
        work = project.work / "environments" / name
        workshop = BuildContext(
            find_engine(request.engine), work, request.jobs, watch or BuildListener(), sboms=not unmade
        )
        outcome = build_and_push(missing, registry, workshop)
        done, failures = (*done, *outcome.done), outcome.failures
        notices = (*notices, *unmade, *(there.notice for there in outcome.done if there.notice))
    entries = {service: image for service, image in lock.items() if service in built_services(environment, ())}
    write_lock(project.root, name, entries | {there.service: there.image for there in done})
    return ImagesReport(done, failures, tuple(render_environment(project, name)), notices)


def _check_before_push(environment: Environment, images: "Sequence[ImageSpec]") -> tuple[str, ...]:
    """Makes sure that images may be pushed; returns what could not be checked."""
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
