"""boto3 clients."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError

AWS = {"AWS_ACCESS_KEY_ID": "ours", "AWS_SECRET_ACCESS_KEY": "test"}
VARIABLES = {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


def test_a_client_has_the_region_the_endpoint_and_the_credentials_of_its_access(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of the process itself may belong to a different account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "theirs")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    client = Access("eu-central-1", VARIABLES).client("ec2")
    key = client._request_signer._credentials.access_key  # noqa: SLF001 - boto3 shows it nowhere else
    assert client.meta.region_name == "eu-central-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert key == "ours"


def test_the_environment_of_the_process_may_be_that_of_the_access(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = Access("eu-central-1", os.environ).client("ec2")
    assert client._request_signer._credentials.access_key == "ours"  # noqa: SLF001


def test_an_access_without_an_endpoint_calls_aws() -> None:
    client = Access("eu-central-1", AWS).client("ecs")
    assert client.meta.endpoint_url == "https://ecs.eu-central-1.amazonaws.com"


def test_host_prefixes_are_only_added_to_hosts_of_aws() -> None:
    clients = [Access("eu-central-1", variables).client("servicediscovery") for variables in (AWS, VARIABLES)]
    assert [client.meta.config.inject_host_prefix for client in clients] == [True, False]


def test_the_environment_of_the_process_is_unchanged() -> None:
    before = dict(os.environ)
    Access("eu-central-1", VARIABLES).client("s3")
    assert dict(os.environ) == before


def test_the_environment_of_the_process_is_unchanged_after_a_failure() -> None:
    before = dict(os.environ)
    with pytest.raises(Exception, match=r"^Unknown service: 'none'"):
        Access("eu-central-1", VARIABLES).client("none")
    assert dict(os.environ) == before


def test_clients_can_be_created_in_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that were created at the same time would leave variables behind."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "theirs")
    before = dict(os.environ)

    def key(number: int) -> str:
        client = Access("eu-central-1", {**AWS, "AWS_ACCESS_KEY_ID": str(number)}).client("sts")
        return str(client._request_signer._credentials.access_key)  # noqa: SLF001

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(key, range(8))) == list(map(str, range(8)))
    assert dict(os.environ) == before


ROLE = "arn:aws:iam::123456789012:role/deploy"


def test_a_client_assumes_the_role_of_its_access(terraform_environment: Mapping[str, str]) -> None:
    sts = Access("eu-central-1", terraform_environment, ROLE).client("sts")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:sts::123456789012:assumed-role/deploy/fleetform"


def test_a_role_that_cannot_be_assumed_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ProgramError) as caught:
        Access("eu-central-1", {**VARIABLES, "AWS_MAX_ATTEMPTS": "1"}, ROLE).client("s3")
    assert str(caught.value) == (
        'Could not connect to the endpoint URL: "http://127.0.0.1:9/"; check that your credentials may'
        f" assume {ROLE}"
    )
