"""Locks of states, as Terraform's S3 backend keeps them with `use_lockfile`."""

import getpass
import json
import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

# PROC_PID_INIT_INO in the kernel's include/linux/proc_ns.h.
_ALL_PROCESSES = "pid:[4026531836]"

MAX_RUN_TIME = timedelta(hours=2)
"""No run of a stack takes longer: load balancers and steady services, for which AWS takes longest, take minutes."""


@dataclass(frozen=True)
class Lock:
    """A lock.

    Attributes:
        id: What `terraform force-unlock` takes.
        operation: What holds it, such as `apply`.
        who: `user@host`.
        version: The holder's version of Terraform.
        created: Since when.
    """

    id: str
    operation: str
    who: str
    version: str
    created: datetime

    def stale(self, now: datetime, machine: "LocalMachine") -> str | None:
        """Why nothing can hold it any more; None if something may."""
        if self.who == machine.who and not machine.runs_terraform:
            return "no Terraform runs here, and here it was taken"
        if now - self.created > MAX_RUN_TIME:
            return f"no run takes {MAX_RUN_TIME.seconds // 3600} hours"
        return None


@dataclass(frozen=True)
class LocalMachine:
    """What can be known of the runs on this machine.

    Attributes:
        who: `user@host`, as Terraform writes it into its locks.
        runs_terraform: Whether any runs here, or could.
    """

    who: str
    runs_terraform: bool


def read(text: bytes) -> Lock | None:
    """A lock from its object; None if it is none.

    See LockInfo in hashicorp/terraform, internal/states/statemgr/locker.go: JSON, its time in Go's RFC 3339.
    """
    try:
        found = json.loads(text)
        created = datetime.fromisoformat(found["Created"])
        operation = str(found["Operation"]).removeprefix("OperationType").lower()
        return Lock(str(found["ID"]), operation, str(found["Who"]), str(found["Version"]), created)
    except (ValueError, KeyError, TypeError):
        return None


def this_machine(processes: Path = Path("/proc")) -> LocalMachine:
    """This machine; where not all its processes can be seen, as in a container, some Terraform may run.

    Asked after the locks were read: a run that began later holds none of them.

    Args:
        processes: What Linux says of them.
    """
    return LocalMachine(f"{getpass.getuser()}@{socket.gethostname()}", _any_terraform(processes))


def _any_terraform(processes: Path) -> bool:
    try:
        if str((processes / "self/ns/pid").readlink()) != _ALL_PROCESSES:
            return True
    except OSError:  # no Linux
        return True
    commands = (path for path in processes.glob("[0-9]*/cmdline") if path.parent.name != str(os.getpid()))
    return any(map(_could_be_terraform, commands))


def _could_be_terraform(command: Path) -> bool:
    """Whether a process may be Terraform: an editor that has one of its files open counts, which does no harm."""
    try:
        words = command.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return False
    except OSError:
        return True
    return b"terraform" in words or b"tofu" in words
