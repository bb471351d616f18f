"""`invoke deploy` from nothing: what runs is what was built from a commit, and going back is a commit too."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleetform import emulator
from fleetform.aws import Access
from fleetform.catalog.images_lock import load_lock
from tests.commits import git
from tests.engines.engines import SERVICES, Engine, commit_project, repository

if not os.environ.get("CI"):
    pytest.skip("real engines take minutes and are left to CI: .ci/run", allow_module_level=True)


@dataclass(frozen=True)
class Account:
    """A clone, and the account that it deploys to.

    Attributes:
        root: The clone.
        engine: What builds.
    """

    root: Path
    engine: Engine

    def invoke(self, *arguments: str) -> str:
        """Runs a task, which has to succeed, and returns what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *arguments],
            cwd=self.root,
            env={**os.environ, **self.engine.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
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
            definition = ecs.describe_task_definition(taskDefinition=running["taskDefinition"])["taskDefinition"]
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


@pytest.fixture
def account(buildah: Engine, tmp_path: Path) -> Iterator[Account]:
    """A clone with an empty account."""
    account = Account(commit_project(tmp_path / "project"), buildah)
    yield account
    emulator.stop(account.root / ".fleetform")


def test_three_deployments_are_traced_from_commit_to_task_definition(account: Account) -> None:
    """First all of it, then a change of `orders`, then back: each time the API names the digests that are locked."""
    first_commit = git(account.root, "rev-parse", "HEAD")
    output = account.invoke("deploy", "--yes", "--engine=buildah")
    first = account.locked()
    assert ":unbuilt" not in output
    assert account.deployed() == first
    assert {service: account.registered(service) for service in SERVICES} == {
        service: {digest} for service, digest in first.items()
    }
    assert {image.commit for image in load_lock(account.root, "local").values()} == {first_commit}
    account.commit("Deploy")

    with (account.root / "containers/orders/service.py").open("a", encoding="utf-8") as file:
        file.write("# another content\n")
    change = account.commit("Change orders")
    account.invoke("deploy", "--yes", "--engine=buildah")
    second = account.locked()
    assert account.deployed() == second
    assert second == {**first, "orders": second["orders"]}
    assert second["orders"] != first["orders"]
    assert load_lock(account.root, "local")["orders"].commit == change
    assert account.registered("orders") == {first["orders"], second["orders"]}
    account.commit("Deploy the change")

    account.invoke("rollback", "--env=local", "orders")
    assert account.locked() == first
    account.invoke("apply", "--yes")
    assert account.deployed() == first
    assert load_lock(account.root, "local")["orders"].commit == first_commit
