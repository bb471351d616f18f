"""State locks, as Terraform's S3 backend writes them with `use_lockfile`."""

import getpass
import json
import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

# The namespace that has all processes of a machine: PROC_PID_INIT_INO in Linux, include/linux/proc_ns.h.
_INITIAL_PID_NAMESPACE = "pid:[4026531836]"

MAX_RUN_TIME = timedelta(hours=2)
"""No run of a stack takes longer: the slowest steps, load balancers and stable services, take minutes."""


@dataclass(frozen=True)
class Lock:
    """A state lock.

    Attributes:
        id: The argument of `terraform force-unlock`.
        operation: The command that holds it, such as `apply`.
        who: `user@host`.
        version: The Terraform version of the command.
        created: When it was taken.
    """

    id: str
    operation: str
    who: str
    version: str
    created: datetime

    def stale_reason(self, now: datetime, machine: "LocalMachine") -> str | None:
        """Return why no process can hold it now, as a clause; None if one may."""
        if self.who == machine.who and not machine.runs_terraform:
            return "it was taken on this machine, and no Terraform runs here now"
        if now - self.created > MAX_RUN_TIME:
            return f"no run takes {MAX_RUN_TIME.seconds // 3600} hours"
        return None


@dataclass(frozen=True)
class LocalMachine:
    """This machine, as far as locks need it.

    Attributes:
        who: `user@host`, as Terraform writes it into its locks.
        runs_terraform: Whether a Terraform process runs here, or may run unseen.
    """

    who: str
    runs_terraform: bool


def read(text: bytes) -> Lock | None:
    """Read a lock from the content of its S3 object; None if it is not a lock.

    The format is LockInfo in hashicorp/terraform, internal/states/statemgr/locker.go: JSON with a time in RFC
    3339.
    """
    try:
        info = json.loads(text)
        created = datetime.fromisoformat(info["Created"])
        operation = str(info["Operation"]).removeprefix("OperationType").lower()
        return Lock(str(info["ID"]), operation, str(info["Who"]), str(info["Version"]), created)
    except (ValueError, KeyError, TypeError):
        return None


def this_machine(processes: Path = Path("/proc")) -> LocalMachine:
    """Return this machine; if not all its processes are visible, as in a container, a Terraform may run.

    Call it after reading the locks: a run that starts later holds none of them.

    Args:
        processes: The folder of the proc file system.
    """
    return LocalMachine(f"{getpass.getuser()}@{socket.gethostname()}", _runs_terraform(processes))


def _runs_terraform(processes: Path) -> bool:
    try:
        if str((processes / "self/ns/pid").readlink()) != _INITIAL_PID_NAMESPACE:
            return True
    except OSError:  # not Linux
        return True
    commands = (path for path in processes.glob("[0-9]*/cmdline") if path.parent.name != str(os.getpid()))
    return any(map(_could_be_terraform, commands))


def _could_be_terraform(command: Path) -> bool:
    """Whether a process may be Terraform; an editor with a Terraform file counts too, which is harmless."""
    try:
        words = command.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return False
    except OSError:
        return True
    return b"terraform" in words or b"tofu" in words
