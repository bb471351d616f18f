"""After a run that was killed: what it left is waited for, ended, unlocked, and what it made is found again."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from fleetform.terraform import leftovers, locks, recovery, state, tagged
from fleetform.terraform.locks import Lock
from fleetform.terraform.recovery import Lost
from fleetform.turns import Turn
from fleetform.workflow.workplaces import Workplace

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
    objects = state.objects(workplace.access, environment.state_bucket) or {}
    for stack in sorted({key.partition("/")[0] for key in objects if key.endswith(state.lock_key(""))}):
        lock = locks.read(objects[state.lock_key(stack)].text)
        if not (environment.emulator or (lock and _may_be_of(before, lock))):
            continue
        tell(f"{before} left {stack} locked: its Terraform was killed")
        if lock and lock.operation == "apply":
            saved = objects.get(state.state_key(stack))
            _find_lost(workplace, stack, json.loads(saved.text) if saved else {}, tell)
        if environment.emulator:
            state.release(workplace.access, environment.state_bucket, stack)
        else:
            tell(
                f"{stack}: `invoke state-doctor --env {environment.name}` says whether the lock can be removed, and how"
            )


def _may_be_of(before: Turn, lock: Lock) -> bool:
    """Whether a run on this machine can have taken a lock."""
    since = datetime.fromisoformat(before.since).replace(tzinfo=UTC)
    return lock.who == locks.this_machine().who and lock.created >= since


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


def _find_lost(workplace: Workplace, stack: str, saved: Mapping[str, Any], tell: Tell) -> None:
    found = recovery.lost(_text(workplace.log_of(stack, "apply")), saved)
    begun = _find_begun(workplace, stack, found, tell)
    for line in _told(found, begun):
        tell(f"{stack}: {line}")
    if imports := {**found.imports, **begun}:
        workplace.lost(stack).parent.mkdir(exist_ok=True)
        workplace.lost(stack).write_text(json.dumps(imports), encoding="utf-8")


def _find_begun(workplace: Workplace, stack: str, found: Lost, tell: Tell) -> dict[str, str]:
    """By what to import what had begun: AWS is asked for what has but tags, and the plan finds out about the rest."""
    environment = workplace.environment
    ours = {"application": environment.application, "environment": environment.name}
    access = workplace.access
    imports = {
        address: id_
        for address, id_ in found.wired.items()
        if recovery.ASSOCIATION not in address or tagged.are_associated(access, id_)
    }
    for each in recovery.begun(_text(workplace.log_of(stack, "plan")), found.begun):
        there = frozenset({each.id} if each.id else ())
        if each.kind in tagged.EC2_TYPES:
            there = tagged.find(access, each.kind, {**ours, "Name": each.name} if each.name else ours)
        elif each.kind == recovery.CLOUD_MAP:
            there = tagged.find_in_cloud_map(access, each.name, ours)
        unclaimed = there if each.id else there - {*found.held, *found.imports.values(), *imports.values()}
        if len(unclaimed) == 1:
            (imports[each.address],) = unclaimed
            if each.kind == "aws_security_group":
                _finish(workplace, imports[each.address], tell)
    return imports


def _finish(workplace: Workplace, group: str, tell: Tell) -> None:
    """Rids a new security group of AWS's rule to anywhere, as Terraform was about to: on AWS, people do that."""
    rules = tagged.rules_to_anywhere(workplace.access, group)
    if workplace.environment.emulator:
        tagged.revoke(workplace.access, group, rules)
    elif rules:
        command = f"aws ec2 revoke-security-group-egress --group-id {group} --security-group-rule-ids {' '.join(rules)}"
        tell(f"{group} still has the rule to anywhere that AWS makes with each group; take it away: `{command}`")


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""


def _told(found: Lost, begun: Mapping[str, str]) -> Iterator[str]:
    if found.imports:
        yield f"made without a state of it that was saved: {', '.join(found.imports)}; the next apply imports it"
    for address, id_ in found.unknown.items():
        yield f"{address} was made as {id_}, and no state of it was saved: import it, or delete it"
    if begun:
        yield f"had begun, and is imported if it is there: {', '.join(begun)}"
    if left := [address for address in found.begun if address not in begun]:
        yield f"had begun, and may be there although no state has it: {', '.join(left)}"
