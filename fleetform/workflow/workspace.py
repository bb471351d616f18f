"""The workspace of an environment: Terraform's program, folders and process environment."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path

from fleetform.aws.clients import Access
from fleetform.base import fingerprint
from fleetform.base.cache import Kind
from fleetform.base.processes import Output, ProcessGroup, Result, read, report_interrupt
from fleetform.base.serialization import JsonCodec
from fleetform.catalog.models import Environment
from fleetform.render.rendered_files import rendered_folders
from fleetform.stacks import Stack, emptied, stacks
from fleetform.terraform import commands, installation, process_environment
from fleetform.terraform.failures import translate_failures
from fleetform.terraform.initialization import Initialization
from fleetform.workflow.emulated import aws_variables
from fleetform.workflow.project import Project

# Bytes that Terraform and its provider need for a plan, measured by benchmarks/driving.py.
_MEMORY = 1000 * 1024**2
_MEMORY_OF_A_SERVICE = 5 * 1024**2
_NEW_ENOUGH: Kind[bool] = Kind("new enough", JsonCodec(bool))
_report = partial(report_interrupt, "Terraform")


@dataclass(frozen=True)
class Workspace:
    """An environment with everything that is needed to run Terraform in it.

    Attributes:
        environment: The environment.
        program: Path of terraform or tofu.
        folder: The environment's folder in `envs/`.
        work: The folder of plans, logs and Terraform's data.
        variables: Terraform's process environment.
        lock_timeout: Seconds that a state which another run has locked is waited for.
        processes: Runs Terraform, side by side in several stacks; an interrupt reaches all of them.
    """

    environment: Environment
    program: str
    folder: Path
    work: Path
    variables: Mapping[str, str]
    lock_timeout: int = commands.LOCK_TIMEOUT
    processes: ProcessGroup = field(
        default_factory=lambda: ProcessGroup(signal.SIGINT, _report), compare=False
    )

    @property
    def access(self) -> Access:
        """Return the access to the environment's AWS account."""
        return Access(self.environment.region, self.variables, self.environment.role)

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Return the stacks in the order in which they are applied."""
        return stacks(self.environment)

    @property
    def emptied(self) -> tuple[Stack, ...]:
        """Return the stacks that have no services any more."""
        return emptied(self.environment, rendered_folders(self.folder))

    def terraform(self, stack: Stack, *, color: bool = False) -> commands.Terraform:
        """Return the Terraform commands of a stack."""
        return commands.Terraform(self.program, self.folder / stack.name, color, self.lock_timeout)

    def variables_of(self, stack: Stack) -> dict[str, str]:
        """Return Terraform's process environment in a stack. Its data stays out of committed folders."""
        return {**self.variables, "TF_DATA_DIR": str(self.data(stack.name))}

    def data(self, stack: str) -> Path:
        """Return the folder of Terraform's data of a stack."""
        return self.work / "data" / stack

    def initialization(self, stack: Stack) -> Initialization:
        """Return the initialization of a stack."""
        program = fingerprint.program(self.program, self.folder.parents[1])
        return Initialization(program, self.folder / stack.name, self.variables_of(stack))

    @property
    def applied(self) -> Path:
        """Return the file that records what was applied to the emulator, if all of it was."""
        return self.work / "applied"

    @property
    def facts(self) -> Path:
        """Return the folder of facts about the state bucket."""
        return self.work / "facts"

    def applied_fact(self, stack: Stack) -> Path:
        """Return the file that records that a stack is applied; it is removed when that becomes uncertain."""
        return self.facts / f"{stack.name}-applied"

    def lost(self, stack: str) -> Path:
        """Return the file of imports for resources of a killed apply; it usually does not exist."""
        return self.work / "lost" / f"{stack}.json"

    def plan(self, stack: Stack) -> Path:
        """Return the file that a plan is saved to."""
        return self.work / f"{stack.name}.tfplan"

    def log(self, stack: Stack, command: str) -> Path:
        """Return the log file of a command."""
        return self.log_of(stack.name, command)

    def log_of(self, stack: str, command: str) -> Path:
        """Return the log file of a command for a stack's name; the stack may not have a folder any more."""
        return self.work / "logs" / f"{stack}-{command}.log"

    def run(
        self,
        stack: Stack,
        argv: list[str],
        log: Path,
        output: Output | None = None,
        accepted: tuple[int, ...] = (0,),
    ) -> Result:
        """Run a Terraform command in a stack.

        Raises:
            ProgramError: It fails.
            KeyboardInterrupt: The group has been interrupted; Terraform has ended.
        """
        log.unlink(missing_ok=True)
        with translate_failures(self.environment.name), self.processes.listening():
            return self.processes.run(argv, self.variables_of(stack), log, output, accepted=accepted)


def open_workspace(project: Project, name: str) -> Workspace:
    """Prepare to run Terraform in an environment; start the emulator if the environment runs against it."""
    return _workspace(project, project.environment(name), work_folder(project, name), project.work)


def work_folder(project: Project, name: str) -> Path:
    """Return the folder of an environment's local files."""
    return project.work / "environments" / name


def open_local_workspace(project: Project, name: str) -> Workspace:
    """Prepare to apply an environment to this machine; one that is on AWS gets its own emulator."""
    environment = project.environment(name)
    if environment.emulator:
        return open_workspace(project, name)
    work = local_work_folder(project, environment)
    return _workspace(project, environment.model_copy(update={"emulator": True}), work, work)


def local_work_folder(project: Project, environment: Environment) -> Path:
    """Return the folder of local files of an environment that is applied to this machine."""
    return project.work / ("environments" if environment.emulator else "emulated") / environment.name


def open_offline_workspace(project: Project, name: str) -> Workspace:
    """Prepare to run Terraform without an AWS API: no emulator is started."""
    return _workspace(project, project.environment(name), work_folder(project, name))


def _workspace(
    project: Project, environment: Environment, work: Path, emulator_folder: Path | None = None
) -> Workspace:
    folder = project.root / "envs" / environment.name
    process_environment.require_neutral(os.environ, folder)
    process_environment.require_default_workspace((work / "data").glob("*"))
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    aws = aws_variables(environment, emulator_folder) if emulator_folder else os.environ
    variables = installation.variables(aws, project.work)
    program = installation.find_program()
    _require_version(project, program, variables)
    return Workspace(environment, program, folder, work, variables)


def _require_version(project: Project, program: str, variables: Mapping[str, str]) -> None:
    """Make sure that Terraform is new enough; the result is cached."""

    def check() -> bool:
        installation.require_version(program, read(commands.version(program), variables))
        return True

    project.cache.memo(_NEW_ENOUGH, (fingerprint.code(), fingerprint.program(program, project.root)), check)


def suitable_jobs(environment: Environment, stacks: Sequence[Stack]) -> int:
    """Return how many stacks this machine can run in parallel: each needs a processor and memory."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # The foundation has resources of every service.
    sizes = (len(stack.services) or len(environment.services) for stack in stacks)
    free = _free_memory()
    totals = accumulate(sorted((_MEMORY + _MEMORY_OF_A_SERVICE * size for size in sizes), reverse=True))
    return max(1, min(processors, sum(total <= free for total in totals)))


def _free_memory() -> int:
    """Return how many bytes of memory are available; the largest number if the system does not report it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return sys.maxsize
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
