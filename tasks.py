"""The tasks of this repository: the product's, and those that develop it. `./run` and `invoke` start them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from invoke import Exit

from fleetform.cli.adapter import Command, Group, load
from fleetform.cli.commands import GROUPS
from fleetform.cli.flags import option, word
from fleetform.cli.program import FleetformProgram, start, take_over

if TYPE_CHECKING:
    from fleetform.workflow.project import Project

ROOT = Path(__file__).resolve().parent
WORKERS = 4  # twice the processors of CI: the tests of real containers and of Terraform mostly wait

# What `./run` installs; the other extras are in requirements/terraform.txt and test.txt.
EXTRAS_OF_RUN = ("containers", "emulator")
# What the `run` of a project installs, besides requirements/terraform.txt.
EXTRAS_OF_PROJECTS = ("containers", "test")


def call(*argv: str) -> None:
    """Run a development tool in the project's root; its exit code is ours."""
    if code := subprocess.call([sys.executable, "-m", *argv], cwd=ROOT):
        raise Exit("", code)


def lint(_project: "Project") -> None:
    """Check style and types."""
    call("ruff", "check", "--quiet", ".")
    call("ruff", "format", "--quiet", "--check", ".")
    call("mypy")


def test(project: "Project", *, path: str, k: str | None) -> None:
    """Run tests: some without lint and without worker processes, or all of them with both."""
    if path or k:
        paths = [path] if path else files_that_define(k or "")
        call("pytest", "--numprocesses=0", *paths, *(["-k", k] if k else []))
    else:
        lint(project)
        call("pytest", f"--numprocesses={WORKERS}")


def files_that_define(name: str) -> list[str]:
    """Return the files with a test whose function is named so, none if there is none.

    To collect all takes long.

    Args:
        name: Part of a name. An expression of `-k` is none of any function.
    """
    defined = re.compile(rf"^def (?=test_)\w*{re.escape(name)}", re.IGNORECASE | re.MULTILINE)
    files = sorted(ROOT.glob("tests/**/test_*.py"))
    return [
        file.relative_to(ROOT).as_posix()
        for file in files
        if defined.search(file.read_text(encoding="utf-8"))
    ]


def golden(project: "Project") -> None:
    """Regenerate every generated file: what tasks write, then what tests compare."""
    load("fleetform.cli.catalog:schema")(project, check=False)
    render = load("fleetform.cli.render:render")
    for folder in sorted(ROOT.glob("envs/*/environment.yaml")):
        render(project, folder.parent.name, check=False, as_json=False)
    call("pytest", "--quiet", "--regenerate", "--numprocesses=0")


def requirements(_project: "Project") -> None:
    """Compile requirements/*.txt, exact and hashed, from pyproject.toml."""
    compile_ = [
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version=3.11",
        "--generate-hashes",
    ]
    plain = [*compile_, "--no-header", "--no-annotate", "--upgrade"]
    extras = [f"--extra={extra}" for extra in EXTRAS_OF_RUN]
    call(*plain, "pyproject.toml", *extras, "--output-file=requirements/run.txt")
    constraints = ["--constraint=requirements/run.txt"]
    for group in ("dev", "terraform", "test", "build"):
        call(*plain, f"--group={group}", *constraints, f"--output-file=requirements/{group}.txt")
        constraints.append(f"--constraint=requirements/{group}.txt")
    extras = [f"--extra={extra}" for extra in EXTRAS_OF_PROJECTS]
    call(*plain, "pyproject.toml", *extras, *constraints, "--output-file=requirements/project.txt")
    for group in ("checkov", "rivals"):
        call(*plain, f"--group={group}", f"--output-file=requirements/{group}.txt")


DEVELOP = Group(
    "Develop",
    (
        Command(
            "test",
            "Run lint, type checks and all tests, or only some tests.",
            test,
            (
                word(
                    "path", "File, folder or test to run, without lint. Default: everything.", required=False
                ),
                option(
                    "k",
                    "Run only tests with this in their names, as `pytest -k` does, without lint.",
                    "EXPRESSION",
                ),
            ),
        ),
        Command("lint", "Check style and types with ruff and mypy.", lint),
        Command("golden", "Regenerate every generated file. Review the diff.", golden),
        Command("requirements", "Compile requirements/*.txt from pyproject.toml.", requirements),
    ),
)

program = FleetformProgram(ROOT, (*GROUPS, DEVELOP))
namespace = program.namespace

if __name__ == "__main__":
    start(program)
else:
    take_over(program)
