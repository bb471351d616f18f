"""Terraform processes whose parent was killed."""

import os
from dataclasses import dataclass
from pathlib import Path

_PROCESSES = Path("/proc")


@dataclass(frozen=True)
class OrphanProcesses:
    """Processes without a parent that waits for them, by id; none where there is no /proc.

    Attributes:
        runs: Terraform itself: it continues, and saves its state at the end.
        providers: Provider plugins, which keep running when Terraform is killed.
    """

    runs: tuple[int, ...]
    providers: tuple[int, ...]


def find_orphans(folder: Path, data: Path) -> OrphanProcesses:
    """Find the processes that run in the stacks of an environment.

    Args:
        folder: The environment's folder; `-chdir` names a folder below it.
        data: The folder with each stack's TF_DATA_DIR, where the plugins are.
    """
    commands = _command_lines()
    runs = [
        pid
        for pid, words in commands.items()
        if any(word.startswith(f"-chdir={folder}{os.sep}") for word in words)
    ]
    providers = [pid for pid, words in commands.items() if words[0].startswith(f"{data}{os.sep}")]
    return OrphanProcesses(tuple(sorted(runs)), tuple(sorted(providers)))


def _command_lines() -> dict[int, list[str]]:
    """Return the command line of every process, by id, without processes that have none."""
    commands = {}
    for path in _PROCESSES.glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended, or belongs to another user
            continue
        if words[0]:
            commands[int(path.parent.name)] = words
    return commands
