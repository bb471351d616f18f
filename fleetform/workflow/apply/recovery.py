"""After a run that was killed or failed: what it left is waited for, ended, unlocked; what it made is found again."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from fleetform.base.program_name import command
from fleetform.base.run_lock import Run
from fleetform.catalog.models import Environment
from fleetform.terraform.recovery import apply_log, find_by_name, find_by_tags, orphans
from fleetform.terraform.recovery.already_exists import existing_resources, refused_resources
from fleetform.terraform.recovery.apply_log import PendingCreate, UnsavedResources
from fleetform.terraform.recovery.find_by_name import Ownership
from fleetform.terraform.state import locks, reader
from fleetform.terraform.state.locks import Lock
from fleetform.workflow.workspace import Workspace

_POLL_SECONDS = 0.5

Report: TypeAlias = Callable[[str], None]
"""Takes a line for people."""


def recover(workspace: Workspace, before: Run, tell: Report) -> None:
    """Makes an environment ready for the next run.

    A Terraform that goes on alone ends and saves its state. One that was killed too leaves its lock, and what its apply
    made and did not save: the next plan imports that. So it does what an apply could not make as it is there already,
    if it is ours. A lock is removed on the emulator alone, as only this checkout can have taken it; on AWS that is for
    people to decide.

    Args:
        workspace: The environment.
        before: The run that did not end well.
        tell: Told what is found.
    """
    _wait(workspace, before, tell)
    environment = workspace.environment
    objects = reader.objects(workspace.access, environment.state_bucket) or {}
    locked = {key.partition("/")[0] for key in objects if key.endswith(reader.lock_key(""))}
    for stack in sorted(locked):
        lock = locks.read(objects[reader.lock_key(stack)].text)
        if not (environment.emulator or (lock and _may_be_from(before, lock))):
            continue
        tell(f"{before} left {stack} locked: its Terraform was killed")
        if lock and lock.operation == "apply":
            _find_lost(workspace, stack, objects, tell)
        if environment.emulator:
            reader.release(workspace.access, environment.state_bucket, stack)
        else:
            doctor = command("state-doctor", env=environment.name)
            tell(f"{stack}: `{doctor}` says whether the lock can be removed, and how")
    for stack in (stack.name for stack in (*workspace.stacks, *workspace.emptied) if stack.name not in locked):
        if _is_from(before, workspace.log_of(stack, "apply")):
            _find_unanswered(workspace, stack, objects, tell)


def _read_state(objects: Mapping[str, reader.Object], stack: str) -> Mapping[str, Any]:
    """A stack's state; empty if it has none."""
    saved = objects.get(reader.state_key(stack))
    return json.loads(saved.text) if saved else {}


def _managed_resources(objects: Mapping[str, reader.Object]) -> frozenset[tuple[str, str]]:
    """What any stack's state has: two that have one thing would destroy it for each other."""
    states = (found.text for key, found in objects.items() if key.endswith(reader.state_key("")))
    return frozenset().union(*(apply_log.ids_in_state(json.loads(text)) for text in states if reader.snapshot(text)))


def _may_be_from(before: Run, lock: Lock) -> bool:
    """Whether a run on this machine can have taken a lock."""
    return lock.who == locks.this_machine().who and lock.created >= _since(before)


def _is_from(before: Run, log: Path) -> bool:
    """Whether a run has written a log: those of earlier ones tell of what is mended."""
    return log.is_file() and datetime.fromtimestamp(log.stat().st_mtime, UTC) >= _since(before)


def _since(before: Run) -> datetime:
    return datetime.fromisoformat(before.since).replace(tzinfo=UTC)


def _wait(workspace: Workspace, before: Run, tell: Report) -> None:
    folders = workspace.folder, workspace.work / "data"
    if runs := orphans.find_orphans(*folders).runs:
        running = ", ".join(map(str, runs))
        tell(f"waiting for the Terraform of {before}, which goes on alone and saves its state (process {running})")
    while orphans.find_orphans(*folders).runs:
        time.sleep(_POLL_SECONDS)
    for pid in orphans.find_orphans(*folders).providers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


@dataclass
class _Search:
    """What came of the search for what had begun.

    Attributes:
        taken: What a state has already, by type and id.
        imports: By what to import what is ours, by address.
        elsewhere: Addresses of what a state has under another one.
        not_ours: Addresses of what is there, and is not.
        gone: Addresses of what is not there.
    """

    taken: frozenset[tuple[str, str]]
    imports: dict[str, str] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    not_ours: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    @property
    def settled(self) -> set[str]:
        """Addresses of what is not to be imported."""
        return self.elsewhere | self.not_ours | self.gone

    def claim(self, address: str, kind: str, id_: str) -> None:
        """Has a thing of ours imported."""
        if (kind, id_) in self.taken:
            self.elsewhere.add(address)
        else:
            self.imports[address] = id_

    def left(self, addresses: Collection[str]) -> list[str]:
        """Those of some addresses of which nothing is known."""
        return [address for address in addresses if address not in {*self.imports, *self.settled}]


def _find_lost(workspace: Workspace, stack: str, objects: Mapping[str, reader.Object], tell: Report) -> None:
    found = apply_log.find_unsaved(_read_log(workspace.log_of(stack, "apply")), _read_state(objects, stack))
    search = _Search(_managed_resources(objects))
    _find_begun(workspace, stack, found, search, tell)
    for line in _describe_lost(workspace.environment, found, search):
        tell(f"{stack}: {line}")
    _save_imports(workspace, stack, found, search)


def _find_unanswered(workspace: Workspace, stack: str, objects: Mapping[str, reader.Object], tell: Report) -> None:
    """Looks for what an apply has begun and no state has, unless AWS refused it: its answer was lost, or taken back.

    The first Ctrl-C has Terraform's provider take back the requests that are on their way. After the second, what was
    made may not be in the state, either; else the state is right, and what it lacks is later work.
    """
    log = _read_log(workspace.log_of(stack, "apply"))
    found = apply_log.find_unsaved(log, _read_state(objects, stack)).without(refused_resources(log))
    if not apply_log.has_quit(log):
        found = found.only_pending
    if not found:
        return
    search = _Search(_managed_resources(objects))
    _find_begun(workspace, stack, found, search, tell)
    there = existing_resources(log).intersection(found.pending)
    for line in (*_describe_created(found), *_describe_unanswered(workspace.environment, there, search)):
        tell(f"{stack}: {line}")
    _save_imports(workspace, stack, found, search)


def _save_imports(workspace: Workspace, stack: str, found: UnsavedResources, search: _Search) -> None:
    """Keeps what the next plan imports, with what an earlier one was to import and is still to be."""
    path = workspace.lost(stack)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    settled = {*found.state_ids, *search.settled}
    left = {address: id_ for address, id_ in kept.items() if address not in settled}
    path.unlink(missing_ok=True)
    if imports := {**left, **found.imports, **search.imports}:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(imports), encoding="utf-8")


def _find_begun(workspace: Workspace, stack: str, found: UnsavedResources, search: _Search, tell: Report) -> None:
    """By what to import what had begun, if it is ours: AWS is asked, but for routes, of which the plan finds out.

    Nothing is known of what the credentials may not ask for.
    """
    for address, id_ in found.route_ids.items():
        if apply_log.ASSOCIATION not in address:
            search.claim(address, apply_log.ROUTE, id_)
        elif _are_associated(workspace, id_):
            search.claim(address, apply_log.ASSOCIATION, id_)
    for each in apply_log.pending_creates(_read_log(workspace.log_of(stack, "plan")), found.pending):
        if each.id:
            _find_named(workspace, each, search)
        elif only := _find_tagged(workspace, each, found, search):
            search.claim(each.address, each.kind, only)
            if each.kind == "aws_security_group":
                _revoke_default_rules(workspace, only, tell)


def _are_associated(workspace: Workspace, association: str) -> bool:
    with contextlib.suppress(find_by_tags.ForbiddenError):
        return find_by_tags.are_associated(workspace.access, association)
    return False


def _find_named(workspace: Workspace, begun: PendingCreate, search: _Search) -> None:
    """Looks for what has a name of its own."""
    match find_by_name.find(workspace.access, begun.kind, begun.id, _tags(workspace.environment)):
        case Ownership.OURS:
            search.claim(begun.address, begun.kind, find_by_name.import_id(workspace.access, begun.kind, begun.id))
        case Ownership.FOREIGN:
            search.not_ours.add(begun.address)
        case Ownership.ABSENT:
            search.gone.add(begun.address)


def _find_tagged(workspace: Workspace, begun: PendingCreate, found: UnsavedResources, search: _Search) -> str | None:
    """By what to import what has but tags, if there is one that no state and no log has."""
    access, ours = workspace.access, _tags(workspace.environment)
    there = frozenset[str]()
    with contextlib.suppress(find_by_tags.ForbiddenError):
        if begun.kind in find_by_tags.EC2_TYPES:
            there = find_by_tags.find(access, begun.kind, {**ours, "Name": begun.name} if begun.name else ours)
        elif begun.kind in apply_log.CLOUD_MAP:
            there = find_by_tags.find_in_cloud_map(access, begun.kind, begun.name, ours)
    claimed = {*found.state_ids.values(), *found.imports.values(), *search.imports.values()}
    unclaimed = {id_ for id_ in there - claimed if (begun.kind, id_) not in search.taken}
    return found.import_id(begun.kind, *unclaimed) if len(unclaimed) == 1 else None


def _tags(environment: Environment) -> dict[str, str]:
    """What all of an environment's things have."""
    return {"application": environment.application, "environment": environment.name}


def _revoke_default_rules(workspace: Workspace, group: str, tell: Report) -> None:
    """Rids a new security group of AWS's rule to anywhere, as Terraform was about to: on AWS, people do that."""
    rules = find_by_tags.rules_to_anywhere(workspace.access, group)
    if workspace.environment.emulator:
        find_by_tags.revoke(workspace.access, group, rules)
    elif rules:
        command = f"aws ec2 revoke-security-group-egress --group-id {group} --security-group-rule-ids {' '.join(rules)}"
        tell(f"{group} still has the rule to anywhere that AWS makes with each group; take it away: `{command}`")


def _read_log(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""


def _describe_lost(environment: Environment, found: UnsavedResources, search: _Search) -> Iterator[str]:
    yield from _describe_created(found)
    yield from _describe_begun(search.imports)
    yield from _describe_not_imported(environment, search.elsewhere, search.not_ours)
    if left := search.left(found.pending):
        yield f"had begun, and may be there although no state has it: {', '.join(left)}"


def _describe_created(found: UnsavedResources) -> Iterator[str]:
    if found.imports:
        yield f"made without a state of it that was saved: {', '.join(found.imports)}; the next apply imports it"
    for address, id_ in found.unknown.items():
        yield f"{address} was made as {id_}, and no state of it was saved: import it, or delete it"


def _describe_unanswered(environment: Environment, existing: Collection[str], search: _Search) -> Iterator[str]:
    """What AWS does not say exists is told of only if it is imported: it may be gone, or never have been there."""
    if ours := [address for address in search.imports if address in existing]:
        yield f"is there already, and ours: {', '.join(ours)}; the next apply imports it"
    yield from _describe_begun(search.imports.keys() - existing)
    yield from _describe_not_imported(environment, search.elsewhere, search.not_ours.intersection(existing))
    if left := search.left(sorted(existing)):
        yield f"is there already, and not found by tags: {', '.join(left)}; `terraform import` it, or delete it"


def _describe_begun(imports: Collection[str]) -> Iterator[str]:
    if imports:
        yield f"had begun, and is imported if it is there: {', '.join(sorted(imports))}"


def _describe_not_imported(
    environment: Environment, elsewhere: Collection[str], not_ours: Collection[str]
) -> Iterator[str]:
    if not_ours:
        tags = " and ".join(f"{key}={value}" for key, value in _tags(environment).items())
        yield (
            f"is there already, without the tags {tags} that ours has: {', '.join(sorted(not_ours))}; give it"
            " another name, or `adopt` it in the catalog"
        )
    if elsewhere:
        yield (
            f"is there already, and a state has it under another address: {', '.join(sorted(elsewhere))}; apply"
            " again once it is gone from there, or write a `moved` block"
        )
