"""Golden files: for each case a catalog, an environment, maybe a lock, and the stacks that they must become.

Three cases have all their files in `expected`. Each of the others has only those that differ from the same
file of `minimal` but for the environment's name; an empty one stands for a file that only `minimal` has.
"""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from fleetform.catalog.images_lock import load_lock
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.render.writer import format_rendering
from fleetform.terraform import commands, installation
from fleetform.validation.loading import load

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER.parents[1] / "templates"

CASES = sorted(path.parent.name for path in FOLDER.glob("*/catalog.yaml"))
"""Each is a folder here, and its environment's name."""


WHOLE = ("edges", "existing-vpc", "minimal")
"""The cases that have all their files."""


def golden_files(case: str) -> dict[str, str]:
    """Return the golden files of a case: the text of each by `stack/file`."""
    files = rendered(case)
    if case in WHOLE:
        return dict(files)
    base = {name: text.replace("minimal", case) for name, text in rendered("minimal").items()}
    absent = dict.fromkeys(base.keys() - files.keys(), "")
    return {name: text for name, text in files.items() if base.get(name) != text} | absent


@cache
def rendered(case: str) -> dict[str, str]:
    """What a case is rendered to, formatted: the text of each file by `stack/file`."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "envs", case)
        place.mkdir(parents=True)
        shutil.copy(FOLDER / case / "catalog.yaml", place.parent)
        shutil.copy(FOLDER / case / "environment.yaml", place)
        if (FOLDER / case / "images.lock.yaml").exists():
            shutil.copy(FOLDER / case / "images.lock.yaml", place)
        root = Path(folder)
        stacks = format_rendering(
            render(load(root, case), Templates(TEMPLATES), load_lock(root, case)), terraform_fmt
        )
    return {
        f"{stack}/{path.as_posix()}": text for stack, files in stacks.items() for path, text in files.items()
    }


def terraform_fmt(folder: Path) -> None:
    """Formats all files below a folder in place, with the real program."""
    subprocess.run(commands.fmt(installation.find_program(), folder), check=True, capture_output=True)
