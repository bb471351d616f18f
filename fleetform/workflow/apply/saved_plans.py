"""Saves plans between two commands, so that exactly what was reviewed is applied."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fleetform.base.errors import InputError
from fleetform.base.program_name import command
from fleetform.stacks import Stack
from fleetform.terraform.plan.models import Action, Change, Difference, StackPlan
from fleetform.terraform.plan.phases import Arrangement
from fleetform.terraform.plan.summary import Summary
from fleetform.workflow.apply import runs
from fleetform.workflow.apply.runs import Revision
from fleetform.workflow.apply.terraform import Plan
from fleetform.workflow.workspace import Workspace

_RECORD = "plans.json"


def discard(workspace: Workspace) -> None:
    """Delete the saved plans."""
    shutil.rmtree(_folder(workspace), ignore_errors=True)


def outdated(workspace: Workspace, plans: Sequence[Plan]) -> frozenset[Stack]:
    """Return the stacks whose plans use values that another of the plans changes.

    If the foundation's plan changes outputs, plans that read its outputs have old values. If it goes last, it
    only takes from the outputs what they do not read.
    """
    if not any(not plan.stack.reads_foundation and plan.outputs and not plan.goes_last for plan in plans):
        return frozenset()
    stacks = {plan.stack for plan in plans if plan.stack.reads_foundation}
    return frozenset(stacks.difference(workspace.emptied))


def save(workspace: Workspace, revision: Revision, plans: Sequence[Plan]) -> list[str]:
    """Save plans in place of earlier ones. They may hold secrets: only the owner can read them.

    Outdated plans are not saved.

    Returns:
        The names of the stacks whose plans are not saved.
    """
    discard(workspace)
    folder = _folder(workspace)
    folder.mkdir(parents=True, mode=0o700)
    stale = outdated(workspace, plans)
    records, unsaved = [], []
    for plan in plans:
        if plan.stack in stale:
            plan.discard()
            unsaved.append(plan.stack.name)
            continue
        path = folder / plan.path.name
        if plan.path.exists():
            plan.path.replace(path)
        records.append({**asdict(plan), "stack": plan.stack.name, "path": path.name})
    record = {"moment": asdict(revision), "plans": records}
    (folder / _RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
    return unsaved


def load(workspace: Workspace) -> Mapping[Stack, Plan]:
    """Read the saved plans, by stack.

    Raises:
        InputError: No plan is saved, or the files or the commit have changed since.
    """
    name, folder = workspace.environment.name, _folder(workspace)
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = f"run `{command('plan', env=name, save=True)}`"
        raise InputError(f"--saved: {name} has no saved plan; {remedy}") from None
    if Revision(**record["moment"]) != runs.current_revision(workspace):
        discard(workspace)
        raise InputError(
            f"--saved: the files of {name}, or the commit, have changed since the plans were made; nothing"
            " was applied;"
            " plan again"
        )
    stacks = {stack.name: stack for stack in (*workspace.emptied, *workspace.stacks)}
    plans = [_plan(stacks[each["stack"]], folder, each) for each in record["plans"]]
    return {plan.stack: plan for plan in plans}


def _plan(stack: Stack, folder: Path, record: Mapping[str, Any]) -> Plan:
    printed, arrangement = record["printed"], record["arrangement"]
    return Plan(
        **{
            **record,
            "stack": stack,
            "path": folder / record["path"],
            "summary": Summary(**record["summary"]),
            "forced": tuple(record["forced"]),
            "printed": printed and _changes(stack, printed),
            "arrangement": arrangement
            and Arrangement(
                _changes(stack, arrangement["changes"]),
                Summary(**arrangement["summary"]),
                tuple(arrangement["targets"]),
                goes_last=arrangement["goes_last"],
            ),
        }
    )


def _changes(stack: Stack, record: Mapping[str, Any]) -> StackPlan:
    changes = tuple(map(_change, record["changes"]))
    return replace(StackPlan(stack.name), changes=changes, later=tuple(record["later"]))


def _change(record: Mapping[str, Any]) -> Change:
    differences = tuple(Difference(**each) for each in record["differences"])
    values = {
        "action": Action(record["action"]),
        "forced_by": tuple(record["forced_by"]),
        "differences": differences,
    }
    return Change(**{**record, **values})


def _folder(workspace: Workspace) -> Path:
    return workspace.work / "saved"
