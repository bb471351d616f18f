"""A key that is set later encrypts what is created from then on, and replaces nothing that exists."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleetform.base.processes import read
from fleetform.terraform.commands import Terraform

KEY = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"
MODULE = """
provider "aws" {{
  region                      = "ap-northeast-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}}

module "registry" {{
  source = "{modules}/registry"

  name         = "{name}"
  kms_key_arn  = {key}
  repositories = {repositories}
}}
"""

Plan = Callable[[str, list[str]], dict[str, Any]]


@pytest.fixture(scope="module")
def applied(
    root: Path,
    tmp_path_factory: pytest.TempPathFactory,
    terraform_binary: str,
    terraform_environment: Mapping[str, str],
) -> Plan:
    """A registry that was applied without a key; plans it with another key or other repositories."""
    folder = tmp_path_factory.mktemp("registry")
    terraform = Terraform(terraform_binary, folder)

    def write(key: str, repositories: list[str]) -> None:
        text = MODULE.format(
            modules=root / "modules", name=folder.name, key=key, repositories=json.dumps(repositories)
        )
        (folder / "main.tf").write_text(text, "utf-8")

    def plan(key: str, repositories: list[str]) -> dict[str, Any]:
        write(key, repositories)
        subprocess.run(
            terraform.plan(folder / "plan"), env=terraform_environment, check=False, capture_output=True
        )
        shown: dict[str, Any] = json.loads(read(terraform.show(folder / "plan"), terraform_environment))
        return {
            each["address"]: each["change"]
            for each in shown["resource_changes"]
            if each["type"] == "aws_ecr_repository"
        }

    write("null", ["web"])
    read(terraform.init(backend=False), terraform_environment)
    plan("null", ["web"])
    read(terraform.apply(folder / "plan"), terraform_environment)
    return plan


def test_a_key_that_is_set_later_leaves_repositories_as_they_are(applied: Plan) -> None:
    (change,) = applied(f'"{KEY}"', ["web"]).values()
    assert change["actions"] == ["no-op"]


def test_a_repository_that_is_added_later_has_the_key(applied: Plan) -> None:
    changes = applied(f'"{KEY}"', ["orders", "web"])
    new = changes['module.registry.aws_ecr_repository.this["orders"]']
    assert new["actions"] == ["create"]
    assert new["after"]["encryption_configuration"] == [{"encryption_type": "KMS", "kms_key": KEY}]
