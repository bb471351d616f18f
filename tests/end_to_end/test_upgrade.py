"""Upgrades of two applied projects: afterwards, nothing is left to apply."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fleetform import __version__, emulator
from fleetform.cli import local, upgrade_plans
from fleetform.cli.screen import Screen
from fleetform.workflow import pin
from fleetform.workflow.project import Project
from fleetform.workflow.setup.answers import NO_PIPELINE, Answers
from fleetform.workflow.setup.creation import create
from fleetform.workflow.upgrade.upgrade import prepare_from_fork, save
from tests.conftest import ROOT
from tests.workflow.upgrade import repositories

FORK = ROOT / "tests/workflow/upgrade/fork-0.1.0.tar.xz"
LATER = "99.0.0"
EDITED = "modules/ecs_service/outputs.tf"
SOURCES = ("containers", "envs", "fleetform", "modules", "requirements", "templates")
ANSWERS = Answers(
    "shop",
    "123456789012",
    "eu-central-1",
    ("eu-central-1a", "eu-central-1b"),
    ("web", "orders"),
    NO_PIPELINE,
)
UNCHANGED = {"foundation": "no changes", "services": "no changes"}


class Wheels(NamedTuple):
    """Wheels of this checkout: as it is, and of a later version with other modules and templates."""

    present: Path
    later: Path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Wheels that pip builds."""
    folder = tmp_path_factory.mktemp("wheels")
    source = folder / "source"
    for name in SOURCES:
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*")
        )
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, source)
    present = build(source, folder / "present")
    replace(source / "fleetform/__init__.py", f'"{__version__}"', f'"{LATER}"')
    append(source / EDITED, "\n# New in a later version.\n")
    append(source / "templates/services/service.tf.j2", "\n# Rendered by a later version.\n")
    (source / "modules/ecs_service/notes.tf").write_text("locals {\n  notes = 1\n}\n", encoding="utf-8")
    return Wheels(present, build(source, folder / "later"))


def build(source: Path, target: Path) -> Path:
    argv = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(target),
        str(source),
    ]
    subprocess.run(argv, check=True)
    return next(target.iterdir())


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A folder for a project, whose emulator is stopped at the end."""
    found = Project(tmp_path / "shop")
    yield found
    emulator.stop(found.work)


def pin_wheel(monkeypatch: pytest.MonkeyPatch, wheel: Path) -> None:
    """Have projects pin a wheel that is built already."""
    monkeypatch.setattr(pin, "find_wheel", lambda folder, *_: Path(shutil.copy(wheel, folder)))


def apply(project: Project) -> dict[str, str]:
    """Apply `local` to the emulator, and return what its plan would do next."""
    local.apply(project, "local", Screen())
    return upgrade_plans.summarize(project, "local")


def upgrade_to(project: Project, version: str) -> dict[str, Any]:
    """Upgrade as a person does, without credentials for AWS, and return the report."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "fleetform", "upgrade", "--to", version, "--plan", "--yes", "--json"],
        cwd=project.root,
        env={**variables, "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_a_project_of_the_first_packaged_version_ends_with_an_empty_plan(
    project: Project, wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin_wheel(monkeypatch, wheels.present)
    create(project.root, ANSWERS, lambda _: None, repository=True)
    repositories.commit(project.root)
    assert apply(project) == UNCHANGED
    original = (project.root / EDITED).read_text(encoding="utf-8")
    (project.root / EDITED).write_text(f"# Ours.\n{original}", encoding="utf-8")
    repositories.commit(project.root)
    shutil.copy(wheels.later, project.work / pin.WHEELS)

    report = upgrade_to(project, LATER)

    assert (project.root / EDITED).read_text(encoding="utf-8") == (
        f"# Ours.\n{original}\n# New in a later version.\n"
    )
    assert report["vendored"] == [
        {"path": "modules/ecs_service/notes.tf", "outcome": "added"},
        {"path": EDITED, "outcome": "merged"},
    ]
    assert [each["path"] for each in report["files"] if each["path"].startswith("envs/")] == [
        f"envs/{env}/services/service_{name}.tf"
        for env in ("dev", "local", "prod")
        for name in ("orders", "web")
    ]
    assert report["plans"]["local"] == UNCHANGED
    assert [[*report["plans"][env]] for env in ("dev", "prod")] == [["error"], ["error"]]


def test_a_fork_of_the_first_version_ends_with_an_empty_plan(
    project: Project, wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin_wheel(monkeypatch, wheels.present)
    with tarfile.open(FORK) as archive:
        archive.extractall(project.root, filter="data")
    repositories.commit(project.root)
    local.apply(project, "local", Screen())

    save(project, prepare_from_fork(project))

    assert not (project.root / "fleetform").exists()
    assert upgrade_plans.summarize(project, "local") == {
        "foundation": "1 to change",
        "services": "12 to change",
    }
    assert apply(project) == UNCHANGED
