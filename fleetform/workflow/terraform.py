"""Terraform in an environment: from an empty account to a plan applied."""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fleetform import identity
from fleetform.aws import Access
from fleetform.catalog.models import Environment
from fleetform.errors import CheckFailedError, ProgramError
from fleetform.programs import Crew, Output, Result, read, run, tell_interrupt
from fleetform.render.standing import rendered_folders
from fleetform.stacks import FOUNDATION, Stack, emptied, stacks
from fleetform.store import digest
from fleetform.terraform import commands, installation, plans, printed
from fleetform.terraform.commands import Mode
from fleetform.terraform.failures import explained
from fleetform.terraform.initialization import Initialization, is_missing
from fleetform.terraform.plans import StackPlan
from fleetform.terraform.recovery import blocks, missing
from fleetform.terraform.summary import Summary, summarize
from fleetform.workflow import catalog
from fleetform.workflow.project import Project, aws_variables

if TYPE_CHECKING:
    from fleetform.terraform.bucket import How
T = TypeVar("T")

_PLAN_HAS_CHANGES = 2
_IMPORTS = "fleetform_lost.tf"
_MEMORY_OF_ONE = 1024**3  # bytes; see the table in benchmarks/driving.py


_tell_interrupt = partial(tell_interrupt, "Terraform")


@dataclass(frozen=True)
class Workplace:
    """An environment with all that is needed to run Terraform in it.

    Attributes:
        environment: The environment.
        program: Path of terraform or tofu.
        folder: The environment's folder in `envs/`.
        work: Where plans, logs and Terraform's data go.
        variables: Terraform's process environment.
        lock_timeout: Seconds that a state which another run has locked is waited for.
        crew: Runs Terraform, side by side in several stacks; an interrupt reaches all of them.
    """

    environment: Environment
    program: str
    folder: Path
    work: Path
    variables: Mapping[str, str]
    lock_timeout: int = commands.LOCK_TIMEOUT
    crew: Crew = field(default_factory=lambda: Crew(signal.SIGINT, _tell_interrupt), compare=False)

    @property
    def access(self) -> Access:
        """The environment's AWS."""
        return Access(self.environment.region, self.variables, self.environment.role)

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks in the order of their apply."""
        return stacks(self.environment)

    @property
    def emptied(self) -> tuple[Stack, ...]:
        """The stacks that all services have left."""
        return emptied(self.environment, rendered_folders(self.folder))

    def terraform(self, stack: Stack, *, color: bool = False) -> commands.Terraform:
        """Builds commands for one stack."""
        return commands.Terraform(self.program, self.folder / stack.name, color, self.lock_timeout)

    def variables_of(self, stack: Stack) -> dict[str, str]:
        """Terraform's process environment in one stack: its data stays out of the committed folders."""
        return {**self.variables, "TF_DATA_DIR": str(self.data(stack.name))}

    def data(self, stack: str) -> Path:
        """The folder of Terraform's data of a stack."""
        return self.work / "data" / stack

    def initialization(self, stack: Stack) -> Initialization:
        """The initialisation of one stack."""
        program = identity.program(self.program, self.folder.parents[1])
        return Initialization(program, self.folder / stack.name, self.variables_of(stack))

    @property
    def applied(self) -> Path:
        """The file that says what was applied to the emulator as a whole, as long as nothing else was."""
        return self.work / "applied"

    def lost(self, stack: str) -> Path:
        """The file that says by what to import what an apply made that was killed; there is none mostly."""
        return self.work / "lost" / f"{stack}.json"

    def log(self, stack: Stack, command: str) -> Path:
        """The file that a command's output is kept in."""
        return self.log_of(stack.name, command)

    def log_of(self, stack: str, command: str) -> Path:
        """The same of a stack by its name, which may have no folder any more."""
        return self.work / "logs" / f"{stack}-{command}.log"

    def run(
        self, stack: Stack, argv: list[str], log: Path, output: Output | None = None, accepted: tuple[int, ...] = (0,)
    ) -> Result:
        """Runs a command of Terraform in a stack.

        Raises:
            ProgramError: It fails.
            KeyboardInterrupt: The crew has been interrupted; Terraform has ended.
        """
        log.unlink(missing_ok=True)
        with explained(self.environment.name), self.crew.listening():
            return self.crew.run(argv, self.variables_of(stack), log, output, accepted=accepted)


@dataclass(frozen=True)
class Plan:
    """A saved plan.

    Attributes:
        stack: Its stack.
        path: The file.
        summary: What it would do to resources.
        changes: Whether it would do anything, outputs included.
        printed: What of it Terraform's text tells; None if that leaves anything open.
        outputs: Whether it changes outputs.
    """

    stack: Stack
    path: Path
    summary: Summary
    changes: bool
    printed: StackPlan | None = None
    outputs: bool = False

    def discard(self) -> None:
        """Removes the file: a plan may hold what is sensitive."""
        self.path.unlink(missing_ok=True)


def open_environment(project: Project, name: str) -> Workplace:
    """Prepares to run Terraform in an environment; starts the emulator if it runs against that."""
    return _workplace(project, catalog.environment(project, name), work_of(project, name), project.work)


def work_of(project: Project, name: str) -> Path:
    """What is kept of an environment where it is applied."""
    return project.work / "environments" / name


def open_here(project: Project, name: str) -> Workplace:
    """Prepares to apply an environment to this machine: to an emulator of its own, if it is one of AWS's."""
    environment = catalog.environment(project, name)
    if environment.emulator:
        return open_environment(project, name)
    work = work_here(project, environment)
    return _workplace(project, environment.model_copy(update={"emulator": True}), work, work)


def work_here(project: Project, environment: Environment) -> Path:
    """What is kept of an environment that is applied to this machine."""
    return project.work / ("environments" if environment.emulator else "emulated") / environment.name


def _workplace(project: Project, environment: Environment, work: Path, emulator_folder: Path) -> Workplace:
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    variables = installation.variables(aws_variables(environment, emulator_folder), project.work)
    program = installation.find_program()
    _require_version(project, program, variables)
    return Workplace(environment, program, project.root / "envs" / environment.name, work, variables)


def _require_version(project: Project, program: str, variables: Mapping[str, str]) -> None:
    """Makes sure that a Terraform is new enough; one that was is not asked again."""
    key = digest(b"new enough", identity.code(), identity.program(program, project.root))
    if key not in project.store.get_many([key]):
        installation.require_version(program, read(commands.version(program), variables))
        project.store.put_many({key: b""})


def bootstrap(workplace: Workplace) -> "dict[str, How]":
    """Makes the bucket for the environment's state, or brings it up to date; says what was done about what."""
    from fleetform.terraform.bucket import Wanted, ensure_bucket  # noqa: PLC0415 - it brings boto3

    environment = workplace.environment
    tags = {"application": environment.application, "environment": environment.name, **environment.tags}
    wanted = Wanted(environment.state_bucket, environment.account, environment.kms_key, tags)
    return ensure_bucket(workplace.access, wanted)


def suitable_jobs() -> int:
    """How many stacks suit this machine at a time: Terraform and its provider take a processor and a gigabyte each."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, _free_memory() // _MEMORY_OF_ONE))


def _free_memory() -> int:
    """Bytes that are free, or would be; where the system does not say, enough."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return sys.maxsize
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def require_bucket(workplace: Workplace) -> None:
    """Makes the bucket for the state where no one is asked: on an emulator; once for each that is started."""

    def make() -> bool:
        bootstrap(workplace)
        return True

    if workplace.environment.emulator:
        _remembered(workplace, "bucket", make)


def has_state(workplace: Workplace, stack: Stack) -> bool:
    """Whether a stack has been applied; that it was stays so, as a destroy leaves a state that is empty."""

    def ask() -> bool:
        from fleetform.terraform import state  # noqa: PLC0415 - it brings boto3

        return state.has_state(workplace.access, workplace.environment.state_bucket, stack.name)

    return _remembered(workplace, f"{stack.name}-applied", ask)


def _remembered(workplace: Workplace, fact: str, ask: Callable[[], bool]) -> bool:
    """A fact about the bucket of states: asked for until it is true, and anew of each emulator that is started."""
    file = workplace.work / "facts" / fact
    there = _bucket(workplace)
    if identity.content(file) == digest(b"", there):
        return True
    if not ask():
        return False
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(there)
    return True


def _bucket(workplace: Workplace) -> bytes:
    """Which bucket it is, of all that have its name."""
    name, endpoint = workplace.environment.state_bucket, workplace.variables.get("AWS_ENDPOINT_URL", "")
    records: list[bytes] = []
    if workplace.environment.emulator:
        from fleetform.emulator.process import RECORD  # noqa: PLC0415 - what never runs against it need not import it

        # One for the project or, where an environment of AWS's is applied to this machine, of its own.
        records = [identity.content(folder / RECORD) for folder in (workplace.work, workplace.work.parents[1])]
    return digest(name.encode(), endpoint.encode(), *records)


def require_settled(workplace: Workplace) -> None:
    """Makes sure that no apply would destroy a service only to make it anew in another stack, or lose sight of any.

    Raises:
        CheckFailedError: A service's resources are in another stack's state, or in that of a stack without a folder.
    """
    from fleetform.terraform import state  # noqa: PLC0415 - it brings boto3

    environment = workplace.environment
    held = state.modules(workplace.access, environment.state_bucket)
    home = {
        name: stack.name
        for stack in workplace.stacks
        for service in stack.services
        for name in (service, *environment.services[service].renamed_from)
    }
    known = {stack.name for stack in (*workplace.stacks, *workplace.emptied)}
    problems = [
        f"{stack}: its state holds resources, and envs/{environment.name}/{stack} is gone; take the folder from Git"
        f" again: an apply destroys what is left"
        for stack in sorted(held.keys() - known)
    ]
    problems += [
        f"{name}: now of the group {home[name]}, but its resources are in the state of {stack}; an apply would destroy"
        " them and make others: docs/upgrading.md moves them"
        for stack in sorted(held.keys() & known - {FOUNDATION.name})
        for name in sorted(held[stack])
        if home.get(name, stack) != stack
    ]
    if problems:
        raise CheckFailedError("\n".join(problems))


def init(workplace: Workplace, stack: Stack, output: Output | None = None) -> None:
    """Initialises a stack, unless nothing that this depends on has changed since it was."""
    argv, log = workplace.terraform(stack).init(), workplace.log(stack, "init")
    workplace.initialization(stack).ensure(lambda: workplace.run(stack, argv, log, output))


def _initialized(workplace: Workplace, stack: Stack, command: Callable[[], T]) -> T:
    """Runs a command in a stack, and once more if Terraform says that it is not initialised after all."""
    try:
        return command()
    except ProgramError as error:
        if not is_missing(f"{error}\n{error.output}"):
            raise
    workplace.initialization(stack).forget()
    init(workplace, stack)
    return command()


def validate(workplace: Workplace, stack: Stack) -> None:
    """Validates a stack without its state."""
    terraform = workplace.terraform(stack)
    variables = {**workplace.variables, "TF_DATA_DIR": str(workplace.work / "validate" / stack.name)}
    with explained(workplace.environment.name):
        run(terraform.init(backend=False), variables, workplace.log(stack, "init"))
    run(terraform.validate(), variables, workplace.log(stack, "validate"))


def plan(
    workplace: Workplace, stack: Stack, output: Output | None = None, *, mode: Mode = Mode.APPLY, color: bool = False
) -> Plan:
    """Plans an initialised stack and saves the plan."""
    path = workplace.work / f"{stack.name}.tfplan"
    argv, log = workplace.terraform(stack, color=color).plan(path, mode), workplace.log(stack, "plan")
    accepted = (0, _PLAN_HAS_CHANGES)
    try:
        result = _importing(
            workplace,
            stack,
            lambda: _initialized(workplace, stack, lambda: workplace.run(stack, argv, log, output, accepted)),
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    changes = result.code == _PLAN_HAS_CHANGES
    summary = summarize(result.lines, result.seconds)
    told = printed.read(stack.name, result.lines) if changes else None
    return Plan(stack, path, summary, changes, told, printed.has_outputs(result.lines))


def _importing(workplace: Workplace, stack: Stack, plan_once: Callable[[], Result]) -> Result:
    """Has a plan import what an apply made that was killed; the plan keeps the imports, and the folder does not.

    What is not there after all is imported no longer, and the plan made again.
    """
    lost, place = workplace.lost(stack.name), workplace.folder / stack.name / _IMPORTS
    imports = json.loads(lost.read_text(encoding="utf-8")) if lost.is_file() else {}
    while True:
        if imports:
            place.write_text(blocks(imports), encoding="utf-8")
        try:
            return plan_once()
        except ProgramError as error:
            gone = missing(error.output) & imports.keys()
            if not gone:
                raise
            imports = {address: imports[address] for address in imports if address not in gone}
            lost.write_text(json.dumps(imports), encoding="utf-8")
        finally:
            place.unlink(missing_ok=True)


def show(workplace: Workplace, planned: Plan) -> Any:  # noqa: ANN401 - JSON
    """What a saved plan says, as Terraform shows it: secrets among it."""
    argv, variables = workplace.terraform(planned.stack).show(planned.path), workplace.variables_of(planned.stack)
    return json.loads(_initialized(workplace, planned.stack, lambda: read(argv, variables)))


def told(workplace: Workplace, planned: Plan, *, values: bool = False) -> StackPlan:
    """What a saved plan would do, from its text if that is enough: its JSON takes seconds more.

    Args:
        workplace: The environment.
        planned: The plan.
        values: With the values that differ, outputs, and what was changed outside of Terraform.
    """
    if not planned.changes:
        return StackPlan(planned.stack.name)
    if planned.printed and not values:
        return planned.printed
    return plans.read(planned.stack.name, show(workplace, planned))


def output(workplace: Workplace, stack: Stack, name: str) -> Any:  # noqa: ANN401 - JSON
    """The value of an applied stack's output."""
    argv, variables = workplace.terraform(stack).output(name), workplace.variables_of(stack)
    return json.loads(_initialized(workplace, stack, lambda: read(argv, variables)))


def apply(workplace: Workplace, planned: Plan, output: Output | None = None, *, color: bool = False) -> Summary:
    """Applies a saved plan, and discards it."""
    workplace.applied.unlink(missing_ok=True)
    argv = workplace.terraform(planned.stack, color=color).apply(planned.path)
    try:
        result = workplace.run(planned.stack, argv, workplace.log(planned.stack, "apply"), output)
    finally:
        planned.discard()
    workplace.lost(planned.stack.name).unlink(missing_ok=True)
    return summarize(result.lines, result.seconds)
