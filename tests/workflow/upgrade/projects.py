"""A project of version 0.2.0, for tests of its upgrade by a package of version 0.3.0."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetform.base.git_blobs import blob_id
from fleetform.cli import upgrade as command
from fleetform.workflow import pin, vendored
from fleetform.workflow.project import Project
from fleetform.workflow.render import files as rendered
from fleetform.workflow.upgrade import upgrade
from fleetform.workflow.vendored import Lock
from tests import small_project
from tests.workflow.upgrade import repositories

MODULE = "modules/cluster/variables.tf"
FILES = vendored.package_files()
PINNED = "fleetform[emulator]==0.2.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
NEW_MODULE = FILES[MODULE] + b"\n# New in 0.3.0.\n"


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Make a committed project of version 0.2.0, and the package one of 0.3.0 with a changed module."""
    wheel = folder / "fleetform-0.3.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    monkeypatch.setattr(pin, "find_wheel", lambda *_: wheel)
    project = Project(folder / "shop")
    repositories.write(project.root, FILES)
    (project.root / "run").chmod(0o755)
    small_project.write(project, "envs/catalog.yaml", small_project.CATALOG)
    small_project.write(project, "envs/tiny/environment.yaml", small_project.SOUND)
    small_project.write(project, "requirements.txt", PINNED)
    small_project.write(project, ".gitignore", ".fleetform/\n")
    ids = {path: blob_id(content) for path, content in FILES.items()}
    vendored.write_lock(project.root, Lock("0.2.0", ids, {"services/service.tf.j2": "0" * 40}))
    rendered.render_environment(project, "tiny")
    repositories.commit(project.root)
    change_package(monkeypatch, FILES | {MODULE: NEW_MODULE})
    return project


def change_package(
    monkeypatch: pytest.MonkeyPatch, files: Mapping[str, bytes], version: str = "0.3.0"
) -> None:
    """Make the running package one of a version, with these vendored files."""
    ids = {path: blob_id(content) for path, content in files.items()}
    monkeypatch.setattr(vendored, "package_files", lambda: dict(files))
    monkeypatch.setattr(
        vendored, "package_lock", lambda: Lock(version, ids, {"services/service.tf.j2": "1" * 40})
    )
    for module in (upgrade, command):
        monkeypatch.setattr(module, "__version__", version)


def edit(project: Project, name: str, content: bytes) -> None:
    """Commit a new content of a file."""
    repositories.write(project.root, {name: content})
    repositories.commit(project.root)
