"""Looks up images in the registry; builds and pushes those that are missing, several at a time."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, Literal, TypeVar

from fleetform.base.errors import CheckFailedError, FleetformError, ProgramError
from fleetform.base.processes import ProcessGroup, Result, last_error_line
from fleetform.catalog.images_lock import LockedImage
from fleetform.images import sbom
from fleetform.images.context import BuildFiles, content_key
from fleetform.images.engine import Engine, Image
from fleetform.images.engine_errors import Step, explain
from fleetform.images.image_specs import ImageSpec
from fleetform.images.registry import Credentials, Registry
from fleetform.images.transfer import Repository

_TAIL_LINES = 12
_LINE_LENGTH = 300
_MAX_LOOK_UPS = 8
_WAKE_SECONDS = 0.2
_LOCALHOST = "localhost"

_T = TypeVar("_T")


@dataclass(frozen=True)
class PushedImage:
    """An image in the registry.

    Attributes:
        service: Its service.
        image: Its lock entry.
        status: `unchanged` if the lock has it already, `found` if only the registry had it, `built` if it was
            built and pushed now.
        notice: Why an image that was built has no SBOM; empty if it has one or none was requested.
    """

    service: str
    image: LockedImage
    status: Literal["unchanged", "found", "built"]
    notice: str = ""


@dataclass(frozen=True)
class LocalImage:
    """An image in the engine's local store.

    Attributes:
        service: Its service.
        reference: Its name in the store.
        status: `found` if it was there already, else `built`.
    """

    service: str
    reference: str
    status: Literal["found", "built"]


@dataclass(frozen=True)
class BuildListener:
    """Callbacks that report progress; they are called from several threads.

    Attributes:
        progress: Takes a service and its current activity, such as a line that the engine printed.
        finished: Takes an image that was pushed, and how many seconds it took.
    """

    progress: Callable[[str, str], None] = lambda _service, _line: None
    finished: Callable[[PushedImage, float], None] = lambda _done, _seconds: None


@dataclass(frozen=True)
class BuildContext:
    """How and where images are built.

    Attributes:
        engine: The engine that builds them.
        folder: Folder for logs and, during the build, for copies of build contexts and the login.
        jobs: How many images are built at a time.
        listener: Progress callbacks.
        sboms: Whether to attach an SBOM to each image.
    """

    engine: Engine
    folder: Path
    jobs: int = 2
    listener: BuildListener = field(default_factory=BuildListener)
    sboms: bool = False

    def log(self, name: str) -> Path:
        """Return the file that keeps the engine's output."""
        return self.folder / "logs" / f"image-{name}.log"

    @contextmanager
    def private_folder(self) -> Iterator[Path]:
        """Create a temporary folder that only this user can read."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix="images-", dir=self.folder) as folder:
            yield Path(folder)


def look_up_images(
    images: Sequence[ImageSpec], lock: Mapping[str, LockedImage], registry: Registry
) -> list[PushedImage]:
    """Find the images that are already in the registry.

    Raises:
        CheckFailedError: A tag points to a different image than the lock says.
        FleetformError: The repository does not exist, or the request to ECR fails.
    """
    futures = ProcessGroup().at_once(
        _MAX_LOOK_UPS, lambda image: registry.find(image.repository, image.tag), images
    )
    digests = {image.service: future.result() for image, future in zip(images, futures, strict=True)}
    return [
        _find_image(image, digest, lock.get(image.service))
        for image in images
        if (digest := digests[image.service])
    ]


def _find_image(image: ImageSpec, digest: str, locked: LockedImage | None) -> PushedImage:
    if locked is None or locked.tag != image.tag:
        return PushedImage(image.service, image.locked(digest), "found")
    if locked.digest != digest:
        raise CheckFailedError(
            f"{image.service}: {image.repository}:{image.tag} is {digest} in the registry but"
            f" {locked.digest} in the"
            " lock: the image was replaced; find out why, then delete the wrong entry from the registry or"
            " the lock"
        )
    return PushedImage(image.service, locked, "unchanged")


@dataclass(frozen=True)
class Outcome(Generic[_T]):
    """The result of a build.

    Attributes:
        done: The images that are now in the registry or the engine's store.
        failures: The errors of the others.
    """

    done: tuple[_T, ...]
    failures: tuple[FleetformError, ...]


def build_and_push(
    images: Sequence[ImageSpec], registry: Registry, context: BuildContext
) -> Outcome[PushedImage]:
    """Build and push images. If one fails, the others are still finished.

    Raises:
        FleetformError: The login failed; nothing was built.
        KeyboardInterrupt: Ctrl-C was pressed; the engines have stopped.
    """
    processes = ProcessGroup()
    credentials = registry.credentials()
    with context.private_folder() as private:
        push_build = _PushBuild(processes, context, private, registry, credentials)
        (login,) = processes.at_once(1, lambda _: push_build.login(), [None])
        login.result()
        futures = processes.at_once(context.jobs, push_build.build_and_push, images)
    return _outcome(futures)


def build_locally(images: Sequence[ImageSpec], context: BuildContext) -> Outcome[LocalImage]:
    """Build images that are missing from the engine's local store.

    If one fails, the others are still finished.

    They are named `localhost/<repository>:<tag>`, which is not a registry.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the engines have stopped.
    """
    processes = ProcessGroup()
    with context.private_folder() as private:
        local_build = _LocalBuild(processes, context, private)
        return _outcome(processes.at_once(context.jobs, local_build.build, images))


def _outcome(futures: Sequence[Future[_T]]) -> Outcome[_T]:
    errors = [future.exception() for future in futures]
    for error in errors:
        if error is not None and not isinstance(error, FleetformError):
            raise error
    return Outcome(
        tuple(future.result() for future, error in zip(futures, errors, strict=True) if error is None),
        tuple(error for error in errors if isinstance(error, FleetformError)),
    )


@dataclass(frozen=True)
class _Builder:
    """Builds images into the engine's local store.

    Attributes:
        processes: Runs the engine.
        context: How and where images are built.
        private: Folder for the login and staged build contexts.
    """

    processes: ProcessGroup
    context: BuildContext
    private: Path

    def _build(self, spec: ImageSpec, image: Image) -> None:
        engine = self.context.engine
        self.context.log(spec.service).unlink(missing_ok=True)
        staged = _stage(spec, self.private / spec.service)
        self.context.listener.progress(spec.service, "build")
        self._run("build", spec.service, engine.build(image, staged), engine.build_variables(os.environ))

    def _run(
        self, step: Step, name: str, argv: list[str], variables: Mapping[str, str], stdin: str = ""
    ) -> Result:
        log = self.context.log("login" if step == "login" else name)
        try:
            progress = self.context.listener.progress
            return self.processes.run(argv, variables, log, lambda line: progress(name, line), stdin)
        except ProgramError as error:
            raise _failure(step, name, log, error) from None


class _LocalBuild(_Builder):
    """A build whose images stay in the engine's local store."""

    def build(self, spec: ImageSpec) -> LocalImage:
        """Build an image unless the store has it."""
        image = Image(_LOCALHOST, spec.repository, spec.tag, spec.platform, spec.args)
        engine = self.context.engine
        if last_error_line(engine.look_up(image), engine.build_variables(os.environ)) is None:
            return LocalImage(spec.service, image.reference, "found")
        with _disk_failures(spec):
            self._build(spec, image)
        return LocalImage(spec.service, image.reference, "built")


@dataclass(frozen=True)
class _PushBuild(_Builder):
    """A build whose images are pushed to the registry.

    Attributes:
        registry: The registry.
        credentials: The engine's login.
    """

    registry: Registry
    credentials: Credentials

    def login(self) -> None:
        """Log the engine in to the registry."""
        engine = self.context.engine
        self.context.log("login").unlink(missing_ok=True)
        engine.prepare(self.credentials, self.private, os.environ)
        argv = engine.login(self.credentials, self.private)
        variables = engine.push_variables(os.environ, self.private)
        self._run("login", self.credentials.host, argv, variables, self.credentials.password)

    def build_and_push(self, spec: ImageSpec) -> PushedImage:
        """Build and push an image."""
        with _disk_failures(spec):
            return self._build_and_push(spec)

    def _build_and_push(self, spec: ImageSpec) -> PushedImage:
        started = time.monotonic()
        engine, listener = self.context.engine, self.context.listener
        image = Image(self.credentials.host, spec.repository, spec.tag, spec.platform, spec.args)
        self._build(spec, image)
        listener.progress(spec.service, "push")
        variables = engine.push_variables(os.environ, self.private)
        pushed = self._run("push", spec.service, engine.push(image, self.private), variables)
        digest = self._confirm_digest(image, engine.digest(image, self.private, pushed.lines))
        done = PushedImage(spec.service, spec.locked(digest), "built")
        listener.finished(done, time.monotonic() - started)
        return replace(done, notice=self._add_sbom(spec, digest)) if self.context.sboms else done

    def _add_sbom(self, spec: ImageSpec, digest: str) -> str:
        """Attach an SBOM unless the image has one.

        Return why that failed, as the image itself is pushed already.
        """
        repository = Repository(self.credentials, spec.repository)
        try:
            if sbom.SPDX not in repository.referrers(digest).values():
                self._attach_sbom(spec, repository, digest)
        except (OSError, ProgramError) as error:
            return f"{spec.service} has no SBOM: {error}"
        return ""

    def _attach_sbom(self, spec: ImageSpec, repository: Repository, digest: str) -> None:
        progress = self.context.listener.progress
        progress(spec.service, "SBOM")
        file = self.private / f"{spec.service}.spdx.json"
        argv = sbom.create_sbom(f"{self.credentials.host}/{spec.repository}@{digest}", spec.platform, file)
        variables = sbom.variables(os.environ, self.credentials)
        self.processes.run(
            argv, variables, self.context.log(spec.service), lambda line: progress(spec.service, line)
        )
        sbom.attach_sbom(repository, digest, file.read_bytes())

    def _confirm_digest(self, image: Image, digest: str | None) -> str:
        """Return the digest that was pushed, once the registry confirms it."""
        stored = self.registry.find(image.repository, image.tag)
        if digest is None or stored != digest:
            raise ProgramError(
                f"{image.repository}:{image.tag} was pushed as {digest or 'an unknown digest'}, but the"
                " registry has"
                f" {stored or 'no such tag'}; run the command again"
            )
        return digest


@contextmanager
def _disk_failures(spec: ImageSpec) -> Iterator[None]:
    """Report an error of the file system, such as a full disk, as the failure of one image."""
    try:
        yield
    except OSError as error:
        raise ProgramError(f"{spec.service}: {error}; fix that and run the command again") from None


def _stage(spec: ImageSpec, folder: Path) -> BuildFiles:
    """Copy a build context and check that the copy still matches its key."""
    staged = spec.context.stage(folder)
    if content_key(staged, (spec.platform,), spec.args) != spec.content_key:
        message = f"{spec.service}: files in {spec.context.folder} changed while they were being read"
        raise CheckFailedError(f"{message}; run the command again")
    return staged


def _failure(step: Step, name: str, log: Path, error: ProgramError) -> ProgramError:
    """Explain the engine's failure and quote its last line.

    Quote more of its output if the cause is unknown.
    """
    if not error.output:
        return ProgramError(f"{name}: {step} failed: {error}")
    meaning = explain(step, error.output)
    lines = error.output.strip().splitlines()[-1 if meaning else -_TAIL_LINES :]
    quoted = "".join(f"\n    {line[:_LINE_LENGTH]}" for line in lines)
    return ProgramError(f"{name}: {step} failed: {meaning or 'see below'} (full output: {log}){quoted}")
