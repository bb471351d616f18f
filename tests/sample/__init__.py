"""The sample's catalogs, which tests read instead of this repository's `envs/`.

`envs/` is a project's: it may hold other catalogs than the sample's, and no test of the product notices.
"""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fleetform.catalog.files import environment_names
from fleetform.workflow.project import Project
from fleetform.workflow.render import files

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
"""The root of the sample, for all that reads catalogs only."""

ENVIRONMENTS = tuple(environment_names(FOLDER))


def catalogs(root: Path) -> dict[str, bytes]:
    """Return a project's catalog and what is laid over it, by path in the project."""
    paths = (root / "envs/catalog.yaml", *sorted(root.glob("envs/*/environment.yaml")))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def write(root: Path) -> None:
    """Write the sample's `envs/` to a project, rendered."""
    _write(root, _rendered())


@cache
def _rendered() -> Mapping[str, bytes]:
    """Render the sample once in this process, which takes a second. Return its `envs/` by path."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("modules", "templates"):
            (root / name).symlink_to(ROOT / name)
        _write(root, catalogs(FOLDER))
        for environment in ENVIRONMENTS:
            files.render_environment(Project(root), environment)
        paths = (path for path in root.glob("envs/**/*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _write(root: Path, contents: Mapping[str, bytes]) -> None:
    for name, data in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
