"""Finds what needs fixing by hand in an environment's state bucket and its stacks' folders."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fleetform.base.errors import CheckFailedError, InputError, printable
from fleetform.base.processes import run
from fleetform.base.program_name import command
from fleetform.stacks import Stack
from fleetform.terraform import commands
from fleetform.terraform.failures import translate_failures
from fleetform.terraform.state import locks, reader
from fleetform.terraform.state.locks import LocalMachine, Lock
from fleetform.terraform.state.reader import Object, Snapshot
from fleetform.workflow.apply.terraform import init
from fleetform.workflow.workspace import Workspace

_UNSAVED = "errored.tfstate"


@dataclass(frozen=True)
class Finding:
    """The state and the lock of a stack, and their problems.

    Attributes:
        stack: Its name.
        size: Bytes of its state; 0 if it has none.
        written: When its state was written.
        snapshot: Metadata of its state; None if it has no state, or it cannot be read.
        lock: Its lock, if it has one that can be read.
        stale: Why no process can hold the lock any more; None if one may.
        troubles: What is wrong, each with its remedy.
    """

    stack: str
    size: int
    written: datetime | None
    snapshot: Snapshot | None
    lock: Lock | None
    stale: str | None
    troubles: tuple[str, ...]


def examine(workspace: Workspace, now: datetime) -> list[Finding]:
    """Examine every stack that has a folder, or an object in the bucket.

    Raises:
        CheckFailedError: The bucket does not exist.
        ProgramError: AWS refuses.
    """
    environment = workspace.environment
    objects = reader.objects(workspace.access, environment.state_bucket)
    if objects is None:
        raise CheckFailedError(
            f"the state bucket {environment.state_bucket} does not exist; run"
            f" `{command('bootstrap', env=environment.name)}`"
        )
    folders = [stack.name for stack in (*workspace.stacks, *workspace.emptied)]
    without_folder = sorted({key.partition("/")[0] for key in objects} - {*folders})
    doctor = _Doctor(workspace, objects, locks.this_machine(), now)
    return [
        *(doctor.examine_stack(name, has_folder=True) for name in folders),
        *map(doctor.examine_stack, without_folder),
    ]


def unlock(workspace: Workspace, stack: Stack, lock: Lock) -> None:
    """Remove a lock. Terraform keeps it if it has a different ID by now."""
    init(workspace, stack)
    argv = workspace.terraform(stack).force_unlock(lock.id)
    with translate_failures(workspace.environment.name):
        run(argv, workspace.variables_of(stack), workspace.log(stack, "unlock"))


def unlock_command(workspace: Workspace, stack: str, lock: Lock) -> str:
    """Return the command that removes a lock by hand."""
    return _shell_command(workspace, stack, _terraform(workspace, stack).force_unlock(lock.id))


def find_lock(workspace: Workspace, findings: list[Finding], named: str) -> tuple[Stack, Lock, str | None]:
    """Return the stack and the lock that `STACK:ID` names, and why no process can hold the lock any more.

    Raises:
        InputError: The stack or the lock is unknown.
    """
    stacks = {stack.name: stack for stack in (*workspace.stacks, *workspace.emptied)}
    by_name = {
        f"{each.stack}:{each.lock.id}": each for each in findings if each.lock and each.stack in stacks
    }
    finding = by_name.get(named)
    if finding is None or finding.lock is None:
        locks_ = ", ".join(by_name) or "none, as nothing is locked"
        raise InputError(f"unknown lock `{printable(named)}`; known: {locks_}")
    return stacks[finding.stack], finding.lock, finding.stale


@dataclass(frozen=True)
class _Doctor:
    workspace: Workspace
    objects: Mapping[str, Object]
    machine: LocalMachine
    now: datetime

    def examine_stack(self, stack: str, *, has_folder: bool = False) -> Finding:
        stored, held = self.objects.get(reader.state_key(stack)), self.objects.get(reader.lock_key(stack))
        snapshot = reader.snapshot(stored.text) if stored else None
        lock = locks.read(held.text) if held else None
        stale = lock.stale_reason(self.now, self.machine) if lock else None
        troubles = [
            self._explain_unreadable(stack) if stored and not snapshot else None,
            self._explain_missing_folder(stack, snapshot) if snapshot and not has_folder else None,
            self._explain_unreadable_lock(stack) if held and not lock else None,
            self._explain_stale(stack, lock, stale, has_folder=has_folder) if lock and stale else None,
            *(self._explain_unsaved(stack, path, snapshot) for path in self._find_unsaved(stack)),
        ]
        return Finding(
            stack=stack,
            size=len(stored.text) if stored else 0,
            written=stored.written if stored else None,
            snapshot=snapshot,
            lock=lock,
            stale=stale,
            troubles=tuple(filter(None, troubles)),
        )

    def _explain_unreadable(self, stack: str) -> str:
        versions = (
            f"aws s3api list-object-versions --bucket {self._bucket} --prefix {reader.state_key(stack)}"
        )
        return (
            f"its state is not in format {reader.FORMAT}; if a newer Terraform wrote it, install that; if"
            " it is"
            f" broken, restore an older version: `{versions}` lists them"
        )

    def _explain_missing_folder(self, stack: str, snapshot: Snapshot) -> str | None:
        if not snapshot.resources:
            return None
        return (
            f"its state holds resources, but envs/{self.workspace.environment.name}/{stack} is missing;"
            " restore the"
            " folder from Git, and apply: that destroys what is left"
        )

    def _explain_unreadable_lock(self, stack: str) -> str:
        return (
            "its lock does not say whose it is; if no run is using it, delete it:"
            f" `{self._delete_command(stack)}`"
        )

    def _explain_stale(self, stack: str, lock: Lock, why: str, *, has_folder: bool) -> str:
        if not has_folder:
            delete = self._delete_command(stack)
            return f"its lock is stale ({why}), and it has no folder to unlock it from; run `{delete}`"
        ours = command("state-doctor", env=self.workspace.environment.name, unlock=f"{stack}:{lock.id}")
        return f"its lock is stale ({why}); run `{ours}`, or `{unlock_command(self.workspace, stack, lock)}`"

    def _delete_command(self, stack: str) -> str:
        return f"aws s3 rm s3://{self._bucket}/{reader.lock_key(stack)}"

    def _find_unsaved(self, stack: str) -> list[Path]:
        """Return unsaved states; see hashicorp/terraform, internal/backend/local/backend_apply.go."""
        folders = (self.workspace.folder / stack, self.workspace.data(stack))
        return [folder / _UNSAVED for folder in folders if (folder / _UNSAVED).is_file()]

    def _explain_unsaved(self, stack: str, path: Path, snapshot: Snapshot | None) -> str:
        unsaved = reader.snapshot(path.read_bytes())
        if unsaved is None:
            return (
                f"{path} is not a state, perhaps because the disk was full; look into it before you delete it"
            )
        if snapshot and unsaved.lineage != snapshot.lineage:
            return (
                f"{path} is of a different stack, or of this one before it was recreated; keep it until"
                " you know which"
            )
        if snapshot and unsaved.serial <= snapshot.serial:
            return (
                f"{path} has serial {unsaved.serial}, and the bucket has {snapshot.serial}: the stack was"
                " applied"
                " since; plan it, import what the plan would create twice, then delete the file"
            )
        command = _shell_command(self.workspace, stack, _terraform(self.workspace, stack).push(path))
        return (
            f"{path} holds the state that the last apply could not save; run `{command}`, then delete"
            " the file"
        )

    @property
    def _bucket(self) -> str:
        return self.workspace.environment.state_bucket


def _terraform(workspace: Workspace, stack: str) -> commands.Terraform:
    return commands.Terraform(workspace.program, workspace.folder / stack, color=True)


def _shell_command(workspace: Workspace, stack: str, argv: list[str]) -> str:
    return f"TF_DATA_DIR={shlex.quote(str(workspace.data(stack)))} {shlex.join(argv)}"
