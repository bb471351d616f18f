"""The images as catalog, work tree and Git have them."""

import subprocess
from pathlib import Path

import pytest

from fleetform.images.image_specs import ImageSpec, image_specs
from tests.catalog.catalogs import HEAD, loaded

SERVICES = """\
services:
  web: { build: { context: app, args: { A: 1 } }, architecture: arm64 }
  stock: { build: { context: app } }
  proxy: { image: nginx }
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one build context, without Git."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def found(project: Path, *services: str) -> list[ImageSpec]:
    return image_specs(project, loaded(project, HEAD + SERVICES), services)


def git(project: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    argv = ["git", "-C", str(project), *identity, *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def test_services_that_are_not_built_have_no_image(project: Path) -> None:
    assert [image.service for image in found(project, "web", "stock", "proxy")] == ["web", "stock"]


def test_repository_platform_and_arguments_are_the_services(project: Path) -> None:
    images = [(image.repository, image.platform, image.args) for image in found(project, "web", "stock")]
    assert images == [("shop-dev-web", "linux/arm64", {"A": "1"}), ("shop-dev-stock", "linux/amd64", {})]


def test_the_tag_is_the_beginning_of_the_key(project: Path) -> None:
    web, stock = found(project, "web", "stock")
    assert web.tag == web.content_key[:16]
    assert stock.tag == stock.content_key[:16]
    assert web.tag != stock.tag


def test_the_commit_is_reported_and_whether_files_of_the_context_differ_from_it(project: Path) -> None:
    git(project, "init", "--quiet")
    git(project, "add", "app")
    git(project, "commit", "--quiet", "--message=one")
    commit = git(project, "rev-parse", "HEAD")
    (project / "elsewhere").touch()
    clean = found(project, "web")[0].commit
    (project / "app/new").touch()
    assert [clean, found(project, "web")[0].commit] == [commit, f"{commit}-dirty"]


def test_outside_of_git_the_commit_is_empty(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    assert found(project, "web")[0].commit == ""


def test_without_the_git_program_the_commit_is_empty(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert found(project, "web")[0].commit == ""
