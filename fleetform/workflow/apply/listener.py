"""The interface between the workflow, which prints nothing, and the user interface that shows a run."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from fleetform.base.errors import ProgramError
from fleetform.stacks import Stack
from fleetform.terraform.commands import Mode
from fleetform.terraform.plan.models import StackPlan
from fleetform.terraform.plan.risks import Level
from fleetform.workflow.apply.terraform import Plan


@dataclass(frozen=True)
class Proposal:
    """What is about to be applied.

    Attributes:
        plans: The saved plans, each with changes.
        changes: What they would change, in the same order; for the foundation, its removals included, which
            are applied once the services are.
        images_to_delete: Number of images by repository. They go first: ECR deletes only empty repositories.
        risk: The worst risk of all changes.
        mode: Whether stacks are applied or destroyed.
        is_saved: Whether `plan --save` made the plans.
    """

    plans: Sequence[Plan]
    changes: Sequence[StackPlan]
    images_to_delete: Mapping[str, int]
    risk: Level | None
    mode: Mode
    is_saved: bool


class Listener(Protocol):
    """Shows progress and asks for approval."""

    def wave(self, names: Sequence[str]) -> AbstractContextManager[object]:
        """Return a context in which stacks, or one-off tasks, run side by side and report progress."""

    def begin(self, name: str, act: str) -> None:
        """Show that an act begins, such as ``plan``."""

    def progress(self, name: str, line: str) -> None:
        """Show a line of a program's output."""

    def end(self, name: str, outcome: str, *, succeeded: bool = True) -> None:
        """Show that the act has ended."""

    def interrupted(self, count: int) -> None:
        """Show what an interrupt does. It is called by a signal handler: it takes no lock and uses no buffer.

        Args:
            count: 1 for the first interrupt.
        """

    def failed(self, name: str, error: ProgramError) -> None:
        """Show why an act failed, after its wave."""

    def notice(self, text: str) -> None:
        """Show a notice."""

    def approve(self, proposal: Proposal) -> None:
        """Ask before plans are applied.

        Raises:
            InputError: The user declines, or there is no terminal to ask on.
        """

    def approve_tasks(self, stack: Stack, names: Sequence[str]) -> None:
        """Ask before one-off tasks run.

        Raises:
            InputError: The user declines, or there is no terminal to ask on.
        """
