"""After a run that was killed: what it left is waited for, ended, unlocked, and what it made is found again."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from fleetform.terraform import leftovers, recovery, state
from fleetform.terraform.recovery import Lost
from fleetform.turns import Turn
from fleetform.workflow.terraform import Workplace

_GLANCE_SECONDS = 0.5

Tell: TypeAlias = Callable[[str], None]
"""Takes a line for people."""


def settle(workplace: Workplace, before: Turn, tell: Tell) -> None:
    """Makes an environment ready for the next run.

    A Terraform that goes on alone ends and saves its state. One that was killed too leaves its lock, and what its apply
    made and did not save: the next plan imports that. A lock is removed on the emulator alone, as only this checkout
    can have taken it; on AWS that is for people to decide.

    Args:
        workplace: The environment.
        before: The run that did not end well.
        tell: Told what is found.
    """
    _wait(workplace, before, tell)
    environment = workplace.environment
    for lock in leftovers.find_locks(workplace.access, environment.state_bucket):
        if not (environment.emulator or lock.may_be_of(before.since)):
            continue
        tell(f"{before} left {lock.stack} locked: its Terraform was killed")
        if lock.applying:
            _find_lost(workplace, lock.stack, tell)
        if environment.emulator:
            leftovers.remove_lock(workplace.access, environment.state_bucket, lock.stack)


def _wait(workplace: Workplace, before: Turn, tell: Tell) -> None:
    folders = workplace.folder, workplace.work / "data"
    if runs := leftovers.processes(*folders).runs:
        running = ", ".join(map(str, runs))
        tell(f"waiting for the Terraform of {before}, which goes on alone and saves its state (process {running})")
    while leftovers.processes(*folders).runs:
        time.sleep(_GLANCE_SECONDS)
    for pid in leftovers.processes(*folders).providers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _find_lost(workplace: Workplace, stack: str, tell: Tell) -> None:
    log = workplace.log_of(stack, "apply")
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    found = recovery.lost(text, state.read(workplace.access, workplace.environment.state_bucket, stack))
    for line in _told(found):
        tell(f"{stack}: {line}")
    if found.imports:
        workplace.lost(stack).parent.mkdir(exist_ok=True)
        workplace.lost(stack).write_text(json.dumps(found.imports), encoding="utf-8")


def _told(found: Lost) -> Iterator[str]:
    if found.imports:
        yield f"{len(found.imports)} resources were made, and no state of them was saved; the next apply imports them"
    for address, id_ in found.unknown.items():
        yield f"{address} was made as {id_}, and no state of it was saved: import it, or delete it"
    if found.begun:
        yield f"these had begun, and may be there although no state has them: {', '.join(found.begun)}"
