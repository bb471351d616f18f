"""`invoke images` with real engines and the emulator's registry.

What is built, pushed, pulled back and run.
"""

import base64
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fleetform import emulator
from tests.engines.engines import (
    SERVICES,
    Calls,
    Engine,
    Run,
    Site,
    clone,
    commit_project,
    healthy,
    make_repositories,
    repository,
    site,
)

INTRUDER = """\
import json, sys
import boto3

endpoint, image = sys.argv[1:]
repository, tag = image.split("/")[1].split(":")
session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="ap-northeast-1")
session.client("ecr", endpoint_url=endpoint).put_image(
    repositoryName=repository,
    imageTag=tag,
    imageDigest="sha256:" + 64 * "0",
    imageManifest=json.dumps({"schemaVersion": 2, "layers": []}),
    imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
)
"""
"""Puts an image, given as the engine names it, into ECR."""


@dataclass(frozen=True)
class Built:
    """A clone whose images are built and pushed.

    Attributes:
        site: The clone.
        run: The run that did it.
        registered: What ECR had then: the digest of each tag of each service.
    """

    site: Site
    run: Run
    registered: dict[str, dict[str, str]]


@pytest.fixture(scope="session")
def commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, committed."""
    return commit_project(tmp_path_factory.mktemp("origin") / "project")


@pytest.fixture(scope="module")
def built(engine: Engine, commit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """A clone that tests leave as it is."""
    folder = tmp_path_factory.mktemp("built")
    with site(clone(commit, folder / "project"), engine, folder / "bench") as made:
        run = made.images()
        assert run.code == 0, run.output
        yield Built(made, run, made.registered())


@pytest.fixture
def colleague(built: Built, commit: Path, tmp_path: Path) -> Site:
    """Another clone of the same commit, without the lock, with the same AWS."""
    root = clone(commit, tmp_path / "project")
    (root / ".fleetform").mkdir()
    shutil.copy(built.site.root / ".fleetform" / "emulator.json", root / ".fleetform")
    return replace(built.site, root=root)


@pytest.fixture
def fresh(engine: Engine, commit: Path, tmp_path: Path) -> Iterator[Site]:
    """A clone with an AWS of its own."""
    with site(clone(commit, tmp_path / "project"), engine, tmp_path / "bench") as made:
        yield made


def digests(site: Site) -> dict[str, str]:
    """The digest that is locked for each service."""
    return {service: image.digest for service, image in site.lock().items()}


def test_each_image_is_built_and_pushed_once_with_one_login(built: Built) -> None:
    assert built.run.calls == Calls(build=3, push=3, login=1)


def test_ecr_has_exactly_what_is_locked(built: Built) -> None:
    lock = built.site.lock()
    assert tuple(sorted(lock)) == SERVICES
    assert built.registered == {service: {image.tag: image.digest} for service, image in lock.items()}


def test_each_image_has_its_own_sbom_that_names_python(built: Built) -> None:
    expected = {name: {f"{built.site.emulator.registry}/{repository(name)}", "python"} for name in SERVICES}
    assert {name: built.site.packages(name) & expected[name] for name in SERVICES} == expected


def test_what_is_locked_can_be_pulled_by_its_digest_and_answers(built: Built, tmp_path: Path) -> None:
    with built.site.running("stock", built.site.pull("stock", tmp_path)) as url:
        assert healthy(url)


def test_a_second_run_does_nothing_in_seconds(built: Built) -> None:
    before = built.site.lock()
    run = built.site.images()
    assert (run.code, run.calls, built.site.lock()) == (0, Calls(0, 0, 0), before), run.output
    assert run.processor_seconds < 3


def test_another_clone_of_the_commit_finds_the_images_and_locks_the_same(
    built: Built, colleague: Site
) -> None:
    run = colleague.images()
    assert (run.code, run.calls, digests(colleague)) == (0, Calls(0, 0, 0), digests(built.site)), run.output


def test_a_changed_file_makes_one_new_image(built: Built, colleague: Site) -> None:
    with (colleague.root / "containers" / "stock" / "service.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    run = colleague.images()
    assert (run.code, run.calls) == (0, Calls(build=1, push=1, login=1)), run.output
    before, after = digests(built.site), digests(colleague)
    assert [service for service in SERVICES if before[service] != after[service]] == ["stock"]
    assert colleague.registered()["stock"].items() >= {(colleague.lock()["stock"].tag, after["stock"])}


@pytest.mark.parametrize("engine", ["buildah"], indirect=True)
def test_builds_of_one_commit_in_two_clones_have_one_digest(built: Built, fresh: Site) -> None:
    """Docker before BuildKit writes the time of the build into the image."""
    run = fresh.images("stock")
    assert (run.code, run.calls.build) == (0, 1), run.output
    assert digests(fresh)["stock"] == digests(built.site)["stock"]


def test_the_token_is_in_no_argument_and_in_no_file(built: Built) -> None:
    (data,) = built.site.ecr.get_authorization_token()["authorizationData"]
    secrets = (
        data["authorizationToken"].encode(),
        base64.b64decode(data["authorizationToken"]).partition(b":")[2],
    )
    files = [
        file for folder in (built.site.bench, built.site.root) for file in folder.rglob("*") if file.is_file()
    ]
    assert built.site.bench / "arguments" in files
    assert [file for file in files if any(secret in file.read_bytes() for secret in secrets)] == []


def test_a_token_that_the_registry_refuses_stops_before_anything_is_built(fresh: Site) -> None:
    (fresh.bench / "token").write_text("old", encoding="utf-8")
    with fresh.before("login", f"exec <{fresh.bench}/token"):
        run = fresh.images("stock")
    assert (run.code, run.calls, fresh.lock()) == (3, Calls(build=0, push=0, login=1), {}), run.output
    assert run.complaint == (
        f"{fresh.emulator.registry}: login failed: "
        "the registry refused the login; check that the AWS credentials may push to ECR"
    )


@pytest.mark.parametrize("engine", ["buildah"], indirect=True)
def test_a_registry_that_goes_away_half_way_is_reported_and_the_next_run_completes(fresh: Site) -> None:
    """Docker would go on trying for a minute."""
    uploads = fresh.root / ".fleetform" / "registry" / "uploads"
    waiting = f"until find {uploads} -size +0 | grep -q .; do kill -0 $$ || exit; done"
    with fresh.before("push", f"( {waiting}; kill -9 {fresh.emulator.pid} ) >/dev/null 2>&1 &"):
        run = fresh.images("stock")
    assert (run.code, run.calls, fresh.lock()) == (3, Calls(build=1, push=1, login=1), {}), run.output
    assert run.complaint == (
        "stock: push failed: "
        "the connection to the registry failed; run the command again, which skips what is already pushed"
    )

    again = replace(fresh, emulator=emulator.start(fresh.root / ".fleetform", port=0))
    make_repositories(again)
    run = again.images("stock")
    assert run.code == 0, run.output
    assert again.registered()["stock"] == {again.lock()["stock"].tag: again.lock()["stock"].digest}


def test_a_tag_that_another_run_pushes_meanwhile_is_left_alone(fresh: Site) -> None:
    (fresh.bench / "intruder.py").write_text(INTRUDER, encoding="utf-8")
    image = '$(for word in "$@"; do :; done; echo "$word")'
    with fresh.before("push", f"{sys.executable} {fresh.bench}/intruder.py {fresh.emulator.url} {image}"):
        run = fresh.images("stock")
    assert (run.code, run.calls, fresh.lock()) == (3, Calls(build=1, push=1, login=1), {}), run.output
    assert run.complaint == (
        "stock: push failed: "
        "someone pushed this tag a moment ago, and tags are immutable; run the command again to use that"
        " image"
    )
    assert list(fresh.registered()["stock"].values()) == ["sha256:" + 64 * "0"]
