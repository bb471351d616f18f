"""The program `fleetform`, inside and outside of a project."""

import subprocess
import sys
from pathlib import Path

from fleetform import __version__
from fleetform.cli.main import find_root
from fleetform.workflow.project import Project
from tests import small_project
from tests.conftest import ROOT

OWN_TASK = """from invoke import task
from fleetform.cli.main import project_tasks

@task
def seed(context):
    "Fill the database."
    print("seeded")

namespace = project_tasks(__file__, seed)
"""


def run(folder: Path, *words: str, module: str = "fleetform") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", module, *words]
    environment = {"PYTHONPATH": str(ROOT), "PATH": str(Path(sys.executable).parent), "HOME": str(folder)}
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"fleetform {__version__}\n"


def test_the_project_is_the_nearest_folder_upwards_with_a_catalog(tmp_path: Path) -> None:
    inside = tmp_path / "shop/envs/local"
    inside.mkdir(parents=True)
    (tmp_path / "shop/envs/catalog.yaml").touch()
    assert find_root(inside) == tmp_path / "shop"
    assert find_root(tmp_path) is None


def test_a_task_outside_of_a_project_shows_how_to_create_one(tmp_path: Path) -> None:
    ended = run(tmp_path, "render")
    assert ended.returncode == 2
    assert ended.stderr == (
        f"{tmp_path}: in no project: there is no envs/catalog.yaml here or in a folder above; change to your"
        " project, or create one with `fleetform init DIR`\n"
    )


def test_rules_are_listed_outside_of_a_project(tmp_path: Path) -> None:
    assert run(tmp_path, "rules", "--json").stdout.startswith("[\n")


def test_a_task_in_a_folder_below_works_on_the_whole_project(tmp_path: Path) -> None:
    small_project.make(tmp_path)
    ended = run(tmp_path / "envs/tiny", "explain", "--env", "tiny", "web.port")
    assert "envs/catalog.yaml:8" in ended.stdout


def test_a_tasks_file_of_three_lines_has_every_task(tmp_path: Path) -> None:
    project: Project = small_project.make(tmp_path)
    small_project.write(
        project,
        "tasks.py",
        "from fleetform.cli.main import project_tasks\n\nnamespace = project_tasks(__file__)\n",
    )
    assert run(tmp_path, "--list", module="invoke").stdout == run(tmp_path, "--list").stdout


def test_tasks_of_a_projects_own_are_listed_and_run(tmp_path: Path) -> None:
    project: Project = small_project.make(tmp_path)
    small_project.write(project, "tasks.py", OWN_TASK)
    assert run(tmp_path, "seed", module="invoke").stdout == "seeded\n"
    listed = run(tmp_path, "--list", module="invoke").stdout
    assert listed.endswith("\nThis project\n  seed             Fill the database.\n")


def test_a_template_of_the_project_replaces_the_packages(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.templates == (tmp_path / "templates", ROOT / "templates")
