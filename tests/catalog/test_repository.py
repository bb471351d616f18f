"""Links cannot make Fleetform read or build anything outside the repository."""

from pathlib import Path

import pytest

from fleetform.base.errors import CatalogError, InputError
from fleetform.catalog.images_lock import load_lock
from fleetform.validation.loading import load
from tests.catalog.catalogs import HEAD, project

CATALOG = f"""{HEAD}services:
  web:
    build:
      context: containers
      dockerfile: web/Dockerfile
  worker: {{ build: {{ context: containers }} }}
"""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder next to the repository, with a Dockerfile for each service."""
    folder = tmp_path / "outside"
    for name in ("Dockerfile", "web/Dockerfile"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("FROM scratch\n", encoding="utf-8")
    return folder


@pytest.fixture
def repository(tmp_path: Path, outside: Path) -> Path:
    """Return a valid project."""
    root = project(tmp_path / "repository", CATALOG)
    (root / "containers/web").mkdir(parents=True)
    for name in ("Dockerfile", "web/Dockerfile"):
        (root / "containers" / name).write_bytes((outside / name).read_bytes())
    return root


def relink(path: Path, target: Path | str) -> None:
    """Replace a file with a link."""
    path.unlink()
    path.symlink_to(target)


def refusal(root: Path) -> list[str]:
    with pytest.raises(CatalogError) as refused:
        load(root, "dev")
    return str(refused.value).splitlines()


def test_a_build_context_outside_the_repository_is_refused_at_its_position(
    repository: Path, outside: Path
) -> None:
    (repository / "containers").rename(repository / "moved")
    (repository / "containers").symlink_to(outside)
    message = (
        "`containers` leads outside this repository through a symbolic link; move its target into the"
        " repository"
    )
    assert refusal(repository) == [
        f"envs/catalog.yaml:8:16: {message}",
        f"envs/catalog.yaml:10:31: {message}",
    ]


def test_a_dockerfile_outside_the_repository_is_refused_at_its_position(
    repository: Path, outside: Path
) -> None:
    relink(repository / "containers/web/Dockerfile", outside / "web/Dockerfile")
    assert refusal(repository) == [
        (
            "envs/catalog.yaml:9:19: `containers/web/Dockerfile` leads outside this repository through a "
            "symbolic link; move its target into the repository"
        )
    ]


def test_a_default_dockerfile_outside_the_repository_is_refused_at_its_context(repository: Path) -> None:
    relink(repository / "containers/Dockerfile", "../../outside/Dockerfile")
    assert refusal(repository) == [
        (
            "envs/catalog.yaml:10:31: `containers/Dockerfile` leads outside this repository through a "
            "symbolic link; move its target into the repository"
        )
    ]


def test_a_link_inside_the_repository_is_allowed(repository: Path) -> None:
    relink(repository / "containers/Dockerfile", "web/Dockerfile")
    assert list(load(repository, "dev").services) == ["web", "worker"]


def test_a_repository_reached_through_a_link_is_allowed(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository)
    relink(repository / "containers/Dockerfile", "web/Dockerfile")
    assert list(load(tmp_path / "link", "dev").services) == ["web", "worker"]


@pytest.mark.parametrize("name", ["envs/catalog.yaml", "envs/dev/environment.yaml"])
def test_a_catalog_file_outside_the_repository_is_refused(repository: Path, outside: Path, name: str) -> None:
    (outside / "secret.yaml").write_bytes((repository / name).read_bytes())
    relink(repository / name, outside / "secret.yaml")
    with pytest.raises(InputError) as refused:
        load(repository, "dev")
    assert str(refused.value) == (
        f"{name}: is a symbolic link to outside this repository; move its target into the repository"
    )


def test_an_environment_folder_outside_the_repository_is_refused(repository: Path, outside: Path) -> None:
    (repository / "envs/dev").rename(outside / "dev")
    (repository / "envs/dev").symlink_to(outside / "dev")
    with pytest.raises(InputError) as refused:
        load(repository, "dev")
    assert str(refused.value) == (
        "envs/dev/environment.yaml: is a symbolic link to outside this repository; move its target into the"
        " repository"
    )


def test_a_lock_outside_the_repository_is_refused(repository: Path, outside: Path) -> None:
    (outside / "lock.yaml").write_text("{}\n", encoding="utf-8")
    (repository / "envs/dev/images.lock.yaml").symlink_to(outside / "lock.yaml")
    with pytest.raises(InputError) as refused:
        load_lock(repository, "dev")
    assert str(refused.value) == (
        "envs/dev/images.lock.yaml: is a symbolic link to outside this repository; move its target into the"
        " repository"
    )


def test_a_link_to_itself_is_refused(repository: Path) -> None:
    relink(repository / "envs/catalog.yaml", "catalog.yaml")
    with pytest.raises(InputError) as refused:
        load(repository, "dev")
    assert (
        str(refused.value) == "envs/catalog.yaml: Too many levels of symbolic links; make it a readable file"
    )


@pytest.mark.parametrize("context", ["..", "../outside", "containers/../../outside", "/etc"])
def test_a_path_that_climbs_out_is_refused_once(tmp_path: Path, outside: Path, context: str) -> None:
    assert outside.is_dir()
    root = project(
        tmp_path / "repository", f"{HEAD}services:\n  web: {{ build: {{ context: {context} }} }}\n"
    )
    assert refusal(root) == [
        (
            f"envs/catalog.yaml:6:28: `services.web.build.context` is `{context}`; "
            "expected a path inside this repository, of letters, digits and . _ - /"
        )
    ]
