"""The commands as a person gives them, in a copy of the project."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetform import emulator
from fleetform.terraform import installation
from tests.conftest import copy_sample


@dataclass(frozen=True)
class Shell:
    """Runs tasks in a copy of the project.

    Attributes:
        project: The copy.
        programs: The folder that PATH is: Terraform is there, and no container engine.
    """

    project: Path
    programs: Path

    def invoke(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `invoke` and returns what it printed, both streams in one."""
        return subprocess.run(
            [sys.executable, "-m", "invoke", *arguments],
            cwd=self.project,
            env={**os.environ, "COLUMNS": "200", "PATH": str(self.programs)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def processes(self) -> list[str]:
        """Command lines of all processes that have to do with the copy, save ours."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                here = (folder / "cwd").resolve() == self.project
            except OSError:
                continue
            if (here or str(self.project) in command) and int(folder.name) != os.getpid():
                found.append(command)
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A copy of the project, of which nothing is left running."""
    shell = Shell(copy_sample(tmp_path / "project"), tmp_path / "programs")
    shell.programs.mkdir()
    program = installation.find_program()
    shell.programs.joinpath(Path(program).name).symlink_to(program)
    yield shell
    emulator.stop(shell.project / ".fleetform")
