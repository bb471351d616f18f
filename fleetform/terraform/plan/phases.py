"""The phases of a change: what is added goes first, then the services, and what is removed goes last.

The foundation has what services use. It gets everything new before the services change, and loses nothing
before they have changed. Terraform has no such order within one plan: it destroys what is gone before it
changes what used it. So the additions are a plan of their own, which `-target` limits to everything else.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from fleetform.catalog.constants import FOUNDATION_NAME
from fleetform.terraform.plan.models import Action, Change, StackPlan
from fleetform.terraform.plan.summary import Summary

# Nothing reads these, so that a change to one needs no apply of its own before the services.
_UNREAD = frozenset({"aws_cloudwatch_dashboard"})
# Matches a resource, and so the outputs that read it, but none of its instances.
_NO_INSTANCE = '["fleetform-none"]'
_KEY = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_KEYS, _LAST_KEY = re.compile(_KEY), re.compile(rf"{_KEY}$")
_TARGETABLE = frozenset({"managed", "data"})


class Phase(StrEnum):
    """A phase of a change, in the order of an apply."""

    ADD = "add"
    SERVICES = "services"
    REMOVE = "remove"


@dataclass(frozen=True)
class Arrangement:
    """The phases of the foundation's plan.

    Attributes:
        changes: All changes. `StackPlan.later` has the addresses of those that wait for the services.
        summary: The number of all changes.
        targets: The addresses that the plan of the additions is limited to; empty if one plan has all
            changes.
        goes_last: Whether that plan waits for the services.
    """

    changes: StackPlan
    summary: Summary
    targets: tuple[str, ...] = ()
    goes_last: bool = False

    @property
    def is_split(self) -> bool:
        """Whether there are two plans: of the additions, and of the removals."""
        return bool(self.targets)


def arrange(plan: StackPlan, summary: Summary, shown: Mapping[str, Any]) -> Arrangement:
    """Arrange the changes of a foundation's plan in phases.

    A resource that is destroyed waits for the services, unless it depends on one that is replaced: Terraform
    must destroy it before. A replacement does not wait, because services need the new resource.

    Args:
        plan: The plan.
        summary: Its counts.
        shown: The same plan from ``terraform show -json``.
    """
    entries = [entry for entry in shown.get("resource_changes", ()) if entry.get("mode") in _TARGETABLE]
    removed = _removed(entries, shown)
    later = tuple(sorted(_shown_address(entry) for entry in removed))
    if not removed:
        return Arrangement(plan, summary)
    waiting = frozenset(later)
    sooner = [change for change in plan.changes if change.address not in waiting and _must_be_sooner(change)]
    if not sooner and not any(map(_is_read, shown.get("output_changes", {}).values())):
        everything = tuple(change.address for change in plan.changes)
        return Arrangement(replace(plan, later=everything), summary, goes_last=True)
    targets = tuple(sorted(set(_targets(entries, removed, shown))))
    return Arrangement(replace(plan, later=later), summary, targets)


def phase_of(plan: StackPlan, change: Change) -> Phase:
    """Return the phase of a change."""
    if plan.stack == FOUNDATION_NAME:
        return Phase.REMOVE if change.address in plan.later else Phase.ADD
    return Phase.SERVICES


def part_of(plan: StackPlan, phase: Phase) -> StackPlan | None:
    """Return the changes of a plan in a phase; None if the stack has no part in it.

    A stack without changes is shown in its first phase.
    """
    first = Phase.ADD if plan.stack == FOUNDATION_NAME else Phase.SERVICES
    changes = tuple(change for change in plan.changes if phase_of(plan, change) == phase)
    return replace(plan, changes=changes) if changes or phase == first else None


def is_within(changes: Iterable[Change], approved: StackPlan) -> bool:
    """Return whether all changes are among those that were approved."""
    pairs = {(change.address, change.action) for change in approved.changes}
    return all((change.address, change.action) in pairs for change in changes)


def _must_be_sooner(change: Change) -> bool:
    return change.action not in {Action.READ, Action.FORGET} and not (
        change.action == Action.UPDATE and change.type in _UNREAD
    )


def _is_read(change: Mapping[str, Any]) -> bool:
    """Return whether services may need a change of an output: anything but the loss of entries."""
    before, after = change.get("before"), change.get("after")
    if change["actions"] in (["no-op"], ["delete"]):
        return False
    if change.get("after_unknown") or not (isinstance(before, dict) and isinstance(after, dict)):
        return True
    return any(key not in before or before[key] != value for key, value in after.items())


def _removed(entries: Iterable[Mapping[str, Any]], shown: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the destroyed resources that can wait."""
    entries = list(entries)
    replaced = {_block(entry) for entry in entries if len(entry["change"]["actions"]) > 1}
    values = shown.get("prior_state", {}).get("values", {}).get("root_module", {})
    depends_on = dict(_dependencies(values)) if replaced else {}
    return [
        entry
        for entry in entries
        if entry["change"]["actions"] == ["delete"]
        # Terraform refuses a plan of only a part of its moves.
        and entry.get("previous_address", entry["address"]) == entry["address"]
        and replaced.isdisjoint(depends_on.get(entry["address"], ()))
    ]


def _dependencies(module: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the addresses of the resources in a state, and the blocks that each depends on."""
    for resource in module.get("resources", ()):
        yield resource["address"], tuple(resource.get("depends_on", ()))
    for child in module.get("child_modules", ()):
        yield from _dependencies(child)


def _targets(
    entries: Iterable[Mapping[str, Any]], removed: list[Mapping[str, Any]], shown: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the addresses of everything but the resources that are removed.

    Terraform updates an output only if all blocks that it reads are targeted. So each block is, too: as a
    whole, or, if some of its instances are removed, by at least one other instance. A block that is not
    targeted itself would lose the instances that are removed, if a target depends on it.
    """
    entries = list(entries)
    blocks = set(_configured(shown.get("configuration", {}).get("root_module", {})))
    losing = {_resource(entry) for entry in removed}
    waiting = {id(entry) for entry in removed}
    kept: dict[str, list[Mapping[str, Any]]] = {resource: [] for resource in losing}
    for entry in entries:
        resource = _resource(entry)
        if (before := entry.get("previous_address")) and before != entry["address"]:
            yield from (before, entry["address"])
        if _block(entry) in blocks and resource not in losing:
            yield resource
        elif id(entry) not in waiting and "deposed" not in entry:
            kept.setdefault(resource, []).append(entry)
    for resource, others in kept.items():
        changed = [
            entry["address"]
            for entry in others
            if entry["change"]["actions"] != ["no-op"] or entry["change"].get("importing")
        ]
        if changed or others:
            yield from changed or (others[0]["address"],)
        elif _without_keys(resource) in blocks:
            yield f"{resource}{_NO_INSTANCE}"
    yield from blocks - {_block(entry) for entry in entries}


def _configured(module: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the addresses of a module's blocks, without the keys of modules."""
    for resource in module.get("resources", ()):
        if resource["mode"] in _TARGETABLE:
            yield f"{prefix}{resource['address']}"
    for name, call in module.get("module_calls", {}).items():
        yield from _configured(call.get("module", {}), f"{prefix}module.{name}.")


def _resource(entry: Mapping[str, Any]) -> str:
    """Return the address of a resource without its instance's key."""
    return _LAST_KEY.sub("", str(entry["address"]))


def _block(entry: Mapping[str, Any]) -> str:
    """Return the address of a resource's block: without any key."""
    return _without_keys(_resource(entry))


def _without_keys(address: str) -> str:
    return _KEYS.sub("", address)


def _shown_address(entry: Mapping[str, Any]) -> str:
    """Return the address as `Change.address` has it."""
    deposed = f" (deposed {entry['deposed']})" if entry.get("deposed") else ""
    return f"{entry['address']}{deposed}"
