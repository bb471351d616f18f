"""Finds what needs fixing by hand in an environment's state bucket and its stacks' folders."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fleetform.base.errors import CheckFailedError, InputError, printable
from fleetform.base.processes import read, run
from fleetform.base.program_name import command
from fleetform.stacks import Stack
from fleetform.terraform import commands, installation
from fleetform.terraform.failures import translate_failures
from fleetform.terraform.state import locks, reader
from fleetform.terraform.state.locks import LocalMachine, Lock
from fleetform.terraform.state.reader import Object, Snapshot
from fleetform.workflow.apply.terraform import init
from fleetform.workflow.workspace import Workspace

_UNSAVED = "errored.tfstate"


@dataclass(frozen=True)
class Finding:
    """What was found of a stack.

    Attributes:
        stack: Its name.
        size: Bytes of its state; 0 if it has none.
        written: When its state was written.
        snapshot: What its state says of itself; None if there is none, or it cannot be read.
        lock: Its lock.
        stale: Why nothing can hold the lock any more.
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
    """Looks at every stack that has a folder, or anything in the bucket.

    Raises:
        CheckFailedError: There is no bucket.
        ProgramError: AWS refuses.
    """
    environment = workspace.environment
    objects = reader.objects(workspace.access, environment.state_bucket)
    if objects is None:
        raise CheckFailedError(
            f"the state bucket {environment.state_bucket} is not there; `{command('bootstrap', env=environment.name)}`"
            " makes it"
        )
    folders = [stack.name for stack in (*workspace.stacks, *workspace.emptied)]
    lost = sorted({key.partition("/")[0] for key in objects} - {*folders})
    doctor = _Doctor(workspace, objects, locks.this_machine(), now, _version(workspace))
    return [*(doctor.of_stack(name, has_folder=True) for name in folders), *map(doctor.of_stack, lost)]


def unlock(workspace: Workspace, stack: Stack, lock: Lock) -> None:
    """Removes a lock; Terraform leaves it alone if it is another by now."""
    init(workspace, stack)
    argv = workspace.terraform(stack).force_unlock(lock.id)
    with translate_failures(workspace.environment.name):
        run(argv, workspace.variables_of(stack), workspace.log(stack, "unlock"))


def unlock_command(workspace: Workspace, stack: str, lock: Lock) -> str:
    """The command that does the same by hand."""
    return _shell_command(workspace, stack, _terraform(workspace, stack).force_unlock(lock.id))


def find_lock(workspace: Workspace, findings: list[Finding], named: str) -> tuple[Stack, Lock, str | None]:
    """The stack and the lock that `STACK:ID` names, and why nothing can hold the lock any more.

    Raises:
        InputError: There is no such stack, or no such lock.
    """
    stacks = {stack.name: stack for stack in (*workspace.stacks, *workspace.emptied)}
    known = {f"{found.stack}:{found.lock.id}": found for found in findings if found.lock and found.stack in stacks}
    found = known.get(named)
    if found is None or found.lock is None:
        raise InputError(f"no lock `{printable(named)}`; known: {', '.join(known) or 'none, as nothing is locked'}")
    return stacks[found.stack], found.lock, found.stale


def _version(workspace: Workspace) -> str:
    version: str = json.loads(read(commands.version(workspace.program), workspace.variables))["terraform_version"]
    return version


@dataclass(frozen=True)
class _Doctor:
    workspace: Workspace
    objects: Mapping[str, Object]
    machine: LocalMachine
    now: datetime
    version: str

    def of_stack(self, stack: str, *, has_folder: bool = False) -> Finding:
        stored, held = self.objects.get(reader.state_key(stack)), self.objects.get(reader.lock_key(stack))
        snapshot = reader.snapshot(stored.text) if stored else None
        lock = locks.read(held.text) if held else None
        stale = lock.stale_reason(self.now, self.machine) if lock else None
        troubles = [
            self._unreadable(stack) if stored and not snapshot else None,
            self._newer(snapshot) if snapshot else None,
            self._lost(stack, snapshot) if snapshot and not has_folder else None,
            self._unreadable_lock(stack) if held and not lock else None,
            self._stale(stack, lock, stale, has_folder=has_folder) if lock and stale else None,
            *(self._unsaved(stack, path, snapshot) for path in self._errored(stack)),
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

    def _unreadable(self, stack: str) -> str:
        versions = f"aws s3api list-object-versions --bucket {self._bucket} --prefix {reader.state_key(stack)}"
        return (
            f"its state is none of format {reader.FORMAT}: if a newer Terraform wrote it, install that; if it is"
            f" broken, take an older version of it: `{versions}` lists them"
        )

    def _newer(self, snapshot: Snapshot) -> str | None:
        theirs, ours = (installation.release(version) for version in (snapshot.version, self.version))
        if theirs <= ours:
            return None
        return (
            f"Terraform {snapshot.version} wrote its state, and here is {self.version}; install"
            f" {'.'.join(map(str, theirs))} or later, or take this one off PATH"
        )

    def _lost(self, stack: str, snapshot: Snapshot) -> str | None:
        if not snapshot.resources:
            return None
        return (
            f"its state holds resources, and envs/{self.workspace.environment.name}/{stack} is gone; take the folder"
            " from Git again: an apply destroys what is left"
        )

    def _unreadable_lock(self, stack: str) -> str:
        return f"its lock does not say whose it is; if no run is using it, delete it: `{self._deletion(stack)}`"

    def _stale(self, stack: str, lock: Lock, why: str, *, has_folder: bool) -> str:
        if not has_folder:
            return f"its lock is stale ({why}), and no folder is left to unlock it from: `{self._deletion(stack)}`"
        ours = command("state-doctor", env=self.workspace.environment.name, unlock=f"{stack}:{lock.id}")
        return (
            f"its lock is stale ({why}): `{ours}` removes it, as does `{unlock_command(self.workspace, stack, lock)}`"
        )

    def _deletion(self, stack: str) -> str:
        return f"aws s3 rm s3://{self._bucket}/{reader.lock_key(stack)}"

    def _errored(self, stack: str) -> list[Path]:
        """Terraform leaves it where it works: hashicorp/terraform, internal/backend/local/backend_apply.go."""
        folders = (self.workspace.folder / stack, self.workspace.data(stack))
        return [folder / _UNSAVED for folder in folders if (folder / _UNSAVED).is_file()]

    def _unsaved(self, stack: str, path: Path, snapshot: Snapshot | None) -> str:
        unsaved = reader.snapshot(path.read_bytes())
        if unsaved is None:
            return f"{path} is no state: its disk was full, perhaps; see what it holds before you delete it"
        if snapshot and unsaved.lineage != snapshot.lineage:
            return f"{path} is of another stack, or of this one before it was recreated; keep it until you know which"
        if snapshot and unsaved.serial <= snapshot.serial:
            return (
                f"{path} has serial {unsaved.serial}, and the bucket has {snapshot.serial}: the stack was applied"
                " since; plan it, import what the plan would make a second time, then delete the file"
            )
        command = _shell_command(self.workspace, stack, _terraform(self.workspace, stack).push(path))
        return f"{path} holds what the last apply did and could not save: `{command}`, then delete the file"

    @property
    def _bucket(self) -> str:
        return self.workspace.environment.state_bucket


def _terraform(workspace: Workspace, stack: str) -> commands.Terraform:
    return commands.Terraform(workspace.program, workspace.folder / stack, color=True)


def _shell_command(workspace: Workspace, stack: str, argv: list[str]) -> str:
    return f"TF_DATA_DIR={shlex.quote(str(workspace.data(stack)))} {shlex.join(argv)}"
