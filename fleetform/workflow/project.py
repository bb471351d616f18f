"""The checkout that everything is about."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fleetform.base.cache import Store

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

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

    @contextmanager
    def copy(self) -> Iterator["Project"]:
        """A copy in a folder of ours, with an emulator of its own; nothing of it is left."""
        from fleetform import emulator  # noqa: PLC0415 - most tasks have no use for it

        self.work.mkdir(exist_ok=True)
        with TemporaryDirectory(prefix="copy-", dir=self.work) as folder:
            copied = Project(Path(folder))
            shutil.copytree(self.root, copied.root, ignore=_hidden_folders, symlinks=True, dirs_exist_ok=True)
            try:
                yield copied
            finally:
                emulator.stop(copied.work)


def _hidden_folders(folder: str, names: Sequence[str]) -> list[str]:
    """What a copy has no use for: Git's own, environments of Python, caches, what we keep ourselves."""
    return [name for name in names if name.startswith(".") and Path(folder, name).is_dir()]


def aws_variables(environment: "Environment", emulator_folder: Path) -> Mapping[str, str]:
    """The process environment in which AWS is the environment's; starts the emulator if that is it."""
    if not environment.emulator:
        return os.environ
    from fleetform import emulator  # noqa: PLC0415 - what never runs against it need not import it

    started = emulator.start(emulator_folder, account=environment.account)
    return emulator.environment(started, os.environ)
