"""Processes of Terraform whose caller was killed."""

import os
from dataclasses import dataclass
from pathlib import Path

_PROCESSES = Path("/proc")


@dataclass(frozen=True)
class OrphanProcesses:
    """Processes that nobody waits for any more; where there is no /proc, none are seen.

    Attributes:
        runs: Terraform itself: it goes on, and saves its state in the end.
        providers: Its plugins, which do not notice that it is gone.
    """

    runs: tuple[int, ...]
    providers: tuple[int, ...]


def find_orphans(folder: Path, data: Path) -> OrphanProcesses:
    """The processes that run in the stacks of an environment.

    Args:
        folder: The environment's folder: a Terraform in a stack of it was told so by `-chdir`.
        data: The folder of Terraform's data: it starts plugins from there.
    """
    commands = _commands()
    runs = [
        pid for pid, words in commands.items() if any(word.startswith(f"-chdir={folder}{os.sep}") for word in words)
    ]
    providers = [pid for pid, words in commands.items() if words[0].startswith(f"{data}{os.sep}")]
    return OrphanProcesses(tuple(sorted(runs)), tuple(sorted(providers)))


def _commands() -> dict[int, list[str]]:
    """The words of every process's command, by process; those without a command left out."""
    found = {}
    for path in _PROCESSES.glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended, or is somebody else's
            continue
        if words[0]:
            found[int(path.parent.name)] = words
    return found
