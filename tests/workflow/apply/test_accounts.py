"""Whose AWS account we are in, before anything is done there."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.workflow.apply.accounts import require_account
from fleetform.workflow.workspace import Workspace, open_workspace
from tests import small_project

SILENT = {"AWS_MAX_ATTEMPTS": "1", "AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
"""Nobody's credentials."""


@pytest.fixture
def workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terraform_environment: Mapping[str, str]
) -> Workspace:
    """The environment `tiny`, of the account and region that the emulator has."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in terraform_environment.items():
        monkeypatch.setenv(name, value)
    return open_workspace(small_project.make(tmp_path), "tiny")


def with_variables(workspace: Workspace, **variables: str) -> Workspace:
    return replace(workspace, variables={**workspace.variables, **variables})


def test_the_account_of_the_catalog_is_right(workspace: Workspace) -> None:
    require_account(workspace)
    require_account(with_variables(workspace, AWS_REGION="eu-central-1", AWS_DEFAULT_REGION="eu-central-1"))


def test_another_account_is_refused(workspace: Workspace) -> None:
    other = replace(
        workspace, environment=workspace.environment.model_copy(update={"account": "210987654321"})
    )
    with pytest.raises(CheckFailedError) as caught:
        require_account(other)
    assert str(caught.value) == (
        "tiny is in account 210987654321 (envs/catalog.yaml:2:10), but the AWS credentials are for"
        " 123456789012"
        " (arn:aws:sts::123456789012:user/moto); choose others with AWS_PROFILE, or fix `account`"
    )


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_another_region_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        require_account(with_variables(workspace, **{name: "us-east-1"}))
    assert str(caught.value) == (
        "tiny is in eu-central-1 (envs/catalog.yaml:3:9), but the process environment has us-east-1; unset"
        " AWS_REGION"
        " and AWS_DEFAULT_REGION, or fix `region`"
    )


def test_the_assumed_role_counts(workspace: Workspace) -> None:
    changed = {"account": "210987654321", "role": "arn:aws:iam::123456789012:role/deploy"}
    with pytest.raises(
        CheckFailedError, match=r" 123456789012 \(arn:aws:sts::123456789012:assumed-role/deploy/fleetform\);"
    ):
        require_account(replace(workspace, environment=workspace.environment.model_copy(update=changed)))


def test_without_credentials_the_remedy_is_shown(workspace: Workspace) -> None:
    with pytest.raises(ProgramError) as caught:
        require_account(replace(workspace, variables=SILENT))
    assert str(caught.value) == (
        "no AWS credentials found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign"
        " in with"
        " `aws sso login`\ncannot look up the account of the AWS credentials: Unable to locate credentials"
    )
