"""Pipelines of environments whose names YAML, shells and GitHub might take for something else."""

import shutil
import subprocess
import sys
from pathlib import Path

from fleetform.ci.pipelines import EnvironmentInPipeline, Provider, StackInPipeline, pipeline
from tests.conftest import ROOT

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER.parents[1] / "templates"

FOUNDATION = StackInPipeline("foundation", 0, reads=("envs/catalog.yaml", "modules/network/**/*"))
TASKS = StackInPipeline("tasks", 1, tasks=True)
SERVICES = StackInPipeline("true", 2, reads=("modules/ecs_service/**/*",))
MORE = StackInPipeline("y", 2)
REGION = "eu-central-1"
BUCKET = "0-bucket"
ENVIRONMENTS = (
    EnvironmentInPipeline(
        "null", "000000000123", REGION, BUCKET, (FOUNDATION, TASKS, SERVICES, MORE), protection=True
    ),
    EnvironmentInPipeline("on", "000000000010", REGION, BUCKET, (FOUNDATION, SERVICES)),
    EnvironmentInPipeline("off", "000000000010", REGION, BUCKET, emulator=True),
)


def made(provider: Provider) -> str:
    """The pipeline of these environments."""
    return pipeline(provider, [TEMPLATES], ENVIRONMENTS)


def golden(provider: Provider) -> Path:
    """The file that has it."""
    return FOLDER / "expected" / provider.file.name.removeprefix(".")


def program(name: str) -> str:
    """A program that a package of the development brings along."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is missing; `./run requirements` and `./run test` bring it"
    return found


def checked(*argv: str) -> str:
    """Run a checker that has to pass, and return what it prints."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout
