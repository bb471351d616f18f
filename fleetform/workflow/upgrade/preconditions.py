"""Checks before an upgrade: nothing that it overwrites may be lost, and it must know where it starts."""

from fleetform.base.errors import CheckFailedError, InputError, printable
from fleetform.base.git import git
from fleetform.base.program_name import command
from fleetform.workflow.pin import REQUIREMENTS
from fleetform.workflow.project import Project
from fleetform.workflow.upgrade.fork import VERSION
from fleetform.workflow.upgrade.versions import Pin, read_pin, version_key
from fleetform.workflow.vendored import LOCK, Lock, read_lock

_SHOWN = 5


def require_clean(project: Project) -> None:
    """Require a Git repository without uncommitted changes, so that Git shows the upgrade alone.

    Raises:
        InputError: The project is not in a Git repository.
        CheckFailedError: It has uncommitted changes.
    """
    try:
        git(project.root, "rev-parse", "--show-toplevel")
    except InputError:
        raise InputError(
            "this project is not in a Git repository, so nothing could bring back what an upgrade changes;"
            " run `git init`, then commit everything"
        ) from None
    status = git(project.root, "status", "--porcelain", "-z", "--no-renames", "--", ".")
    paths = [printable(entry[3:]) for entry in status.split("\0")[:-1]]
    if paths:
        shown = ", ".join(paths[:_SHOWN])
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        raise CheckFailedError(
            f"uncommitted changes: {shown}{more}; commit or stash them, so that you can review the upgrade"
            " alone; nothing was changed"
        )


def require_upgradable(project: Project, target: str) -> tuple[Lock, Pin]:
    """Return what a project has vendored, and what it pins.

    Args:
        project: The project.
        target: The version to upgrade to.

    Raises:
        InputError: It has no lock, the lock and the pin name different versions, or the target is older.
    """
    require_clean(project)
    lock = read_lock(project.root)
    if lock is None:
        fork = command("upgrade", from_fork=True)
        raise InputError(
            f"{LOCK}: does not exist, so this project was not written by `init`; `{fork}` turns a fork of"
            f" version {VERSION} into a project"
        )
    pin = read_pin(project.root)
    if pin.version != lock.version:
        raise InputError(
            f"{REQUIREMENTS}: pins {pin.version}, but {LOCK} has the modules of {lock.version}: the pin"
            f" was changed by hand; pin {lock.version} again (Git has that line), commit, and run"
            f" `{command('upgrade', to=pin.version)}`"
        )
    if version_key(target) < version_key(lock.version):
        raise InputError(
            f"{target} is older than {lock.version}, which this project uses: an older version may not know"
            " what the catalogs use today; revert the commit of the upgrade with Git instead"
        )
    return lock, pin
