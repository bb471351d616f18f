"""Recovers from a run that was killed or failed.

Waits for its Terraform, unlocks, and finds resources to import.
"""

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
"""Prints a line."""


def recover(workspace: Workspace, before: Run, report: Report) -> None:
    """Make an environment ready for the next run.

    A Terraform that survived its run ends by itself and saves its state. One that was killed too leaves its
    lock, and resources that its apply created and did not save: the next plan imports them. It also imports
    resources that an apply could not create because they exist already, if they are ours. A lock is removed
    on the emulator only, where only this checkout can have taken it. On AWS, you decide that.

    Args:
        workspace: The environment.
        before: The run that was killed or failed.
        report: Called with each line to print.
    """
    _wait(workspace, before, report)
    environment = workspace.environment
    objects = reader.objects(workspace.access, environment.state_bucket) or {}
    locked = {key.partition("/")[0] for key in objects if key.endswith(reader.lock_key(""))}
    for stack in sorted(locked):
        lock = locks.read(objects[reader.lock_key(stack)].text)
        if not (environment.emulator or (lock and _may_be_from(before, lock))):
            continue
        report(f"{before} left {stack} locked: its Terraform was killed")
        if lock and lock.operation == "apply":
            _find_lost(workspace, stack, objects, report)
        if environment.emulator:
            reader.release(workspace.access, environment.state_bucket, stack)
        else:
            doctor = command("state-doctor", env=environment.name)
            report(f"{stack}: `{doctor}` shows whether the lock can be removed, and how")
    for stack in (
        stack.name for stack in (*workspace.stacks, *workspace.emptied) if stack.name not in locked
    ):
        if _is_from(before, workspace.log_of(stack, "apply")):
            _find_unanswered(workspace, stack, objects, report)


def _read_state(objects: Mapping[str, reader.Object], stack: str) -> Mapping[str, Any]:
    """Return a stack's state; empty if it has none."""
    state = objects.get(reader.state_key(stack))
    return json.loads(state.text) if state else {}


def _managed_resources(objects: Mapping[str, reader.Object]) -> frozenset[tuple[str, str]]:
    """Return types and IDs of the resources in all states.

    If two states had one, each could destroy the other's.
    """
    states = (stored.text for key, stored in objects.items() if key.endswith(reader.state_key("")))
    return frozenset().union(
        *(apply_log.ids_in_state(json.loads(text)) for text in states if reader.snapshot(text))
    )


def _may_be_from(before: Run, lock: Lock) -> bool:
    """Return whether a run on this machine can have taken a lock."""
    return lock.who == locks.this_machine().who and lock.created >= _since(before)


def _is_from(before: Run, log: Path) -> bool:
    """Return whether a run has written a log. Logs of earlier runs report what is fixed already."""
    return log.is_file() and datetime.fromtimestamp(log.stat().st_mtime, UTC) >= _since(before)


def _since(before: Run) -> datetime:
    return datetime.fromisoformat(before.since).replace(tzinfo=UTC)


def _wait(workspace: Workspace, before: Run, report: Report) -> None:
    folders = workspace.folder, workspace.work / "data"
    if runs := orphans.find_orphans(*folders).runs:
        running = ", ".join(map(str, runs))
        report(
            f"waiting for the Terraform of {before}, which is still running and will save its state"
            f" (process {running})"
        )
    while orphans.find_orphans(*folders).runs:
        time.sleep(_POLL_SECONDS)
    for pid in orphans.find_orphans(*folders).providers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


@dataclass
class _Search:
    """Results of the search for resources whose creation had begun.

    Attributes:
        managed: Types and IDs of resources in any state.
        imports: Import IDs of our resources, by address.
        elsewhere: Addresses of resources that a state has under a different address.
        not_ours: Addresses of resources that exist without our tags.
        absent: Addresses of resources that do not exist.
    """

    managed: frozenset[tuple[str, str]]
    imports: dict[str, str] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    not_ours: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)

    @property
    def settled(self) -> set[str]:
        """Addresses of resources that are not to be imported."""
        return self.elsewhere | self.not_ours | self.absent

    def claim(self, address: str, kind: str, id_: str) -> None:
        """Import one of our resources, unless a state has it."""
        if (kind, id_) in self.managed:
            self.elsewhere.add(address)
        else:
            self.imports[address] = id_

    def unsettled(self, addresses: Collection[str]) -> list[str]:
        """Return those of the addresses about which nothing was found out."""
        return [address for address in addresses if address not in {*self.imports, *self.settled}]


def _find_lost(
    workspace: Workspace, stack: str, objects: Mapping[str, reader.Object], report: Report
) -> None:
    unsaved = apply_log.find_unsaved(_read_log(workspace.log_of(stack, "apply")), _read_state(objects, stack))
    search = _Search(_managed_resources(objects))
    _find_begun(workspace, stack, unsaved, search, report)
    for line in _describe_lost(workspace.environment, unsaved, search):
        report(f"{stack}: {line}")
    _save_imports(workspace, stack, unsaved, search)


def _find_unanswered(
    workspace: Workspace, stack: str, objects: Mapping[str, reader.Object], report: Report
) -> None:
    """Find resources that an apply began to create and no state has, unless AWS refused them.

    The response was lost, or the request cancelled: the first Ctrl-C has Terraform's provider cancel requests
    that are under way. After the second, created resources may be missing from the state, too. Otherwise the
    state is right, and what it lacks was done later.
    """
    log = _read_log(workspace.log_of(stack, "apply"))
    unsaved = apply_log.find_unsaved(log, _read_state(objects, stack)).without(refused_resources(log))
    if not apply_log.has_quit(log):
        unsaved = unsaved.only_pending
    if not unsaved:
        return
    search = _Search(_managed_resources(objects))
    _find_begun(workspace, stack, unsaved, search, report)
    existing = existing_resources(log).intersection(unsaved.pending)
    for line in (*_describe_created(unsaved), *_describe_unanswered(workspace.environment, existing, search)):
        report(f"{stack}: {line}")
    _save_imports(workspace, stack, unsaved, search)


def _save_imports(workspace: Workspace, stack: str, unsaved: UnsavedResources, search: _Search) -> None:
    """Save what the next plan imports, together with earlier imports that are still to do."""
    path = workspace.lost(stack)
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    settled = {*unsaved.state_ids, *search.settled}
    remaining = {address: id_ for address, id_ in earlier.items() if address not in settled}
    path.unlink(missing_ok=True)
    if imports := {**remaining, **unsaved.imports, **search.imports}:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(imports), encoding="utf-8")


def _find_begun(
    workspace: Workspace, stack: str, unsaved: UnsavedResources, search: _Search, report: Report
) -> None:
    """Find import IDs of our resources whose creation had begun. AWS is asked, except for routes.

    The plan checks them.

    Resources that the credentials may not read stay unsettled.
    """
    for address, id_ in unsaved.route_ids.items():
        if apply_log.ASSOCIATION not in address:
            search.claim(address, apply_log.ROUTE, id_)
        elif _are_associated(workspace, id_):
            search.claim(address, apply_log.ASSOCIATION, id_)
    for each in apply_log.pending_creates(_read_log(workspace.log_of(stack, "plan")), unsaved.pending):
        if each.id:
            _find_named(workspace, each, search)
        elif import_id := _find_tagged(workspace, each, unsaved, search):
            search.claim(each.address, each.kind, import_id)
            if each.kind == "aws_security_group":
                _revoke_default_rules(workspace, import_id, report)


def _are_associated(workspace: Workspace, association: str) -> bool:
    with contextlib.suppress(find_by_tags.ForbiddenError):
        return find_by_tags.are_associated(workspace.access, association)
    return False


def _find_named(workspace: Workspace, begun: PendingCreate, search: _Search) -> None:
    """Find a resource that has a unique name."""
    match find_by_name.find(workspace.access, begun.kind, begun.id, _tags(workspace.environment)):
        case Ownership.OURS:
            search.claim(
                begun.address, begun.kind, find_by_name.import_id(workspace.access, begun.kind, begun.id)
            )
        case Ownership.FOREIGN:
            search.not_ours.add(begun.address)
        case Ownership.ABSENT:
            search.absent.add(begun.address)


def _find_tagged(
    workspace: Workspace, begun: PendingCreate, unsaved: UnsavedResources, search: _Search
) -> str | None:
    """Return the import ID of a resource known by tags, if exactly one is in no state and no log."""
    access, ours = workspace.access, _tags(workspace.environment)
    ids = frozenset[str]()
    with contextlib.suppress(find_by_tags.ForbiddenError):
        if begun.kind in find_by_tags.EC2_TYPES:
            ids = find_by_tags.find(access, begun.kind, {**ours, "Name": begun.name} if begun.name else ours)
        elif begun.kind in apply_log.CLOUD_MAP:
            ids = find_by_tags.find_in_cloud_map(access, begun.kind, begun.name, ours)
    claimed = {*unsaved.state_ids.values(), *unsaved.imports.values(), *search.imports.values()}
    unclaimed = {id_ for id_ in ids - claimed if (begun.kind, id_) not in search.managed}
    return unsaved.import_id(begun.kind, *unclaimed) if len(unclaimed) == 1 else None


def _tags(environment: Environment) -> dict[str, str]:
    """Return the tags that all resources of an environment have."""
    return {"application": environment.application, "environment": environment.name}


def _revoke_default_rules(workspace: Workspace, group: str, report: Report) -> None:
    """Revoke the default rule of a new security group, as Terraform was about to.

    On AWS, print the command instead.
    """
    rules = find_by_tags.rules_to_anywhere(workspace.access, group)
    if workspace.environment.emulator:
        find_by_tags.revoke(workspace.access, group, rules)
    elif rules:
        command = (
            f"aws ec2 revoke-security-group-egress --group-id {group} --security-group-rule-ids"
            f" {' '.join(rules)}"
        )
        report(
            f"{group} still has the default rule to anywhere that AWS adds to each group; revoke it:"
            f" `{command}`"
        )


def _read_log(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""


def _describe_lost(environment: Environment, unsaved: UnsavedResources, search: _Search) -> Iterator[str]:
    yield from _describe_created(unsaved)
    yield from _describe_begun(search.imports)
    yield from _describe_not_imported(environment, search.elsewhere, search.not_ours)
    if unsettled := search.unsettled(unsaved.pending):
        yield f"creation began; may exist without being in a state: {', '.join(unsettled)}"


def _describe_created(unsaved: UnsavedResources) -> Iterator[str]:
    if unsaved.imports:
        yield f"created, but not saved in the state: {', '.join(unsaved.imports)}; the next apply imports it"
    for address, id_ in unsaved.unknown.items():
        yield f"{address} was created as {id_}, but not saved in the state; import it, or delete it"


def _describe_unanswered(
    environment: Environment, existing: Collection[str], search: _Search
) -> Iterator[str]:
    """Describe resources that AWS reports as existing, and others only if they are imported.

    They may not exist.
    """
    if ours := [address for address in search.imports if address in existing]:
        yield f"exists already, and is ours: {', '.join(ours)}; the next apply imports it"
    yield from _describe_begun(search.imports.keys() - existing)
    yield from _describe_not_imported(environment, search.elsewhere, search.not_ours.intersection(existing))
    if unsettled := search.unsettled(sorted(existing)):
        yield (
            f"exists already, and was not found by tags: {', '.join(unsettled)}; `terraform import` it,"
            " or delete it"
        )


def _describe_begun(imports: Collection[str]) -> Iterator[str]:
    if imports:
        yield f"creation began; the next apply imports it if it exists: {', '.join(sorted(imports))}"


def _describe_not_imported(
    environment: Environment, elsewhere: Collection[str], not_ours: Collection[str]
) -> Iterator[str]:
    if not_ours:
        tags = " and ".join(f"{key}={value}" for key, value in _tags(environment).items())
        yield (
            f"exists already, without our tags {tags}: {', '.join(sorted(not_ours))}; rename it,"
            " or `adopt` it in the catalog"
        )
    if elsewhere:
        yield (
            f"exists already, and a state has it under a different address: {', '.join(sorted(elsewhere))};"
            " apply"
            " again once it is removed there, or write a `moved` block"
        )
