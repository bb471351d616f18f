"""`terraform fmt`, given only the files that it has not formatted yet."""

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath

from fleetform.base import fingerprint
from fleetform.base.cache import Kind
from fleetform.base.processes import read, reading
from fleetform.base.serialization import JsonCodec
from fleetform.render import writer
from fleetform.terraform import commands, installation, process_environment
from fleetform.workflow.project import Project

# What `terraform fmt`, or OpenTofu's, formats in a folder. Of these, not every version takes each by its
# path:
# https://developer.hashicorp.com/terraform/cli/commands/fmt
_FORMATTED_KIND = re.compile(r"(?s:.*)\.(tf|tofu|tfvars|(tf|tofu)\w*\.hcl)")
_BY_PATH = (".tf", ".tfvars")
_FOLDERS = ("modules", "envs")
# As arguments; with more it is quicker, and within every system's limits, to say where they are.
_MOST = 500


_TEXT: Kind[str] = Kind("fmt", JsonCodec(str))
_FORMATTED: Kind[bool] = Kind("formatted", JsonCodec(bool))


def format_rendering(
    project: Project, stacks: Mapping[str, Mapping[PurePath, str]]
) -> dict[str, dict[PurePath, str]]:
    """Return rendered files as `terraform fmt` leaves them."""
    program = fingerprint.program(installation.find_program(), project.root)
    parts = {
        (stack, path): (program, path.suffix.encode(), text.encode())
        for stack, files in stacks.items()
        for path, text in files.items()
    }

    def run(missing: Collection[tuple[str, PurePath]]) -> dict[tuple[str, PurePath], str]:
        new = {
            stack: {path: text for path, text in files.items() if (stack, path) in missing}
            for stack, files in stacks.items()
        }
        formatted = writer.format_rendering(new, _format)
        return {(stack, path): text for stack, files in formatted.items() for path, text in files.items()}

    texts = project.cache.memo_many(_TEXT, parts, lambda missing: run(set(missing)))
    return {stack: {path: texts[stack, path] for path in files} for stack, files in stacks.items()}


def _format(folder: Path) -> None:
    read(commands.fmt(installation.find_program(), folder), _variables(folder))


def _variables(folder: Path) -> dict[str, str]:
    return process_environment.without_arguments(installation.variables(os.environ, folder))


@contextmanager
def find_unformatted(project: Project) -> Iterator[Callable[[], list[str]]]:
    """Have Terraform look, beside other work, for files that `terraform fmt` would change.

    Yields:
        A function that waits for their paths, relative to the root, in modules and environments; sorted.
    """
    program = installation.find_program()
    parts = _parts(project.root, program)
    everything = {"": _flatten(parts)}
    if project.cache.find(_FORMATTED, everything):
        yield list
        return
    formatted = project.cache.find(_FORMATTED, parts)
    new = {path: parts[path] for path in parts if path not in formatted}
    if not new:
        project.cache.keep(_FORMATTED, everything, {"": True})
        yield list
        return
    variables = _variables(project.work)
    argv = commands.fmt(program, *_arguments(project.root, [*new]), check=True)
    with reading(argv, variables, accepted=(0, 3)) as printed:

        def listed() -> list[str]:
            # Terraform prints paths relative to its working directory, which is ours.
            # A wrapper around it prints other lines, too.
            lines = filter(os.path.isfile, printed().splitlines())
            paths = sorted({os.path.relpath(line, project.root) for line in lines})
            # A file that changed while Terraform was reading may not be what it has read.
            if not paths and _parts(project.root, program) == parts:
                checked = new | everything
                project.cache.keep(_FORMATTED, checked, dict.fromkeys(checked, True))
            return paths

        yield listed


def _parts(root: Path, program: str) -> dict[str, tuple[bytes, ...]]:
    """Return digests of everything that a file's format follows from, by path."""
    digest = fingerprint.program(program, root)
    return {
        path: (digest, path.rpartition(".")[2].encode(), fingerprint.content(path))
        for folder in _FOLDERS
        for path in fingerprint.files(root / folder)
        if _FORMATTED_KIND.fullmatch(path)
    }


def _flatten(parts: Mapping[str, tuple[bytes, ...]]) -> tuple[bytes, ...]:
    return b"all", *(part for each in sorted(parts.values()) for part in each)


def _arguments(root: Path, paths: list[str]) -> Iterator[Path]:
    if len(paths) > _MOST:
        return (root / name for name in _FOLDERS if (root / name).is_dir())
    return iter(dict.fromkeys(Path(path) if path.endswith(_BY_PATH) else Path(path).parent for path in paths))
