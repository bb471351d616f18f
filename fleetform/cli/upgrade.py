"""The command `upgrade`: moves a project to a version of Fleetform, by that version's own code."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from invoke import Exit

from fleetform import __version__
from fleetform.base.errors import CheckFailedError
from fleetform.base.program_name import command
from fleetform.catalog.files import environment_names
from fleetform.cli.printing import agree, count, write, write_json
from fleetform.terraform import installation
from fleetform.workflow.project import Project
from fleetform.workflow.upgrade.draft import FileChange
from fleetform.workflow.upgrade.merging import Outcome
from fleetform.workflow.upgrade.preconditions import require_clean, require_upgradable
from fleetform.workflow.upgrade.upgrade import Upgrade, prepare, prepare_from_fork, save
from fleetform.workflow.upgrade.versions import installed, version_key

_SHOWN = 5
_FOLDERS = ("envs", "modules")
_PLAIN = frozenset({Outcome.ADDED, Outcome.UPDATED, Outcome.REMOVED})


def upgrade(  # noqa: PLR0913 - a flag each
    project: Project, *, to: str, plan: bool, from_fork: bool, yes: bool, as_json: bool
) -> None:
    """Upgrade a project to a version: write what changes, and print it.

    Args:
        project: The project.
        to: The version; empty for this one. Another one is installed for the moment, and does the work.
        plan: Whether to plan each environment afterwards.
        from_fork: Whether the project is a fork of version 0.1.0.
        yes: Whether to write without asking.
        as_json: Whether to print JSON.

    Raises:
        CheckFailedError: Files have conflicts. Everything else is upgraded.
    """
    if to and version_key(to) != version_key(__version__):
        _run_in(project, to, plan=plan, from_fork=from_fork, yes=yes, as_json=as_json)
        return
    prepared = prepare_from_fork(project) if from_fork else prepare(project)
    if not as_json:
        write("".join(f"{line}\n" for line in _lines(prepared)))
    if not prepared.changes:
        _report(prepared, as_json, {})
        return
    if not yes:
        agree(f"{count(len(prepared.changes), 'file', 'files')} of {project.root.name} will change")
    save(project, prepared)
    plans = _plans(project, prepared) if plan else {}
    _report(prepared, as_json, plans)
    if prepared.conflicts:
        raise CheckFailedError(_conflicts(prepared))


def _run_in(project: Project, version: str, *, from_fork: bool, **switches: bool) -> None:
    """Run the same command in another version of this package.

    Raises:
        Exit: It ends with another exit code than 0.
    """
    if from_fork:
        require_clean(project)
    else:
        require_upgradable(project, version)
    flags = {"from-fork": from_fork, "json": switches.pop("as_json"), **switches}
    words = [f"--{name}" for name, given in flags.items() if given]
    variables = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME"):
        variables.pop(name, None)
    variables[installation.PROGRAM_VARIABLE] = installation.find_program()
    extras = ["emulator"] if flags["plan"] else []
    sys.stderr.write(f"installing Fleetform {version} in a temporary folder\n")
    sys.stderr.flush()
    with installed(project.root, version, extras) as python:
        argv = [python, "-I", "-m", "fleetform", "upgrade", "--to", version, *words]
        code = _wait(subprocess.Popen(argv, cwd=project.root, env=variables))
    if code:
        raise Exit("", code)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a program. Ctrl-C reaches it, too: it puts back what it has changed."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _lines(upgrade: Upgrade) -> Iterator[str]:
    """Yield the summary of an upgrade: files by stack, modules, templates, and what went aside."""
    versions = f"{upgrade.source} -> {upgrade.target}"
    if not upgrade.changes:
        yield f"Fleetform {versions}: nothing to change"
    else:
        yield f"Fleetform {versions}"
        yield from _table(upgrade)
    notes = [file for file in upgrade.vendored if file.outcome not in _PLAIN]
    if notes:
        yield ""
        yield "edited modules and files:"
        yield from (f"  {file.path}: {file.outcome.value}" for file in notes)
    if upgrade.templates:
        yield ""
        yield "templates to compare with the package's, which have changed:"
        yield from (f"  {path}" for path in upgrade.templates)
    if upgrade.library:
        yield ""
        yield "edits of the library, which cannot be carried over:"
        yield from (f"  {path}: now {upgrade.aside[path]}" for path in upgrade.library)
    if others := [path for path in upgrade.aside if path not in upgrade.library]:
        yield ""
        yield "files of yours without a place in a small project:"
        yield from (f"  {path}: now {upgrade.aside[path]}" for path in others)


def _table(upgrade: Upgrade) -> Iterator[str]:
    groups: dict[str, list[FileChange]] = {}
    for change in upgrade.changes:
        groups.setdefault(_group(change.path), []).append(change)
    width = max(map(len, groups))
    for name in sorted(groups, key=lambda name: (not name.startswith(_FOLDERS), name)):
        yield f"  {name.ljust(width)}  {_shorten(groups[name])}"


def _shorten(changes: Sequence[FileChange]) -> str:
    """Return the names of some files after what happens to them, or their numbers if they are many."""
    by_kind: dict[str, list[str]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change.path.name)
    if len(changes) > _SHOWN:
        return ", ".join(f"{len(names)} {kind}" for kind, names in sorted(by_kind.items()))
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in sorted(by_kind.items()))


def _group(path: PurePath) -> str:
    """Return the stack or the module of a file, else its outermost folder."""
    parts = path.parts[:-1]
    length = {"envs": 3, "modules": 2}.get(parts[0], 1) if parts else 0
    return "/".join(parts[:length]) or "."


def _plans(project: Project, upgrade: Upgrade) -> dict[str, dict[str, str]]:
    """Return what each environment's plan would do, by environment and stack; `error` if it has no plan."""
    if upgrade.conflicts:
        return {name: {"error": "resolve the conflicts first"} for name in environment_names(project.root)}
    from fleetform.cli import upgrade_plans  # noqa: PLC0415 - boto3, which only plans need

    return {name: upgrade_plans.summarize(project, name) for name in environment_names(project.root)}


def _report(upgrade: Upgrade, as_json: bool, plans: Mapping[str, Mapping[str, str]]) -> None:  # noqa: FBT001
    if as_json:
        write_json(_document(upgrade, plans))
        return
    for env, stacks in plans.items():
        write("\n")
        write("".join(f"plan of {env}/{stack}: {summary}\n" for stack, summary in stacks.items()))
    if upgrade.changes and not upgrade.conflicts:
        write("\nnext:\n" + "".join(f"  {line}\n" for line in _next(upgrade)))


def _next(upgrade: Upgrade) -> Sequence[str]:
    return (
        "git add --all && git diff --cached",
        command("plan"),
        f'git commit -m "Upgrade Fleetform to {upgrade.target}"',
    )


def _conflicts(upgrade: Upgrade) -> str:
    paths = ", ".join(path.as_posix() for path in upgrade.conflicts)
    return (
        f"{count(len(upgrade.conflicts), 'file has', 'files have')} conflicts: {paths}\n"
        f"next: edit them, then `git diff --check` finds no marker, `{command('check')}` passes, and commit;"
        " or undo the upgrade with `git reset --hard && git clean -d --force`"
    )


def _document(upgrade: Upgrade, plans: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "from": upgrade.source,
        "to": upgrade.target,
        "files": [{"path": change.path.as_posix(), "change": change.kind} for change in upgrade.changes],
        "vendored": [
            {"path": file.path.as_posix(), "outcome": file.outcome.name.lower()} for file in upgrade.vendored
        ],
        "conflicts": [path.as_posix() for path in upgrade.conflicts],
        "templates": [path.as_posix() for path in upgrade.templates],
        "aside": {old.as_posix(): new.as_posix() for old, new in upgrade.aside.items()},
        "plans": {env: dict(stacks) for env, stacks in plans.items()},
    }
