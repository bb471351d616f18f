"""A project of two services, for tests of what people type: it stays as it is when the sample changes."""

import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fleetform.workflow.check.assessment import assess
from fleetform.workflow.project import Project
from fleetform.workflow.render import files, formatting

ROOT = Path(__file__).parents[1]

CATALOG = """application: shop
account: "123456789012"
region: eu-central-1
zones: [eu-central-1a, eu-central-1b]
services:
  web:
    image: nginx:1.29
    port: 80
    public: true
    calls: [orders]
  orders:
    image: nginx:1.29
    port: 8080
"""


SOUND = "services: { web: { health_check: { path: / } } }\n"
"""What the policy asks for besides."""

REGISTRY = """
resource "aws_ecr_lifecycle_policy" "extra" {
  repository = aws_ecr_repository.extra.name
}

resource "aws_ecr_registry_scanning_configuration" "extra" {}
"""
"""What it asks for besides a repository `extra`, but immutable tags."""

OPEN = "; 12 answers are open until a plan: invoke check --env tiny --plan"
"""What a check says besides: the text does not tell whether the ids that policies are about will be there."""

UNTAGGED = "exceptions: [{ rule: FF047, address: '*', reason: The warning is enough. }]\n"
"""Accepts an image without a tag, of which the catalog warns."""


def make(folder: Path) -> Project:
    """Create the project with environments `tiny` and, on the emulator, `local`; both are rendered."""
    project = _unrendered(folder)
    _put(project, _checked())
    return project


def change(project: Project, file: str, old: str, new: str) -> None:
    """Replaces some text in a file of a new project, which is rendered and checked then."""
    shutil.rmtree(project.root / "envs")
    _put(project, _checked((file, old, new)))


def _put(project: Project, contents: Mapping[str, bytes]) -> None:
    for name, data in contents.items():
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _unrendered(folder: Path) -> Project:
    for name in ("fleetform", "modules", "templates"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "tasks.py", folder)
    project = Project(folder)
    write(project, "envs/catalog.yaml", CATALOG)
    write(project, "envs/tiny/environment.yaml", f"log_retention_in_days: 30\n{SOUND}")
    write(project, "envs/local/environment.yaml", f"emulator: true\n{SOUND}")
    return project


@cache
def _checked(*edits: tuple[str, str, str]) -> Mapping[str, bytes]:
    """All files of a project that was edited, rendered and checked, its cache with them.

    A render and a check without a cache take five seconds of a processor, with it a third of one.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = _unrendered(Path(folder))
        for replacement in edits:
            edit(project, *replacement)
        for name in ("tiny", "local"):
            files.render_environment(project, name)
            assess(project, name)
        with formatting.find_unformatted(project) as listed:
            assert listed() == []
        cached = {
            path.relative_to(project.root).as_posix(): path.read_bytes()
            for path in project.work.glob("*.sqlite")
        }
        return content(project) | cached


def write(project: Project, name: str, text: str) -> None:
    """Writes a file of the project."""
    path = project.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def edit(project: Project, name: str, old: str, new: str) -> None:
    """Replaces some text in a file of the project."""
    text = (project.root / name).read_text(encoding="utf-8")
    assert old in text
    write(project, name, text.replace(old, new))


def content(project: Project) -> dict[str, bytes]:
    """Every file of the environments."""
    paths = (path for path in (project.root / "envs").rglob("*") if path.is_file())
    return {path.relative_to(project.root).as_posix(): path.read_bytes() for path in paths}
