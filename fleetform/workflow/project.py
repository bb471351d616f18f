"""The checkout that everything is about."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetform.catalog.models import Environment


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


def aws_variables(environment: Environment, emulator_folder: Path) -> Mapping[str, str]:
    """The process environment in which AWS is the environment's; starts the emulator if that is it."""
    if not environment.emulator:
        return os.environ
    from fleetform import emulator  # noqa: PLC0415 - what never runs against it need not import it

    started = emulator.start(emulator_folder, account=environment.account)
    return emulator.environment(started, os.environ)
