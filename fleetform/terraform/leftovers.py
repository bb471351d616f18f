"""What a run of Terraform leaves behind that was killed, or whose caller was."""

import getpass
import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleetform.aws import Access
from fleetform.errors import ProgramError
from fleetform.terraform.state import state_key

_PROCESSES = Path("/proc")
_LOCK = ".tflock"  # as Terraform's S3 backend names it


@dataclass(frozen=True)
class Processes:
    """Processes that nobody waits for any more; where there is no /proc, none are seen.

    Attributes:
        runs: Terraform itself: it goes on, and saves its state in the end.
        providers: Its plugins, which do not notice that it is gone.
    """

    runs: tuple[int, ...]
    providers: tuple[int, ...]


def processes(folder: Path, data: Path) -> Processes:
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
    return Processes(tuple(sorted(runs)), tuple(sorted(providers)))


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


@dataclass(frozen=True)
class Lock:
    """A lock that a run has left in the bucket.

    Attributes:
        stack: The stack.
        applying: Whether it was an apply.
        who: `user@host`.
        created: Since when, UTC, as `2026-01-31 12:00:00`.
    """

    stack: str
    applying: bool
    who: str
    created: str

    def may_be_of(self, since: str) -> bool:
        """Whether a run on this machine can have taken it that began at a time, as `created`."""
        return self.who == f"{getpass.getuser()}@{socket.gethostname()}" and self.created >= since


def find_locks(access: Access, bucket: str) -> list[Lock]:
    """The locks in an environment's bucket."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - a third of a second

    try:
        s3 = access.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", []) if entry["Key"].endswith(_LOCK)]
        return [_lock(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchBucket", "NoSuchKey"}:
            return []
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None


def _lock(key: str, text: bytes) -> Lock:
    """See LockInfo in hashicorp/terraform, internal/states/statemgr/locker.go."""
    stack = key.partition("/")[0]
    try:
        found = json.loads(text)
        created = datetime.fromisoformat(found["Created"]).astimezone(UTC)
        applying = found["Operation"] == "OperationTypeApply"
        return Lock(stack, applying, str(found["Who"]), f"{created:%Y-%m-%d %H:%M:%S}")
    except (ValueError, KeyError, TypeError):  # half a lock
        return Lock(stack, applying=False, who="", created="")


def remove_lock(access: Access, bucket: str, stack: str) -> None:
    """Removes the lock of a stack's state, for a caller who knows that nobody holds it."""
    access.client("s3").delete_object(Bucket=bucket, Key=state_key(stack) + _LOCK)
