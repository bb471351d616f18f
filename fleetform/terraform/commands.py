"""Argument vectors for Terraform: pure, one function a command."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

LOCK_TIMEOUT = 60
"""Seconds to wait for a state lock, by default."""


class Mode(StrEnum):
    """The purpose of a plan: to bring the stack to what its code says, or to destroy it."""

    APPLY = "apply"
    DESTROY = "destroy"


@dataclass(frozen=True)
class Terraform:
    """Terraform in one stack.

    Attributes:
        program: Path of terraform or tofu.
        folder: The stack's folder.
        color: Whether its output may be colored.
        lock_timeout: Seconds to wait for a state lock.
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
        """Install modules and provider and, with a backend, connect to the state."""
        state = ["-backend-config=backend.hcl", "-reconfigure"] if backend else ["-backend=false"]
        return self._argv("init", "-input=false", *state)

    def validate(self) -> list[str]:
        """Validate an initialized stack."""
        return self._argv("validate")

    def plan(
        self, out: Path, mode: Mode = Mode.APPLY, targets: Sequence[str] = (), forced: Collection[str] = ()
    ) -> list[str]:
        """Plan and save the plan; exit code 2 means that there are changes.

        Args:
            out: The file for the plan.
            mode: Whether to apply or to destroy.
            targets: The addresses that the plan is limited to; empty for everything.
            forced: Services whose every update starts new tasks.
        """
        flags = [] if mode == Mode.APPLY else [f"-{mode}"]
        flags += [f"-target={address}" for address in targets]
        if forced:
            flags.append(f"-var=force_new_deployment={json.dumps(sorted(forced))}")
        return self._argv("plan", "-input=false", "-detailed-exitcode", self._wait, f"-out={out}", *flags)

    def apply(self, plan: Path) -> list[str]:
        """Apply a saved plan."""
        return self._argv("apply", "-input=false", self._wait, str(plan))

    def force_unlock(self, lock: str) -> list[str]:
        """Remove a lock from the state by its ID, without asking.

        Terraform keeps a lock with a different ID.
        """
        return self._argv("force-unlock", "-force", lock)

    def untaint(self, address: str) -> list[str]:
        """Untaint a resource in the state, if it is there."""
        return self._argv("untaint", "-allow-missing", self._wait, address)

    def push(self, path: Path) -> list[str]:
        """Push a state from a file; Terraform refuses an older state, and one of a different stack."""
        return [self.program, f"-chdir={self.folder}", "state", "push", str(path)]

    def show(self, plan: Path) -> list[str]:
        """Print a saved plan as JSON."""
        return [self.program, f"-chdir={self.folder}", "show", "-json", str(plan)]

    def output(self, name: str) -> list[str]:
        """Print an output's value as JSON."""
        return self._argv("output", "-json", name)


def version(program: str) -> list[str]:
    """Print the version as JSON."""
    return [program, "version", "-json"]


def fmt(program: str, *folders: Path, check: bool = False) -> list[str]:
    """Format all files below folders in place, or list the unformatted ones (exit code 3)."""
    return [program, "fmt", "-recursive", "-check" if check else "-list=false", *map(str, folders)]
