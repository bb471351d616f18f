from pathlib import Path

import pytest

from fleetform.base.errors import InputError, ProgramError
from fleetform.catalog.files import lock_file
from fleetform.catalog.images_lock import LockedImage, write_lock
from fleetform.images.history import DeployedImage, previous, rollback_targets
from tests.commits import git

LOCK = lock_file("prod")


def image(number: int) -> LockedImage:
    """An image by its number."""
    digit = str(number)
    return LockedImage(digit * 16, f"sha256:{digit * 64}", ("linux/amd64",), digit * 40, digit * 64)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty repository."""
    root = tmp_path / "repository"
    (root / LOCK.parent).mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    return root


def commit(root: Path, **images: LockedImage) -> str:
    """Commits a lock of these images and returns the commit."""
    write_lock(root, "prod", images)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message=A lock")
    return git(root, "rev-parse", "HEAD")


def refusal(root: Path) -> str:
    """Why there is no way back for `web`."""
    with pytest.raises(InputError) as caught:
        previous(root, "prod", "web")
    return str(caught.value)


def test_the_entry_before_is_the_newest_with_another_image(repository: Path) -> None:
    commit(repository, web=image(1))
    before = commit(repository, web=image(2))
    commit(repository, web=image(3))
    assert previous(repository, "prod", "web") == DeployedImage(before, image(2))


def test_locks_that_other_services_changed_are_passed_over(repository: Path) -> None:
    before = commit(repository, web=image(1), orders=image(1))
    for number in (3, 4):
        commit(repository, web=image(2), orders=image(number))
    assert previous(repository, "prod", "web") == DeployedImage(before, image(1))


def test_a_lock_without_the_service_is_passed_over(repository: Path) -> None:
    before = commit(repository, web=image(1))
    commit(repository, orders=image(1))
    commit(repository, web=image(2))
    assert previous(repository, "prod", "web") == DeployedImage(before, image(1))


@pytest.mark.parametrize("broken", [None, "<<<<<<< HEAD\n"])
def test_a_lock_that_was_removed_or_broken_is_passed_over(repository: Path, broken: str | None) -> None:
    before = commit(repository, web=image(1))
    (repository / LOCK).unlink()
    if broken:
        (repository / LOCK).write_text(broken, encoding="utf-8")
    git(repository, "commit", "--quiet", "--all", "--message=Broken")
    commit(repository, web=image(2))
    assert previous(repository, "prod", "web") == DeployedImage(before, image(1))


def test_a_project_in_a_folder_of_a_repository_has_its_history(repository: Path) -> None:
    project = repository / "infrastructure"
    (project / LOCK.parent).mkdir(parents=True)
    before = commit(project, web=image(1))
    commit(project, web=image(2))
    assert previous(project, "prod", "web") == DeployedImage(before, image(1))


def test_each_locked_service_goes_back_to_the_image_before(repository: Path) -> None:
    """Whether the lock is committed or not; `stock` is locked no more, `orders` never had another image."""
    commit(repository, web=image(1), stock=image(1))
    commit(repository, web=image(2), stock=image(2), orders=image(2))
    write_lock(repository, "prod", {"web": image(3), "orders": image(2)})
    assert rollback_targets(repository, "prod") == {"web": image(2)}


def test_without_a_lock_nothing_goes_back(tmp_path: Path) -> None:
    assert rollback_targets(tmp_path, "prod") == {}


def test_a_shallow_clone_does_not_know_what_its_services_go_back_to(repository: Path, tmp_path: Path) -> None:
    commit(repository, web=image(1))
    commit(repository, web=image(2))
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "clone")
    with pytest.raises(InputError) as caught:
        rollback_targets(tmp_path / "clone", "prod")
    assert str(caught.value) == (
        "no earlier image of `web` in the history of envs/prod/images.lock.yaml; "
        "this clone is shallow: `git fetch --unshallow` brings the rest"
    )


def test_a_service_without_an_image_has_no_way_back(repository: Path) -> None:
    commit(repository, orders=image(1))
    assert refusal(repository) == ("envs/prod/images.lock.yaml has no image of `web`; known: orders")


def test_a_first_image_has_no_way_back(repository: Path) -> None:
    commit(repository, web=image(1))
    assert refusal(repository) == "no earlier image of `web` in the history of envs/prod/images.lock.yaml"


def test_a_shallow_clone_is_reported_to_fetch_the_rest(repository: Path, tmp_path: Path) -> None:
    commit(repository, web=image(1))
    commit(repository, web=image(2))
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "clone")
    assert refusal(tmp_path / "clone") == (
        "no earlier image of `web` in the history of envs/prod/images.lock.yaml; "
        "this clone is shallow: `git fetch --unshallow` brings the rest"
    )


@pytest.mark.parametrize("committed", [True, False])
def test_a_lock_that_is_not_committed_has_no_way_back(repository: Path, *, committed: bool) -> None:
    if committed:
        commit(repository, web=image(1))
    write_lock(repository, "prod", {"web": image(2)})
    assert refusal(repository) == (
        "envs/prod/images.lock.yaml has uncommitted changes; commit it, or run"
        " `git restore envs/prod/images.lock.yaml`, then roll back"
    )


def test_a_folder_without_git_has_no_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / LOCK.parent).mkdir(parents=True)
    write_lock(tmp_path, "prod", {"web": image(1)})
    assert (
        refusal(tmp_path)
        == "this checkout is not a Git repository; without its history nothing earlier is known"
    )


def test_a_machine_without_git_is_reported_to_install_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repository, web=image(1))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ProgramError) as caught:
        previous(repository, "prod", "web")
    assert str(caught.value) == "cannot run git: No such file or directory; install it"


def test_a_git_that_fails_is_reported_with_its_words(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repository, web=image(1))
    (tmp_path / "git").write_text(
        "#!/bin/sh\necho 'fatal: dubious ownership' >&2; exit 128\n", encoding="utf-8"
    )
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError) as caught:
        previous(repository, "prod", "web")
    assert str(caught.value) == (
        "`git status --porcelain -- envs/prod/images.lock.yaml` ended with exit code 128:\nfatal: dubious"
        " ownership"
    )
