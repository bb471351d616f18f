"""The states of an environment's stacks: their bucket, and what needs fixing by hand."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fleetform.base.errors import CheckFailedError
from fleetform.cli.printing import confirm, write, write_json
from fleetform.cli.screen import Screen
from fleetform.terraform.state.locks import Lock
from fleetform.workflow.apply import state_doctor, states
from fleetform.workflow.apply.accounts import require_account
from fleetform.workflow.apply.state_doctor import Finding
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_workspace

VERSION = 1
"""Of the JSON document: it increases when a key is removed or changes its meaning, not when one is added."""


def bootstrap(project: Project, env: str, *, as_json: bool) -> None:
    """Create or update an environment's state bucket, and print each setting's outcome."""
    workspace = open_workspace(project, env)
    require_account(workspace)
    settings = states.bootstrap(workspace)
    environment = workspace.environment
    if as_json:
        place = {
            "bucket": environment.state_bucket,
            "account": environment.account,
            "region": environment.region,
        }
        write_json({"version": VERSION, **place, "settings": settings})
        return
    write(f"{environment.state_bucket} in account {environment.account}, {environment.region}\n\n")
    Screen().table(("setting", "found"), list(settings.items()))


def doctor(project: Project, env: str, *, as_json: bool) -> None:
    """Print the state and the lock of every stack.

    Raises:
        CheckFailedError: Something needs fixing by hand.
    """
    workspace = open_workspace(project, env)
    require_account(workspace)
    findings = state_doctor.examine(workspace, datetime.now(UTC))
    if as_json:
        write_json(document(workspace, findings))
    else:
        _show(Screen(), findings)
    if troubled := [finding.stack for finding in findings if finding.troubles]:
        raise CheckFailedError(f"fix by hand: {', '.join(troubled)}")


def unlock(project: Project, env: str, named: str, *, yes: bool) -> None:
    """Remove a stale lock.

    Args:
        project: The project.
        env: The environment's name.
        named: The lock, as `STACK:ID`.
        yes: Do not ask.

    Raises:
        CheckFailedError: The process that holds it may be alive.
    """
    workspace = open_workspace(project, env)
    require_account(workspace)
    findings = state_doctor.examine(workspace, datetime.now(UTC))
    stack, lock, stale = state_doctor.find_lock(workspace, findings, named)
    held = f"{env} {stack.name}: locked by {_format_holder(lock)}"
    if stale is None:
        raise CheckFailedError(
            f"{held}, which may be alive; ask there, or wait for it. If you know that it is dead:"
            f" `{state_doctor.unlock_command(workspace, stack.name, lock)}`"
        )
    if not (yes or workspace.environment.emulator):
        confirm(f"{held}; {stale}", env)
    state_doctor.unlock(workspace, stack, lock)
    write(f"{stack.name}: unlocked\n")


def document(workspace: Workspace, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return findings as JSON data."""
    environment = workspace.environment
    return {
        "version": VERSION,
        "environment": environment.name,
        "bucket": environment.state_bucket,
        "stacks": [_finding_data(finding) for finding in findings],
    }


def _finding_data(finding: Finding) -> dict[str, Any]:
    plain = asdict(finding)
    plain["written"] = finding.written.isoformat() if finding.written else None
    if finding.lock:
        plain["lock"]["created"] = finding.lock.created.isoformat()
    return plain


def _show(screen: Screen, findings: Sequence[Finding]) -> None:
    numbers = ("serial", "resources", "bytes")
    screen.table(
        ("stack", *numbers, "written", "by", "lock"), [_row(finding) for finding in findings], right=numbers
    )
    for finding in findings:
        for trouble in finding.troubles:
            screen.line(f"\n{finding.stack}: {trouble}")


def _row(finding: Finding) -> list[str]:
    state = finding.snapshot
    return [
        finding.stack,
        str(state.serial) if state else "-",
        str(state.resources) if state else "-",
        str(finding.size or "-"),
        _format_time(finding.written) if finding.written else "never",
        f"Terraform {state.version}" if state else "-",
        _format_holder(finding.lock) if finding.lock else "-",
    ]


def _format_holder(lock: Lock) -> str:
    """Return such as `mia@build-7 (apply) since 2026-11-20 08:15 UTC`."""
    return f"{lock.who} ({lock.operation}) since {_format_time(lock.created)}"


def _format_time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
