"""Plans an environment with real Terraform on an emulator, and caches the result.

The foundation is applied to an emulator of its own, because the other stacks read its outputs and a security
group rule names its groups by ID. Then every stack is planned. What is planned are the files in `envs/`, as
they are on disk; they reach only the emulator, also those of environments on AWS.
"""

import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePath

from fleetform import emulator
from fleetform.base import fingerprint
from fleetform.base.cache import Kind
from fleetform.base.daemons import file_lock
from fleetform.base.errors import InputError, ProgramError
from fleetform.base.program_name import command
from fleetform.catalog.files import CATALOG, environment_file, environment_names
from fleetform.stacks import FOUNDATION, Stack, stacks
from fleetform.terraform import installation
from fleetform.terraform.failures import explain
from fleetform.terraform.initialization import LOCK
from fleetform.terraform.plain_text import unboxed
from fleetform.testing.plans import Document, EnvironmentPlan, StackPlan
from fleetform.workflow.apply import states
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, local_work_folder, open_local_workspace, suitable_jobs

_SOURCE = re.compile(r'\bsource"?\s*[=:]\s*"(\.[^"$]*)"')
_IMPORTS = "import.tf"
# With a `for_each`, it can have no instances.
_SLOW = re.compile(r'(?m)^resource "(aws_s3_bucket_lifecycle_configuration)" "(\w+)" \{\s*for_each\b')
_COMMAND = re.compile(r"Error running command \w+: \d+ ")
_SETTING = re.compile(r"TF_(?!LOG|DATA_DIR|CLI_CONFIG_FILE|PLUGIN_CACHE)\w+")
_CONFIGURATIONS = (".terraformrc", ".tofurc")


class _DocumentsCodec:
    """The JSON of planned values, by stack."""

    def encode(self, value: dict[str, Document]) -> bytes:
        """Write them."""
        return json.dumps(value, separators=(",", ":")).encode()

    def decode(self, data: bytes) -> dict[str, Document]:
        """Read them; a ValueError if they are something else."""
        documents = json.loads(data)
        if not isinstance(documents, dict):
            raise ValueError("expected an object")  # noqa: TRY004 - as all codecs
        return documents


_DOCUMENTS: Kind[dict[str, Document]] = Kind("test plan", _DocumentsCodec())


def plan(root: Path, name: str) -> EnvironmentPlan:
    """Return the plan of an environment.

    A plan is cached in `.fleetform/` by the content of everything that it follows from. Processes that need
    the same plan wait for each other, and one of them makes it.

    Args:
        root: The project's root folder.
        name: The environment's name.

    Raises:
        InputError: The catalog is wrong, the environment does not exist, or a stack is not rendered.
        ProgramError: Terraform or a library is missing, or Terraform fails.
    """
    project = Project(root)
    environment = project.environment(name)
    _require_rendered(root, name, stacks(environment))
    program = installation.find_program()
    folder = project.work / "testing" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file_lock(folder):
        documents = project.cache.memo(
            _DOCUMENTS,
            lambda: _parts(root, name, program),
            lambda: _make(root, name, folder),
        )
    return EnvironmentPlan(name, {stack: StackPlan(stack, each) for stack, each in documents.items()})


def _require_rendered(root: Path, name: str, expected: tuple[Stack, ...]) -> None:
    folder = PurePath("envs", name)
    for stack in expected:
        if not (root / folder / stack.name / "versions.tf").is_file():
            raise InputError(f"{folder / stack.name} is not rendered; run `{command('render', env=name)}`")


def _parts(root: Path, name: str, program: str) -> tuple[bytes, ...]:
    """Return digests of everything that the plans of an environment follow from."""
    folders = _folders(root, name)
    locks = sorted((root / "envs" / name).glob(f"*/{LOCK}"))
    settings = (f"{key}={os.environ[key]}" for key in sorted(os.environ) if _SETTING.fullmatch(key))
    return (
        fingerprint.code(),
        fingerprint.program(program, root),
        name.encode(),
        *map(os.fsencode, environment_names(root)),
        fingerprint.content(root / CATALOG),
        *(part for folder in folders for part in (os.fsencode(folder), fingerprint.tree(root / folder))),
        *(part for lock in locks for part in (os.fsencode(lock.parent.name), fingerprint.content(lock))),
        *map(os.fsencode, settings),
    )


def _folders(root: Path, name: str) -> list[PurePath]:
    """Return the folders that a plan may read, relative to the project, none inside another.

    These are the environment's, `modules/`, and those of other modules in the project that its stacks call.
    """
    folders = [PurePath("envs", name), PurePath("modules")]
    for folder in folders:  # grows
        for file in fingerprint.files(root / folder, (".tf", ".tofu", ".json")):
            text = Path(file).read_text(encoding="utf-8", errors="replace")
            for source in _SOURCE.findall(text):
                called = PurePath(os.path.relpath(Path(file).parent / source, root))
                if ".." not in called.parts and not any(called.is_relative_to(each) for each in folders):
                    folders.append(called)
    return [
        each for each in folders if not any(each != other and each.is_relative_to(other) for other in folders)
    ]


def _make(root: Path, name: str, folder: Path) -> dict[str, Document]:
    """Plan an environment in a copy of the files that this needs."""
    copy = Project(folder / "project")
    _copy(root, name, copy.root)
    environment = copy.environment(name)
    emulated = copy.work if environment.emulator else local_work_folder(copy, environment)
    emulator.stop(emulated)  # that of a run that was killed
    try:
        with _silence():
            return _plan_stacks(open_local_workspace(copy, name))
    finally:
        emulator.stop(emulated)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep tftest from logging: pytest would print all output of a failed command after its message."""
    logger = logging.getLogger("tftest")
    disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = disabled


def _copy(root: Path, name: str, target: Path) -> None:
    """Replace a copy by what is there now; what `init` has left in it stays."""
    locks = {path.relative_to(target): path.read_bytes() for path in target.glob(f"envs/{name}/*/{LOCK}")}
    for entry in target.iterdir() if target.is_dir() else ():
        if entry.name != Project(target).work.name:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for folder in _folders(root, name):
        if (root / folder).is_dir():
            shutil.copytree(
                root / folder,
                target / folder,
                ignore=shutil.ignore_patterns(".terraform", ".git", "*.tfstate", "*.tfstate.*", _IMPORTS),
            )
    for file in (CATALOG, *map(environment_file, environment_names(root))):  # the catalog may name them
        (target / file).parent.mkdir(exist_ok=True)
        shutil.copy(root / file, target / file)
    for path, content in locks.items():
        if (target / path).parent.is_dir() and not (target / path).exists():
            (target / path).write_bytes(content)


def _plan_stacks(workspace: Workspace) -> dict[str, Document]:
    """Apply the foundation, then plan every stack; as many at a time as the machine has memory for."""
    states.bootstrap(workspace)
    with _without_slow_resources(workspace.folder.parents[1]):
        _Terraform(workspace, FOUNDATION).apply()
    with ThreadPoolExecutor(suitable_jobs(workspace.environment, workspace.stacks)) as pool:
        documents = pool.map(lambda stack: _Terraform(workspace, stack).plan(), workspace.stacks)
        return {stack.name: each for stack, each in zip(workspace.stacks, documents, strict=True)}


@contextmanager
def _without_slow_resources(root: Path) -> Iterator[None]:
    """Leave out of an apply what no other resource needs and the provider waits a minute for.

    The provider reads the lifecycle rules of a bucket again and again until they have not changed for a
    while. They are planned, like all others.
    """
    overrides = []
    for file in map(Path, fingerprint.files(root / "modules", (".tf",))):
        names = _SLOW.findall(file.read_text(encoding="utf-8", errors="replace"))
        if names:
            override = file.with_name(f"fleetform_{file.stem}_override.tf")
            blocks = (f'resource "{kind}" "{name}" {{\n  for_each = {{}}\n}}\n' for kind, name in names)
            override.write_text("".join(blocks), encoding="utf-8")
            overrides.append(override)
    try:
        yield
    finally:
        for override in overrides:
            override.unlink()


class _Terraform:
    """Terraform in one stack, driven by tftest.

    Args:
        workspace: The environment.
        stack: The stack.
    """

    def __init__(self, workspace: Workspace, stack: Stack) -> None:
        self._workspace = workspace
        self._stack = stack
        tftest = import_module("tftest")
        self._error: type[Exception] = tftest.TerraformTestError
        self._terraform = tftest.TerraformTest(
            str(workspace.folder / stack.name), binary=workspace.program, cache_dir=workspace.work
        )
        self._terraform.env = {**workspace.variables_of(stack), **_shared_providers(workspace)}

    def apply(self) -> None:
        """Apply it to the emulator."""
        with self._failures():
            self._init()
            self._terraform.apply()

    def plan(self) -> Document:
        """Plan it and return the planned values, as `terraform show -json` prints them."""
        with self._failures():
            self._init()
            # Nothing else writes to this emulator, so a refresh finds only differences in its answers.
            document: Document = self._terraform.plan(output=True, refresh=False)["planned_values"]
        return document

    def _init(self) -> None:
        initialization = self._workspace.initialization(self._stack)
        initialization.ensure(lambda: self._terraform.init(init_vars="backend.hcl"))

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Report a failed command of Terraform in a few lines.

        Raises:
            ProgramError: It failed.
        """
        try:
            yield
        except self._error as error:
            name = self._workspace.environment.name
            output = self._output(error)
            message = explain(output, name) or unboxed(output).strip()
            raise ProgramError(
                f"envs/{name}/{self._stack.name} cannot be planned: {message}", output
            ) from None

    @staticmethod
    def _output(error: Exception) -> str:
        """Return what a failed command has printed: its errors, or else everything."""
        message, errors = (*map(str, error.args), "", "")[:2]
        return errors if errors.strip() else _COMMAND.sub("", message)


def _shared_providers(workspace: Workspace) -> dict[str, str]:
    """Return the variables that let all stacks share one download of each provider, of hundreds of megabytes.

    A CLI configuration or a cache that you have set has precedence.
    """
    variables = workspace.variables
    home = Path(variables.get("HOME", "/"))
    if {"TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"} & variables.keys() or any(
        (home / name).is_file() for name in _CONFIGURATIONS
    ):
        return {}
    folder = workspace.folder.parents[2] / "providers"
    folder.mkdir(exist_ok=True)
    return {"TF_PLUGIN_CACHE_DIR": str(folder), "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1"}
