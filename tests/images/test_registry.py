"""What is asked of ECR, and what its answers mean; against Moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from fleetform.base.errors import InputError, ProgramError
from fleetform.images.registry import Registry

ACCOUNT = "123456789012"
MANIFEST = '{"mediaType": "application/vnd.oci.image.manifest.v1+json", "schemaVersion": 2}'
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """boto3's client of an ECR that has one repository."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("ecr", region_name="eu-west-1")
        client.create_repository(repositoryName="shop-dev-web")
        yield client


def test_the_credentials_are_those_of_the_accounts_registry(ecr: Any) -> None:  # noqa: ANN401
    credentials = Registry(ecr, ACCOUNT, "dev").credentials()
    assert credentials.user == "AWS"
    assert credentials.password == f"{ACCOUNT}-auth-token"
    assert credentials.host == f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"


def test_a_front_takes_the_place_of_the_registrys_host(ecr: Any) -> None:  # noqa: ANN401
    assert Registry(ecr, ACCOUNT, "local", "127.0.0.1:5566").credentials().host == "127.0.0.1:5566"


def test_the_registry_of_another_account_is_refused(ecr: Any) -> None:  # noqa: ANN401
    with pytest.raises(ProgramError) as caught:
        Registry(ecr, "210987654321", "dev").credentials()
    assert str(caught.value) == (
        f"the AWS credentials are for the registry {ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com;"
        " use credentials of account 210987654321"
    )


def test_a_tag_that_is_there_has_a_digest(ecr: Any) -> None:  # noqa: ANN401
    image = {"imageManifest": MANIFEST, "imageTag": "one", "imageDigest": DIGEST}
    ecr.put_image(repositoryName="shop-dev-web", **image)
    assert [Registry(ecr, ACCOUNT, "dev").find("shop-dev-web", tag) for tag in ("one", "two")] == [
        DIGEST,
        None,
    ]


def test_a_repository_that_is_missing_is_reported_with_what_makes_it(ecr: Any) -> None:  # noqa: ANN401
    with pytest.raises(InputError) as caught:
        Registry(ecr, ACCOUNT, "dev").find("shop-dev-stock", "one")
    assert str(caught.value) == (
        "ECR has no repository `shop-dev-stock`, which the foundation creates; run `invoke apply --env dev`"
        " or"
        " `invoke deploy --env dev`"
    )


def test_missing_credentials_are_reported() -> None:
    class Client:
        def get_authorization_token(self) -> None:
            raise NoCredentialsError

    with pytest.raises(ProgramError) as caught:
        Registry(Client(), ACCOUNT, "dev").credentials()
    assert str(caught.value) == "Unable to locate credentials; check the AWS credentials"
