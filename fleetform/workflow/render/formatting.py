"""`terraform fmt`, given only what it has not seen yet."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath

from fleetform.base import fingerprint
from fleetform.base.cache import digest
from fleetform.base.processes import read, reading
from fleetform.render import writer
from fleetform.terraform import commands, installation
from fleetform.workflow.project import Project

# What `terraform fmt`, or OpenTofu's, formats in a folder. Of these, not every version takes each by its path:
# https://developer.hashicorp.com/terraform/cli/commands/fmt
_FORMATTED_KIND = re.compile(r"(?s:.*)\.(tf|tofu|tfvars|(tf|tofu)\w*\.hcl)")
_BY_PATH = (".tf", ".tfvars")
_FOLDERS = ("modules", "envs")
# As arguments; with more it is quicker, and within every system's limits, to say where they are.
_MOST = 500


def format_rendering(project: Project, stacks: Mapping[str, Mapping[PurePath, str]]) -> dict[str, dict[PurePath, str]]:
    """Rendered files as `terraform fmt` leaves them."""
    program = fingerprint.program(installation.find_program(), project.root)
    keys = {
        (stack, path): digest(b"fmt", program, path.suffix.encode(), text.encode())
        for stack, files in stacks.items()
        for path, text in files.items()
    }
    texts = {key: text.decode() for key, text in project.store.get_many(keys.values()).items()}
    new = {
        stack: {path: text for path, text in files.items() if keys[stack, path] not in texts}
        for stack, files in stacks.items()
    }
    if any(new.values()):
        made = writer.format_rendering(new, _format)
        fresh = {keys[stack, path]: text for stack, files in made.items() for path, text in files.items()}
        project.store.put_many({key: text.encode() for key, text in fresh.items()})
        texts |= fresh
    return {stack: {path: texts[keys[stack, path]] for path in files} for stack, files in stacks.items()}


def _format(folder: Path) -> None:
    read(commands.fmt(installation.find_program(), folder), installation.variables(os.environ, folder))


@contextmanager
def find_unformatted(project: Project) -> Iterator[Callable[[], list[str]]]:
    """Has Terraform look, beside other work, for files that `terraform fmt` would change.

    Yields:
        A function that waits for them: those of the modules and environments, from the root; sorted.
    """
    program = installation.find_program()
    found = _keys(project.root, program)
    every = digest(b"all", *sorted(found.values()))
    known = project.store.get_many([every]) or project.store.get_many(found.values())
    new = [] if every in known else [path for path, key in found.items() if key not in known]
    if not new:
        project.store.put_many({} if every in known else {every: b""})
        yield list
        return
    variables = installation.variables(os.environ, project.work)
    argv = commands.fmt(program, *_arguments(project.root, new), check=True)
    with reading(argv, variables, accepted=(0, 3)) as printed:

        def listed() -> list[str]:
            # Terraform shows paths as seen from its working directory, which is ours.
            paths = sorted({os.path.relpath(line, project.root) for line in printed().splitlines() if line})
            # What somebody wrote while Terraform read may not be what it has read.
            if not paths and _keys(project.root, program) == found:
                project.store.put_many(dict.fromkeys([*(found[path] for path in new), every], b""))
            return paths

        yield listed


def _keys(root: Path, program: str) -> dict[str, bytes]:
    """By path, what is remembered of a file that is formatted."""
    by = fingerprint.program(program, root)
    return {
        path: digest(b"formatted", by, path.rpartition(".")[2].encode(), fingerprint.content(path))
        for folder in _FOLDERS
        for path in fingerprint.files(root / folder)
        if _FORMATTED_KIND.fullmatch(path)
    }


def _arguments(root: Path, paths: list[str]) -> Iterator[Path]:
    if len(paths) > _MOST:
        return (root / name for name in _FOLDERS if (root / name).is_dir())
    return iter(dict.fromkeys(Path(path) if path.endswith(_BY_PATH) else Path(path).parent for path in paths))
