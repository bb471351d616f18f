"""The library's parts composed into what a person asks for. Each function is one of them, and prints nothing."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fleetform.aws import Access
from fleetform.catalog.checks import suggestion
from fleetform.catalog.images_lock import load_lock, write_lock
from fleetform.catalog.loading import load
from fleetform.catalog.models import Environment
from fleetform.errors import CheckFailedError, FleetformError, InputError, ProgramError
from fleetform.programs import Output, run
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.render.writer import Change, changes, formatted, write
from fleetform.stacks import STACKS, Stack
from fleetform.terraform import commands, installation
from fleetform.terraform.summary import Summary, summarize

if TYPE_CHECKING:
    from fleetform.images.building import Done, Watch
    from fleetform.images.registry import Registry
    from fleetform.images.wanted import Wanted
    from fleetform.policy.findings import Finding
    from fleetform.verification import Report

_PLAN_HAS_CHANGES = 2


@dataclass(frozen=True)
class Project:
    """A checkout.

    Attributes:
        root: Its folder.
    """

    root: Path

    @property
    def work(self) -> Path:
        """What a machine keeps of its own: plans, logs, the emulator's record. Not committed."""
        return self.root / ".fleetform"

    @property
    def demo(self) -> Path:
        """What the demonstration works in, and removes."""
        return self.work / "demo"


@dataclass(frozen=True)
class Workplace:
    """An environment with all that is needed to run Terraform in it.

    Attributes:
        environment: The environment.
        program: Path of terraform or tofu.
        folder: The environment's folder in `envs/`.
        work: Where plans, logs and Terraform's data go.
        variables: Terraform's process environment.
    """

    environment: Environment
    program: str
    folder: Path
    work: Path
    variables: Mapping[str, str]

    @property
    def access(self) -> Access:
        """The environment's AWS."""
        return Access(self.environment.region, self.variables)

    def terraform(self, stack: Stack, *, color: bool = False) -> commands.Terraform:
        """Builds commands for one stack."""
        return commands.Terraform(self.program, self.folder / stack.name, color)

    def variables_of(self, stack: Stack) -> dict[str, str]:
        """Terraform's process environment in one stack: its data stays out of the committed folders."""
        return {**self.variables, "TF_DATA_DIR": str(self.work / "data" / stack.name)}

    def log(self, stack: Stack, command: str) -> Path:
        """The file that a command's output is kept in."""
        return self.work / "logs" / f"{stack.name}-{command}.log"


@dataclass(frozen=True)
class Plan:
    """A saved plan.

    Attributes:
        stack: Its stack.
        path: The file.
        summary: What it would do to resources.
        changes: Whether it would do anything, outputs included.
    """

    stack: Stack
    path: Path
    summary: Summary
    changes: bool

    def discard(self) -> None:
        """Removes the file: a plan may hold what is sensitive."""
        self.path.unlink(missing_ok=True)


def rendered(project: Project, name: str) -> dict[str, list[Change]]:
    """What a render would change, by stack; writes nothing.

    Raises:
        InputError: The catalog is wrong, or a file that is not ours is in the way.
    """
    environment = load(project.root, name)
    lock = load_lock(project.root, name)
    stacks = formatted(render(environment, Templates(project.root / "templates"), lock), _format)
    return {stack: changes(project.root, PurePath("envs", name, stack), files) for stack, files in stacks.items()}


def render_environment(project: Project, name: str) -> list[Change]:
    """Renders an environment's stacks and writes them; see `rendered` for what it raises."""
    by_stack = rendered(project, name)
    for stack_changes in by_stack.values():
        write(project.root, stack_changes)
    return [change for stack_changes in by_stack.values() for change in stack_changes]


def require_rendered(project: Project, name: str) -> None:
    """Makes sure that what is on disk is what the catalog says.

    Raises:
        CheckFailedError: It is not.
    """
    stale = [str(change.path) for found in rendered(project, name).values() for change in found]
    if stale:
        raise CheckFailedError(f"{stale[0]} is not what the catalog says; run `invoke render --env {name}`")


def _format(folder: Path) -> None:
    program = installation.find_program()
    _call(commands.fmt(program, folder), installation.variables(os.environ, folder))


def unformatted(project: Project) -> list[str]:
    """The Terraform files of the modules and environments that `terraform fmt` would change."""
    program = installation.find_program()
    variables = installation.variables(os.environ, project.work)
    argv = commands.fmt(program, project.root / "modules", project.root / "envs", check=True)
    lines = _call(argv, variables, accepted=(0, 3)).splitlines()
    # Terraform shows paths as seen from its working directory, which is ours.
    return sorted(os.path.relpath(line, project.root) for line in lines if line)


def _call(argv: list[str], variables: Mapping[str, str], accepted: tuple[int, ...] = (0,)) -> str:
    """Runs a quick command that prints to be read by us."""
    done = subprocess.run(
        argv, env=dict(variables), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode not in accepted:
        raise ProgramError(f"`{' '.join(argv)}` ended with exit code {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


def open_environment(project: Project, name: str, *, private_emulator: bool = False) -> Workplace:
    """Prepares to run Terraform in an environment; starts the emulator if it runs against that.

    Args:
        project: The checkout.
        name: The environment.
        private_emulator: Use an emulator of one's own, which `close_private_emulator` ends.
    """
    environment = load(project.root, name)
    work = project.demo if private_emulator else project.work / "environments" / name
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    if private_emulator and not environment.emulator:
        raise InputError(
            f"environment `{name}` does not run against the emulator; set `emulator: true` or choose another"
        )
    variables = _aws_variables(environment, work if private_emulator else project.work)
    variables = installation.variables(variables, project.work)
    program = installation.find_program()
    installation.require_version(program, _call(commands.version(program), variables))
    return Workplace(environment, program, project.root / "envs" / name, work, variables)


def _aws_variables(environment: Environment, emulator_folder: Path) -> Mapping[str, str]:
    """The process environment in which AWS is the environment's; starts the emulator if that is it."""
    if not environment.emulator:
        return os.environ
    from fleetform import emulator  # noqa: PLC0415 - what never runs against it need not import it

    started = emulator.start(emulator_folder, account=environment.account)
    return emulator.environment(started, os.environ)


def close_private_emulator(project: Project) -> None:
    """Ends the emulator of a private workplace and removes all that it left."""
    from fleetform import emulator  # noqa: PLC0415

    emulator.stop(project.demo)
    shutil.rmtree(project.demo, ignore_errors=True)


def bootstrap(workplace: Workplace) -> bool:
    """Makes the bucket for the environment's state; says whether it was missing."""
    from fleetform.terraform.state import ensure_bucket  # noqa: PLC0415 - it brings boto3

    environment = workplace.environment
    tags = {"application": environment.application, "environment": environment.name, **environment.tags}
    return ensure_bucket(workplace.access, environment.state_bucket, tags)


def has_state(workplace: Workplace, stack: Stack) -> bool:
    """Whether a stack has been applied."""
    from fleetform.terraform import state  # noqa: PLC0415 - it brings boto3

    return state.has_state(workplace.access, workplace.environment.state_bucket, stack.name)


def init(workplace: Workplace, stack: Stack, output: Output | None = None) -> None:
    """Initialises a stack."""
    argv = workplace.terraform(stack).init()
    run(argv, workplace.variables_of(stack), workplace.log(stack, "init"), output)


def findings(project: Project, name: str) -> "list[Finding]":
    """The policy's findings in what stands on disk."""
    from fleetform.policy.findings import check  # noqa: PLC0415 - it brings a tenth of a second of parser
    from fleetform.policy.folders import Folders  # noqa: PLC0415

    folders = Folders(project.root, project.work / "parsed.pickle")
    found = check(load(project.root, name), folders)
    folders.keep()
    return found


def verify(workplace: Workplace) -> "Report":
    """Compares the running environment with the catalog.

    Raises:
        ProgramError: AWS does not answer as it should.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - a third of a second

    from fleetform import verification  # noqa: PLC0415

    try:
        return verification.verify(workplace.environment, workplace.access)
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"{error}; is `{workplace.environment.name}` applied, and are the credentials right?"
        ) from None


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
class ImageReport:
    """What came of making images.

    Attributes:
        done: What is in the registry now.
        failures: What went wrong with the others; the lock keeps what it had of them.
        changes: What the render changed.
        notices: What was not checked before the push.
    """

    done: "tuple[Done, ...]"
    failures: tuple[FleetformError, ...]
    changes: tuple[Change, ...]
    notices: tuple[str, ...] = ()

    def raise_failures(self) -> None:
        """Reports every failure at once.

        Raises:
            FleetformError: There are failures; of the kind of the first.
        """
        if self.failures:
            raise type(self.failures[0])("\n".join(map(str, self.failures)))


def open_registry(project: Project, environment: Environment) -> "Registry":
    """The environment's image registry; starts the emulator if it runs against that.

    Raises:
        ProgramError: The AWS credentials cannot be read.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - a third of a second

    access = Access(environment.region, _aws_variables(environment, project.work))
    try:
        return registry_of(environment, access)
    except BotoCoreError as error:
        raise ProgramError(f"{error}; are the AWS credentials there, and right?") from None


def registry_of(environment: Environment, access: Access) -> "Registry":
    """The environment's image registry, where AWS is known already. The emulator is its own registry."""
    from fleetform.images.registry import Registry  # noqa: PLC0415 - most tasks have no use for it

    front = urlsplit(access.variables["AWS_ENDPOINT_URL"]).netloc if environment.emulator else None
    return Registry(access.client("ecr"), environment.account, environment.name, front)


def make_images(project: Project, name: str, request: ImageRequest, watch: "Watch | None" = None) -> ImageReport:
    """Sees to it that images are in the registry; writes the lock and renders.

    Images that are pushed get into the lock even if others fail: they are there for good, and the next run goes on from
    there.

    Raises:
        InputError: A service is not one that is built here, or the foundation is not applied.
        CheckFailedError: What is to be built should not be pushed, or a tag does not stand for what the lock says.
        ProgramError: ECR does not answer, no engine works or its login fails.
    """
    from fleetform.images.building import Watch, Workshop, build, look_up  # noqa: PLC0415 - most tasks build nothing
    from fleetform.images.engine import find_engine  # noqa: PLC0415
    from fleetform.images.wanted import wanted  # noqa: PLC0415

    if request.jobs < 1:
        raise InputError(f"--jobs {request.jobs}: 1 or more is expected")
    environment = load(project.root, name)
    lock = load_lock(project.root, name)
    images = wanted(project.root, environment, _built_services(environment, request.services))
    registry = open_registry(project, environment)
    done = tuple(look_up(images, lock, registry))
    failures: tuple[FleetformError, ...] = ()
    notices: tuple[str, ...] = ()
    if missing := [image for image in images if image.service not in {there.service for there in done}]:
        notices = _check_before_push(environment, missing)
        workshop = Workshop(find_engine(request.engine), project.work / name, request.jobs, watch or Watch())
        outcome = build(missing, registry, workshop)
        done, failures = (*done, *outcome.done), outcome.failures
    entries = {service: image for service, image in lock.items() if service in _built_services(environment, ())}
    write_lock(project.root, name, entries | {there.service: there.image for there in done})
    return ImageReport(done, failures, tuple(render_environment(project, name)), notices)


def require_images(project: Project, environment: Environment) -> None:
    """Makes sure that every service that is built here has an image; the emulator runs none, and needs none.

    Raises:
        CheckFailedError: One has not.
    """
    lock = load_lock(project.root, environment.name)
    missing = [name for name in _built_services(environment, ()) if name not in lock]
    if missing and not environment.emulator:
        raise CheckFailedError(
            f"{environment.name} has no image of {', '.join(missing)} yet; run `invoke images --env {environment.name}`"
            f" and apply again, or `invoke deploy --env {environment.name}`"
        )


def _built_services(environment: Environment, chosen: Sequence[str]) -> list[str]:
    """The services that were chosen, or all, of those that are built here."""
    built = [name for name, service in environment.services.items() if service.build]
    for name in chosen:
        if name not in built:
            raise InputError(f"`{name}` is no service of {environment.name} with `build`; {suggestion(name, built)}")
    return [name for name in built if name in chosen or not chosen]


def _check_before_push(environment: Environment, images: "Sequence[Wanted]") -> tuple[str, ...]:
    """Makes sure that images may be pushed; returns what could not be checked."""
    from fleetform.images import checks  # noqa: PLC0415 - what is pushed already is not checked

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


def validate(workplace: Workplace, stack: Stack) -> None:
    """Validates a stack without its state."""
    terraform = workplace.terraform(stack)
    variables = {**workplace.variables, "TF_DATA_DIR": str(workplace.work / "validate" / stack.name)}
    run(terraform.init(backend=False), variables, workplace.log(stack, "init"))
    run(terraform.validate(), variables, workplace.log(stack, "validate"))


def plan(
    workplace: Workplace, stack: Stack, output: Output | None = None, *, destroy: bool = False, color: bool = False
) -> Plan:
    """Plans an initialised stack and saves the plan."""
    path = workplace.work / f"{stack.name}.tfplan"
    argv = workplace.terraform(stack, color=color).plan(path, destroy=destroy)
    result = run(
        argv, workplace.variables_of(stack), workplace.log(stack, "plan"), output, accepted=(0, _PLAN_HAS_CHANGES)
    )
    return Plan(stack, path, summarize(result.lines, result.seconds), changes=result.code == _PLAN_HAS_CHANGES)


def apply(workplace: Workplace, planned: Plan, output: Output | None = None, *, color: bool = False) -> Summary:
    """Applies a saved plan, and discards it."""
    argv = workplace.terraform(planned.stack, color=color).apply(planned.path)
    try:
        result = run(argv, workplace.variables_of(planned.stack), workplace.log(planned.stack, "apply"), output)
    finally:
        planned.discard()
    return summarize(result.lines, result.seconds)


def destroy_order() -> tuple[Stack, ...]:
    """The stacks, dependents first."""
    return tuple(reversed(STACKS))
