"""From wanted images to images in the registry: look up what is there, build and push what is not, some at a time."""

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
    """An image that is in the registry.

    Attributes:
        service: Its service.
        image: Its entry in the lock.
        how: `unchanged`: as the lock says; `found`: in the registry, new to the lock; `built`: and pushed.
        notice: Why one that was built has no SBOM, if it was to have one.
    """

    service: str
    image: LockedImage
    how: Literal["unchanged", "found", "built"]
    notice: str = ""


@dataclass(frozen=True)
class LocalImage:
    """An image that is in the engine's own store.

    Attributes:
        service: Its service.
        reference: Its name there.
        how: `found` there, or `built`.
    """

    service: str
    reference: str
    how: Literal["found", "built"]


@dataclass(frozen=True)
class BuildListener:
    """Who looks on; called from several threads.

    Attributes:
        moves: Gets a service and what goes on there, such as a line that the engine printed.
        ends: Gets an image that was pushed, and the seconds that it took.
    """

    moves: Callable[[str, str], None] = lambda _service, _line: None
    ends: Callable[[PushedImage, float], None] = lambda _done, _seconds: None


@dataclass(frozen=True)
class BuildContext:
    """Where images are built.

    Attributes:
        engine: What builds them.
        folder: For logs and, while it lasts, for copies of contexts and the login.
        jobs: How many are built at a time.
        watch: Who looks on.
        sboms: Whether images get an SBOM.
    """

    engine: Engine
    folder: Path
    jobs: int = 2
    watch: BuildListener = field(default_factory=BuildListener)
    sboms: bool = False

    def log(self, name: str) -> Path:
        """The file that the engine's output is kept in."""
        return self.folder / "logs" / f"image-{name}.log"

    @contextmanager
    def private(self) -> Iterator[Path]:
        """A folder for this user alone, of which nothing is left."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix="images-", dir=self.folder) as folder:
            yield Path(folder)


def look_up_images(
    images: Sequence[ImageSpec], lock: Mapping[str, LockedImage], registry: Registry
) -> list[PushedImage]:
    """Finds those images that are in the registry already.

    Raises:
        CheckFailedError: A tag stands for another image than the lock says.
        FleetformError: There is no such repository, or ECR does not answer.
    """
    futures = ProcessGroup().at_once(_MAX_LOOK_UPS, lambda image: registry.find(image.repository, image.tag), images)
    digests = {image.service: future.result() for image, future in zip(images, futures, strict=True)}
    return [
        _find_image(image, digest, lock.get(image.service)) for image in images if (digest := digests[image.service])
    ]


def _find_image(image: ImageSpec, digest: str, locked: LockedImage | None) -> PushedImage:
    if locked is None or locked.tag != image.tag:
        return PushedImage(image.service, image.locked(digest), "found")
    if locked.digest != digest:
        raise CheckFailedError(
            f"{image.service}: {image.repository}:{image.tag} is {digest} in the registry, but {locked.digest} in the"
            " lock; somebody has replaced it: find out who, then delete the one that is wrong, there or here"
        )
    return PushedImage(image.service, locked, "unchanged")


@dataclass(frozen=True)
class Outcome(Generic[_T]):
    """What came of building.

    Attributes:
        done: What is there now, in the registry or the engine's store.
        failures: What went wrong with the others.
    """

    done: tuple[_T, ...]
    failures: tuple[FleetformError, ...]


def build_and_push(images: Sequence[ImageSpec], registry: Registry, workshop: BuildContext) -> Outcome[PushedImage]:
    """Builds images and pushes them; that one fails does not keep the others from being finished.

    Raises:
        FleetformError: The login failed; nothing was built.
        KeyboardInterrupt: Ctrl-C; the engines have ended.
    """
    processes = ProcessGroup()
    credentials = registry.credentials()
    with workshop.private() as private:
        line = _PushBuild(processes, workshop, private, registry, credentials)
        (login,) = processes.at_once(1, lambda _: line.login(), [None])
        login.result()
        futures = processes.at_once(workshop.jobs, line.make, images)
    return _outcome(futures)


def build_locally(images: Sequence[ImageSpec], workshop: BuildContext) -> Outcome[LocalImage]:
    """Builds images into the engine's own store, those that are not there; that one fails does not keep the others.

    They are named `localhost/<repository>:<tag>`: the name of no registry.

    Raises:
        KeyboardInterrupt: Ctrl-C; the engines have ended.
    """
    processes = ProcessGroup()
    with workshop.private() as private:
        shelf = _LocalBuild(processes, workshop, private)
        return _outcome(processes.at_once(workshop.jobs, shelf.make, images))


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
    """The way of each image from its context to the engine's own store.

    Attributes:
        processes: Runs the engine.
        workshop: Where it runs.
        private: Folder of the login and of staged contexts.
    """

    processes: ProcessGroup
    workshop: BuildContext
    private: Path

    def _build(self, wanted: ImageSpec, image: Image) -> None:
        engine = self.workshop.engine
        self.workshop.log(wanted.service).unlink(missing_ok=True)
        staged = _stage(wanted, self.private / wanted.service)
        self.workshop.watch.moves(wanted.service, "build")
        self._run("build", wanted.service, engine.build(image, staged), engine.build_variables(os.environ))

    def _run(self, step: Step, name: str, argv: list[str], variables: Mapping[str, str], stdin: str = "") -> Result:
        log = self.workshop.log("login" if step == "login" else name)
        try:
            return self.processes.run(argv, variables, log, lambda line: self.workshop.watch.moves(name, line), stdin)
        except ProgramError as error:
            raise _failure(step, name, log, error) from None


class _LocalBuild(_Builder):
    """Images stay in the engine's own store."""

    def make(self, wanted: ImageSpec) -> LocalImage:
        """Builds one image if it is not there."""
        image = Image(_LOCALHOST, wanted.repository, wanted.tag, wanted.platform, wanted.args)
        engine = self.workshop.engine
        if last_error_line(engine.look_up(image), engine.build_variables(os.environ)) is None:
            return LocalImage(wanted.service, image.reference, "found")
        with _disk_failures(wanted):
            self._build(wanted, image)
        return LocalImage(wanted.service, image.reference, "built")


@dataclass(frozen=True)
class _PushBuild(_Builder):
    """The way of each image from its context to the registry.

    Attributes:
        registry: Where images go.
        credentials: What the engine logs in with.
    """

    registry: Registry
    credentials: Credentials

    def login(self) -> None:
        """Lets the engine log in."""
        engine = self.workshop.engine
        self.workshop.log("login").unlink(missing_ok=True)
        engine.prepare(self.credentials, self.private, os.environ)
        argv = engine.login(self.credentials, self.private)
        variables = engine.push_variables(os.environ, self.private)
        self._run("login", self.credentials.host, argv, variables, self.credentials.password)

    def make(self, wanted: ImageSpec) -> PushedImage:
        """Builds and pushes one image."""
        with _disk_failures(wanted):
            return self._make(wanted)

    def _make(self, wanted: ImageSpec) -> PushedImage:
        started = time.monotonic()
        engine, watch = self.workshop.engine, self.workshop.watch
        image = Image(self.credentials.host, wanted.repository, wanted.tag, wanted.platform, wanted.args)
        self._build(wanted, image)
        watch.moves(wanted.service, "push")
        variables = engine.push_variables(os.environ, self.private)
        pushed = self._run("push", wanted.service, engine.push(image, self.private), variables)
        digest = self._proved(image, engine.digest(image, self.private, pushed.lines))
        done = PushedImage(wanted.service, wanted.locked(digest), "built")
        watch.ends(done, time.monotonic() - started)
        return replace(done, notice=self._describe(wanted, digest)) if self.workshop.sboms else done

    def _describe(self, wanted: ImageSpec, digest: str) -> str:
        """Sees to the SBOM of an image; returns why it has none, as the image is in the registry for good."""
        repository = Repository(self.credentials, wanted.repository)
        try:
            if sbom.SPDX not in repository.referrers(digest).values():
                self._attach_sbom(wanted, repository, digest)
        except (OSError, ProgramError) as error:
            return f"{wanted.service} has no SBOM: {error}"
        return ""

    def _attach_sbom(self, wanted: ImageSpec, repository: Repository, digest: str) -> None:
        moves = self.workshop.watch.moves
        moves(wanted.service, "SBOM")
        file = self.private / f"{wanted.service}.spdx.json"
        argv = sbom.create_sbom(f"{self.credentials.host}/{wanted.repository}@{digest}", wanted.platform, file)
        variables = sbom.variables(os.environ, self.credentials)
        self.processes.run(argv, variables, self.workshop.log(wanted.service), lambda line: moves(wanted.service, line))
        sbom.attach_sbom(repository, digest, file.read_bytes())

    def _proved(self, image: Image, digest: str | None) -> str:
        """The digest that was pushed, once the registry says the same."""
        found = self.registry.find(image.repository, image.tag)
        if digest is None or found != digest:
            raise ProgramError(
                f"{image.repository}:{image.tag} was pushed as {digest or 'an unknown digest'}, but the registry has"
                f" {found or 'nothing'} there; run it again"
            )
        return digest


@contextmanager
def _disk_failures(wanted: ImageSpec) -> Iterator[None]:
    """A disk that is full is a failure as others are."""
    try:
        yield
    except OSError as error:
        raise ProgramError(f"{wanted.service}: {error}; mend that and run it again") from None


def _stage(wanted: ImageSpec, folder: Path) -> BuildFiles:
    """A copy of a context that is what its key says."""
    staged = wanted.context.stage(folder)
    if content_key(staged, (wanted.platform,), wanted.args) != wanted.content_key:
        message = f"{wanted.service}: files of {wanted.context.folder} changed while they were being read"
        raise CheckFailedError(f"{message}; run it again")
    return staged


def _failure(step: Step, name: str, log: Path, error: ProgramError) -> ProgramError:
    """The engine's failure in our words, with its last line; where we have no words, with more of what it printed."""
    if not error.output:
        return ProgramError(f"{name}: {step} failed: {error}")
    meaning = explain(step, error.output)
    lines = error.output.strip().splitlines()[-1 if meaning else -_TAIL_LINES :]
    told = "".join(f"\n    {line[:_LINE_LENGTH]}" for line in lines)
    return ProgramError(f"{name}: {step} failed: {meaning or 'see below'} (all output: {log}){told}")
