"""Argument vectors for Terraform: pure, one function a command."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

LOCK_TIMEOUT = 60
"""Seconds that a state which another run has locked is waited for, if nobody says."""


class Mode(StrEnum):
    """What a plan is for: to make the stack as its code says, or to destroy it."""

    APPLY = "apply"
    DESTROY = "destroy"


@dataclass(frozen=True)
class Terraform:
    """Terraform in one stack.

    Attributes:
        program: Path of terraform or tofu.
        folder: The stack's folder.
        color: Whether its output may be coloured.
        lock_timeout: Seconds that a state which another run has locked is waited for.
    """

    program: str
    folder: Path
    color: bool = False
    lock_timeout: int = LOCK_TIMEOUT

    def _argv(self, command: str, *arguments: str) -> list[str]:
        colors = [] if self.color else ["-no-color"]
        return [self.program, f"-chdir={self.folder}", command, *colors, *arguments]

    @property
    def _wait(self) -> str:
        return f"-lock-timeout={self.lock_timeout}s"

    def init(self, *, backend: bool = True) -> list[str]:
        """Installs modules and provider and, with a backend, connects to the state."""
        state = ["-backend-config=backend.hcl", "-reconfigure"] if backend else ["-backend=false"]
        return self._argv("init", "-input=false", *state)

    def validate(self) -> list[str]:
        """Validates an initialised stack."""
        return self._argv("validate")

    def plan(self, out: Path, mode: Mode = Mode.APPLY) -> list[str]:
        """Plans and saves the plan; exit code 2 says that there are changes."""
        flags = [] if mode == Mode.APPLY else [f"-{mode}"]
        return self._argv("plan", "-input=false", "-detailed-exitcode", self._wait, f"-out={out}", *flags)

    def apply(self, plan: Path) -> list[str]:
        """Applies a saved plan."""
        return self._argv("apply", "-input=false", self._wait, str(plan))

    def force_unlock(self, lock: str) -> list[str]:
        """Removes a lock from the state by its ID, without asking; Terraform leaves one of another ID alone."""
        return self._argv("force-unlock", "-force", lock)

    def untaint(self, address: str) -> list[str]:
        """Takes a resource for whole in the state, if it is there."""
        return self._argv("untaint", "-allow-missing", self._wait, address)

    def push(self, path: Path) -> list[str]:
        """Makes a state that is in a file the stack's; Terraform refuses an older one, and one of another stack."""
        return [self.program, f"-chdir={self.folder}", "state", "push", str(path)]

    def show(self, plan: Path) -> list[str]:
        """Prints a saved plan as JSON."""
        return [self.program, f"-chdir={self.folder}", "show", "-json", str(plan)]

    def output(self, name: str) -> list[str]:
        """Prints an output's value as JSON."""
        return self._argv("output", "-json", name)


def version(program: str) -> list[str]:
    """Prints the version as JSON."""
    return [program, "version", "-json"]


def fmt(program: str, *folders: Path, check: bool = False) -> list[str]:
    """Formats all files below folders in place, or lists those that are not formatted (exit code 3)."""
    return [program, "fmt", "-recursive", "-check" if check else "-list=false", *map(str, folders)]
