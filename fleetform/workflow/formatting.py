"""`terraform fmt`, given only what it has not seen yet."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from fleetform import identity
from fleetform.programs import read
from fleetform.store import digest
from fleetform.terraform import commands, installation
from fleetform.workflow.project import Project

# What `terraform fmt`, or OpenTofu's, formats in a folder. Of these, not every version takes each by its path:
# https://developer.hashicorp.com/terraform/cli/commands/fmt
_FORMATTED = re.compile(r"(?s:.*)\.(tf|tofu|tfvars|(tf|tofu)\w*\.hcl)")
_BY_PATH = (".tf", ".tfvars")
_FOLDERS = ("modules", "envs")
# As arguments; with more it is quicker, and within every system's limits, to say where they are.
_MOST = 500


def formatted(project: Project, stacks: Mapping[str, Mapping[PurePath, str]]) -> dict[str, dict[PurePath, str]]:
    """Rendered files as `terraform fmt` leaves them."""
    program = identity.program(installation.find_program(), project.root)
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
        from fleetform.render import writer  # noqa: PLC0415 - it brings the catalog's models

        made = writer.formatted(new, _format)
        fresh = {keys[stack, path]: text for stack, files in made.items() for path, text in files.items()}
        project.store.put_many({key: text.encode() for key, text in fresh.items()})
        texts |= fresh
    return {stack: {path: texts[keys[stack, path]] for path in files} for stack, files in stacks.items()}


def _format(folder: Path) -> None:
    read(commands.fmt(installation.find_program(), folder), installation.variables(os.environ, folder))


def unformatted(project: Project) -> list[str]:
    """The Terraform files of the modules and environments that `terraform fmt` would change, from the root; sorted."""
    program = installation.find_program()
    found = _keys(project.root, program)
    every = digest(b"all", *sorted(found.values()))
    if every in project.store.get_many([every]):
        return []
    known = project.store.get_many(found.values())
    new = [path for path, key in found.items() if key not in known]
    listed = _listed(project, program, new) if new else []
    # What somebody wrote while Terraform read may not be what it has read.
    if not listed and _keys(project.root, program) == found:
        project.store.put_many(dict.fromkeys([*(found[path] for path in new), every], b""))
    return listed


def _keys(root: Path, program: str) -> dict[str, bytes]:
    """By path, what is remembered of a file that is formatted."""
    by = identity.program(program, root)
    return {
        path: digest(b"formatted", by, path.rpartition(".")[2].encode(), identity.content(path))
        for folder in _FOLDERS
        for path in identity.files(root / folder)
        if _FORMATTED.fullmatch(path)
    }


def _listed(project: Project, program: str, paths: list[str]) -> list[str]:
    """Those that `terraform fmt` would change, of these files and maybe of what is beside them."""
    variables = installation.variables(os.environ, project.work)
    argv = commands.fmt(program, *_arguments(project.root, paths), check=True)
    lines = read(argv, variables, accepted=(0, 3)).splitlines()
    # Terraform shows paths as seen from its working directory, which is ours.
    return sorted({os.path.relpath(line, project.root) for line in lines if line})


def _arguments(root: Path, paths: list[str]) -> Iterator[Path]:
    if len(paths) > _MOST:
        return (root / name for name in _FOLDERS if (root / name).is_dir())
    return iter(dict.fromkeys(Path(path) if path.endswith(_BY_PATH) else Path(path).parent for path in paths))
