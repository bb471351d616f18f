"""An environment from nothing to nothing.

What runs is what was built from a commit, and going back is one too.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleetform import emulator
from fleetform.aws.clients import Access
from fleetform.catalog.images_lock import load_lock
from tests.commits import git
from tests.engines.engines import SERVICES, Engine, commit_project, repository


@dataclass(frozen=True)
class Account:
    """A clone, and the account that it deploys to.

    Attributes:
        root: The clone.
        engine: What builds.
    """

    root: Path
    engine: Engine

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a task."""
        return subprocess.run(
            [sys.executable, "-m", "invoke", *arguments],
            cwd=self.root,
            env={**os.environ, **self.engine.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def invoke(self, *arguments: str) -> str:
        """What a task prints that has to succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A client of the account's API."""
        running = emulator.status(self.root / ".fleetform")
        assert running
        return Access("ap-northeast-1", emulator.environment(running, os.environ)).client(service)

    def deployed(self) -> dict[str, str]:
        """The digest that each running service's task definition names."""
        ecs, found = self.client("ecs"), {}
        for service in SERVICES:
            name = f"shop-local-{service}"
            (running,) = ecs.describe_services(cluster="shop-local", services=[name])["services"]
            definition = ecs.describe_task_definition(taskDefinition=running["taskDefinition"])[
                "taskDefinition"
            ]
            (container,) = definition["containerDefinitions"]
            host, _, digest = container["image"].partition("@")
            assert host == f"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/{repository(service)}"
            found[service] = digest
        return found

    def registered(self, service: str) -> set[str]:
        """The digests of the images in a service's repository; an SBOM has no tag."""
        details = self.client("ecr").describe_images(repositoryName=repository(service))["imageDetails"]
        return {detail["imageDigest"] for detail in details if detail.get("imageTags")}

    def locked(self) -> dict[str, str]:
        """The digest that is locked for each service."""
        return {service: image.digest for service, image in load_lock(self.root, "local").items()}

    def commit(self, message: str) -> str:
        """Commits all that has changed; the commit's name."""
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", f"--message={message}")
        return git(self.root, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Stage:
    """What is there after a step of the story.

    Attributes:
        commit: What was checked out before it.
        output: What the step printed.
        locked: The digest that is locked for each service.
        commits: The commit that each locked image was built from.
        deployed: The digest that each running service's task definition names.
        registered: The digests that each service's repository has.
    """

    commit: str
    output: str
    locked: dict[str, str]
    commits: dict[str, str | None]
    deployed: dict[str, str]
    registered: dict[str, set[str]]


@dataclass(frozen=True)
class Story:
    """An environment from nothing to nothing.

    Attributes:
        first: All of it is deployed.
        drift: What `drift` printed after `orders` was scaled by hand.
        second: A change of `orders` is deployed.
        back: `orders` is rolled back and applied.
        destroyed: What `destroy` printed.
        left: What ECS and ECR have after it.
    """

    first: Stage
    drift: subprocess.CompletedProcess[str]
    second: Stage
    back: Stage
    destroyed: str
    left: list[str]


def stage(account: Account, commit: str, output: str) -> Stage:
    """What is there now."""
    return Stage(
        commit=commit,
        output=output,
        locked=account.locked(),
        commits={service: image.commit for service, image in load_lock(account.root, "local").items()},
        deployed=account.deployed(),
        registered={service: account.registered(service) for service in SERVICES},
    )


@pytest.fixture(scope="module")
def story(buildah: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Told once: it takes Terraform minutes."""
    account = Account(commit_project(tmp_path_factory.mktemp("deployment") / "project"), buildah)
    try:
        deploy = ("deploy", "--yes", "--engine=buildah")
        first = stage(account, git(account.root, "rev-parse", "HEAD"), account.invoke(*deploy))
        account.commit("Deploy")

        ecs = account.client("ecs")
        ecs.update_service(cluster="shop-local", service="shop-local-orders", desiredCount=3)
        drift = account.run("drift")

        with (account.root / "containers/orders/service.py").open("a", encoding="utf-8") as file:
            file.write("# another content\n")
        second = stage(account, account.commit("Change orders"), account.invoke(*deploy))
        rolled_back = account.commit("Deploy the change")

        account.invoke("rollback", "--env=local", "orders")
        back = stage(account, rolled_back, account.invoke("apply", "--yes"))

        destroyed = account.invoke("destroy", "--yes")
        left = (
            ecs.list_clusters()["clusterArns"] + account.client("ecr").describe_repositories()["repositories"]
        )
        yield Story(first, drift, second, back, destroyed, left)
    finally:
        emulator.stop(account.root / ".fleetform")


def timeless(output: str) -> list[str]:
    """Lines without the seconds at their ends."""
    return [re.sub(r" \(\d+ s\)$", "", line) for line in output.splitlines()]


def test_what_runs_is_what_is_locked_and_was_built_from_the_commit(story: Story) -> None:
    first = story.first
    assert ":unbuilt" not in first.output
    assert first.deployed == first.locked
    assert first.registered == {service: {digest} for service, digest in first.locked.items()}
    assert set(first.commits.values()) == {first.commit}


def test_a_manual_change_is_drift(story: Story) -> None:
    assert story.drift.returncode == 1
    *reported, address, difference, verdict = story.drift.stdout.splitlines()
    assert reported == [
        "",
        "stack       changed outside  not applied yet",
        "foundation                0                0",
        "services                  1                0",
        "",
        "services: changed outside",
    ]
    assert address.endswith('aws_ecs_service.fixed["this"]: changed in place')
    assert difference.strip() == "desired_count: 3 -> 2"
    assert verdict == (
        "differs from the catalog: services; `invoke plan --env local` shows the plans,"
        " `invoke apply --env local` fixes it"
    )


def test_the_next_deployment_fixes_drift(story: Story) -> None:
    """At its end, it verifies the running environment against the catalog."""
    assert re.search(r"^orders +\S+ \(sha256:\w+\) +2/2$", story.second.output, re.MULTILINE)
    assert "✓ Verify through the AWS API: 61 of 61 facts match the catalog" in story.second.output


def test_a_change_of_one_service_deploys_one_new_image(story: Story) -> None:
    first, second = story.first, story.second
    assert second.deployed == second.locked == {**first.locked, "orders": second.locked["orders"]}
    assert second.locked["orders"] != first.locked["orders"]
    assert second.commits == {**first.commits, "orders": second.commit}
    assert second.registered["orders"] == {first.locked["orders"], second.locked["orders"]}


def test_a_rollback_runs_what_ran_before(story: Story) -> None:
    first, back = story.first, story.back
    assert back.locked == first.locked
    assert back.deployed == first.locked
    assert back.commits == first.commits


def test_destroy_leaves_nothing_not_even_images(story: Story) -> None:
    """Each image has an SBOM in the repository."""
    lines = timeless(story.destroyed)
    assert [line for line in lines if line.endswith(" images deleted")] == [
        "shop-local-orders: 4 images deleted",
        "shop-local-stock: 2 images deleted",
        "shop-local-web: 2 images deleted",
    ]
    assert "foundation: destroy: 0 added, 0 changed, 39 destroyed" in lines
    assert lines[-1] == "next: `invoke apply --env local` creates local again"
    assert story.left == []
