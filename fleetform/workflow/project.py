"""The checkout that everything is about."""

from dataclasses import dataclass
from pathlib import Path

from fleetform.base.cache import Store

_REMEMBERED = 128 * 1024 * 1024  # bytes: some environments of a thousand services, in many states


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
    def store(self) -> Store:
        """What is remembered from run to run."""
        return Store(self.work / "store.sqlite", _REMEMBERED)
