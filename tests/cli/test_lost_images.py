"""An apply deletes images only of repositories that are named, whatever else it may do without asking."""

import io
import json
from collections.abc import Iterator, Mapping

import pytest

from fleetform.aws.clients import Access
from fleetform.base.errors import InputError
from fleetform.cli import stacks
from fleetform.terraform.plan.models import Change
from fleetform.workflow.apply.driver import RunOptions
from fleetform.workflow.project import Project
from tests.fake_terraform import FakeTerraform
from tests.images.registries import layers_of, manifest_of

REPOSITORY = "shop-tiny-web"
ADDRESS = 'module.registry.aws_ecr_repository.this["web"]'
TEXT = f"""Terraform will perform the following actions:

  # {ADDRESS} must be replaced
-/+ resource "aws_ecr_repository" "this" {{
      ~ name = "shop-tiny-web" -> "shop-tiny-site" # forces replacement
    }}
"""
REFUSAL = (
    f"{REPOSITORY}: 1 image would be deleted with the repository\n"
    "nothing was applied; if you want to lose them, pass `--delete-images web`"
)


class Terminal(io.StringIO):
    """What a user types."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


@pytest.fixture
def project(
    tiny_project: Project, fake_terraform: FakeTerraform, terraform_environment: Mapping[str, str]
) -> Iterator[Project]:
    """A project whose foundation would replace a repository that has an image."""
    change = {"actions": ["delete", "create"], "replace_paths": [["name"]], "before": {}, "after": {}}
    entry = {"address": ADDRESS, "type": "aws_ecr_repository", "mode": "managed", "change": change}
    fake_terraform.plan(add=1, destroy=1, text=TEXT, stack="foundation")
    fake_terraform.show(json.dumps({"resource_changes": [entry]}), stack="foundation")
    ecr = Access("eu-central-1", terraform_environment).client("ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    ecr.put_image(
        repositoryName=REPOSITORY,
        imageTag="one",
        imageManifest=manifest_of(*layers_of("web")).content.decode(),
    )
    yield tiny_project
    ecr.delete_repository(repositoryName=REPOSITORY, force=True)


def images(terraform_environment: Mapping[str, str]) -> int:
    ecr = Access("eu-central-1", terraform_environment).client("ecr")
    return len(ecr.list_images(repositoryName=REPOSITORY)["imageIds"])


def test_images_are_not_deleted_without_their_names(
    project: Project, fake_terraform: FakeTerraform, terraform_environment: Mapping[str, str]
) -> None:
    with pytest.raises(InputError) as caught:
        stacks.apply(project, "tiny", RunOptions(yes=True, delete_images=frozenset({"orders"})))
    assert str(caught.value) == REFUSAL
    assert fake_terraform.applied() == []
    assert images(terraform_environment) == 1


def test_the_name_of_the_environment_is_not_enough(
    project: Project, monkeypatch: pytest.MonkeyPatch, terraform_environment: Mapping[str, str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("tiny\n"))
    with pytest.raises(InputError) as caught:
        stacks.apply(project, "tiny")
    assert str(caught.value) == REFUSAL
    assert images(terraform_environment) == 1


@pytest.mark.parametrize("name", ["web", REPOSITORY])
def test_images_are_deleted_where_their_service_or_repository_is_named(
    project: Project, fake_terraform: FakeTerraform, terraform_environment: Mapping[str, str], name: str
) -> None:
    stacks.apply(project, "tiny", RunOptions(yes=True, delete_images=frozenset({name})))
    assert fake_terraform.applied() == ["foundation"]
    assert images(terraform_environment) == 0


def test_an_empty_repository_needs_no_name(
    project: Project, fake_terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def empty(_workspace: object, _changes: tuple[Change, ...]) -> dict[str, int]:
        return {}

    monkeypatch.setattr("fleetform.workflow.images.pruning.images_to_delete", empty)
    stacks.apply(project, "tiny", RunOptions(yes=True))
    assert fake_terraform.applied() == ["foundation"]
