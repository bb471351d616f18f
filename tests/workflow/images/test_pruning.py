"""`invoke prune`, on the emulator."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetform import emulator
from fleetform.base.errors import InputError, ProgramError
from fleetform.catalog.images_lock import write_lock
from fleetform.cli.images import prune
from fleetform.images import retention
from fleetform.images.registry import Registry
from fleetform.images.transfer import Manifest, Repository
from fleetform.validation.loading import load
from fleetform.workflow.images.registry import open_registry
from fleetform.workflow.project import Project
from tests import small_project
from tests.cli.test_cli import Terminal
from tests.cli.test_tasks import Ended, invoke
from tests.commits import git
from tests.emulator.test_registry import Session
from tests.images.registries import digest_of, layers_of, locked, make_repository, manifest_of, push_layers

BYTES = sum(map(len, layers_of("web")))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project in Git that builds `web`; its emulator ends with the test."""
    project = small_project.make(tmp_path)
    small_project.edit(
        project,
        "envs/catalog.yaml",
        "image: nginx:1.29\n    port: 80\n",
        "build: {context: web}\n    port: 80\n",
    )
    git(project.root, "init", "--quiet")
    emulator.start(project.work, port=0)
    yield project
    emulator.stop(project.work)


def manifest(number: int) -> Manifest:
    """One of many images of the same layers."""
    return manifest_of(*layers_of("web"), annotations={"number": str(number)})


def tag(number: int) -> str:
    return f"{number:016}"


def digest(number: int) -> str:
    return digest_of(manifest(number).content)


def push_all(registry: Registry, environment: str, count: int) -> Repository:
    """Pushes so many images of `web`, one after the other."""
    repository = make_repository(registry, f"shop-{environment}-web")
    push_layers(repository, *layers_of("web"))
    for number in range(count):
        repository.put_manifest(tag(number), manifest(number))
    return repository


def lock(project: Project, environment: str, number: int) -> None:
    """Locks an image of `web`, and commits that."""
    write_lock(project.root, environment, {"web": locked(digest(number))})
    git(project.root, "add", "envs")
    git(project.root, "commit", "--quiet", "--message=A lock")


def tags(registry: Registry, environment: str) -> list[str]:
    """The tags that are left."""
    return sorted(
        tag for image in retention.read_images(registry, f"shop-{environment}-web") for tag in image.tags
    )


def table(*cells: str) -> str:
    """The table of one service."""
    headings = ("service", "kept", "locked", "to delete", "frees up to")
    widths = [max(map(len, column)) for column in zip(headings, cells, strict=True)]
    rows = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in (headings, cells)]
    return "".join("  ".join(row) + "\n" for row in rows)


def pulled(repository: Repository, reference: str) -> bytes:
    """The manifest that an engine gets by a tag or a digest."""
    credentials = repository.credentials
    session = Session(credentials.host, repository.name, credentials.password)
    return session.ask("GET", f"manifests/{reference}").body


def test_sixty_images_become_the_newest_the_locked_and_the_one_before(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = open_registry(project, load(project.root, "local"))
    repository = push_all(registry, "local", 60)
    for number in (7, 3, 0):
        lock(project, "local", number)
    prune(project, "local", 10, yes=False, as_json=False)
    assert tags(registry, "local") == [tag(number) for number in (0, 3, *range(50, 60))]
    assert pulled(repository, digest(0)) == pulled(repository, tag(0)) == manifest(0).content
    freed = f"{48 * BYTES / 1000:.1f} kB"
    assert capsys.readouterr().out == f"{table('web', '12', '2', '48', freed)}48 images deleted\n"


def test_a_second_pruning_deletes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    registry = open_registry(project, load(project.root, "local"))
    push_all(registry, "local", 5)
    lock(project, "local", 0)
    prune(project, "local", 2, yes=False, as_json=False)
    before = tags(registry, "local")
    capsys.readouterr()
    prune(project, "local", 2, yes=False, as_json=False)
    assert tags(registry, "local") == before == [tag(number) for number in (0, 3, 4)]
    assert capsys.readouterr().out == f"{table('web', '3', '1', '0', '0 bytes')}nothing to delete\n"


def test_without_a_lock_the_newest_stay(project: Project) -> None:
    registry = open_registry(project, load(project.root, "local"))
    push_all(registry, "local", 3)
    prune(project, "local", 1, yes=False, as_json=False)
    assert tags(registry, "local") == [tag(2)]


def test_a_script_gets_json(project: Project) -> None:
    registry = open_registry(project, load(project.root, "local"))
    push_all(registry, "local", 3)
    lock(project, "local", 0)
    ended = invoke(project, "prune", "--keep", "1", "--json")
    gone = {"digest": digest(1), "tags": [tag(1)], "bytes": BYTES}
    assert ended.code == 0
    assert json.loads(ended.stdout) == {
        "services": [{"service": "web", "kept": 2, "locked": 1, "deleted": [gone], "bytes": BYTES}],
        "failures": [],
    }
    assert ended.stderr == ""
    assert tags(registry, "local") == [tag(0), tag(2)]


def test_a_repository_that_is_missing_is_reported_with_what_makes_it(project: Project) -> None:
    message = (
        "ECR has no repository `shop-local-web`, which the foundation creates; run `invoke apply"
        " --env local` or"
    )
    assert invoke(project, "prune") == Ended(2, "", f"{message} `invoke deploy --env local`\n")


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("0", "--keep 0: must be 1 or more"),
        ("few", "--keep: cannot use `few`; give a whole number, 0 or more"),
    ],
)
def test_a_number_that_is_none_is_refused(project: Project, keep: str, message: str) -> None:
    assert invoke(project, "prune", "--keep", keep) == Ended(2, "", f"{message}\n")


def test_what_ecr_keeps_is_reported_and_fails(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    push_all(open_registry(project, load(project.root, "local")), "local", 2)
    monkeypatch.setattr(retention, "delete_images", lambda *_: ["shop-local-web one: no (KmsError)"])
    with pytest.raises(ProgramError) as caught:
        prune(project, "local", 1, yes=False, as_json=False)
    assert str(caught.value) == (
        "shop-local-web one: no (KmsError)\n1 not deleted; the others are deleted; `invoke prune --env"
        " local` retries"
    )


@pytest.fixture
def on_aws(project: Project, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry of `tiny`, which is on AWS, with one image too many, without a terminal."""
    started = emulator.start(project.work, port=0)
    for name, value in emulator.environment(started, os.environ).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    front = open_registry(project, load(project.root, "local"))
    push_all(front, "tiny", 3)
    return front


ASKING = "tiny in account 123456789012: 2 images to delete"


@pytest.mark.parametrize(
    ("as_json", "message"),
    [
        (False, f"{ASKING}; there is no terminal to confirm it on: pass --yes"),
        (True, f"{ASKING}; --json does not ask: pass --yes"),
    ],
)
def test_nothing_is_deleted_on_aws_without_a_terminal(
    project: Project,
    on_aws: Registry,
    as_json: bool,  # noqa: FBT001 - a parameter
    message: str,
) -> None:
    with pytest.raises(InputError) as caught:
        prune(project, "tiny", 1, yes=False, as_json=as_json)
    assert str(caught.value) == message
    assert tags(on_aws, "tiny") == [tag(0), tag(1), tag(2)]


@pytest.mark.parametrize("typed", ["yes\n", "tiny\n"])
def test_what_is_to_go_on_aws_is_shown_and_confirmed_by_the_environments_name(
    project: Project,
    on_aws: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    if typed == "tiny\n":
        prune(project, "tiny", 1, yes=False, as_json=False)
    else:
        with pytest.raises(InputError, match=r"^not confirmed; nothing was changed$"):
            prune(project, "tiny", 1, yes=False, as_json=False)
    shown = f"{table('web', '1', '0', '2', f'{2 * BYTES} bytes')}\n{ASKING}. Type tiny to continue: "
    expected = {
        "yes\n": ([tag(0), tag(1), tag(2)], shown),
        "tiny\n": ([tag(2)], f"{shown}2 images deleted\n"),
    }
    assert (tags(on_aws, "tiny"), capsys.readouterr().out) == expected[typed]


def test_a_pipeline_is_not_asked(project: Project, on_aws: Registry) -> None:
    prune(project, "tiny", 1, yes=True, as_json=False)
    assert tags(on_aws, "tiny") == [tag(2)]


def test_without_git_the_way_back_of_what_is_locked_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = small_project.make(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write_lock(project.root, "tiny", {"web": locked(digest(0))})
    with pytest.raises(InputError, match=r"^this checkout is not a Git repository; without its history "):
        prune(project, "tiny", 1, yes=True, as_json=False)
