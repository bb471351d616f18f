"""The state bucket."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError
from fleetform.terraform.state.bucket import BucketSpec, ensure_bucket, tls_only

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab"

SETTINGS = (
    "bucket",
    "public access blocked",
    "owner of all objects",
    "versions",
    "encryption",
    "old versions for 365 days",
    "tags",
)
RIGHT = dict.fromkeys(SETTINGS, "right")

EXPIRY = {
    "ID": "old-versions",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "Expiration": {"ExpiredObjectDeleteMarker": True},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 365},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}

DESIRED: dict[str, Any] = {
    "region": "eu-central-1",
    "public access": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "ownership": [{"ObjectOwnership": "BucketOwnerEnforced"}],
    "versioning": "Enabled",
    "encryption": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    ],
    "old versions": [EXPIRY],
    "tags": [{"Key": "application", "Value": "shop"}, {"Key": "environment", "Value": "dev"}],
}


@pytest.fixture(scope="module")
def access(terraform_environment: Mapping[str, str]) -> Access:
    return Access("eu-central-1", terraform_environment)


@pytest.fixture
def spec() -> BucketSpec:
    """A bucket of a name that no other test has."""
    name = f"shop-dev-tfstate-{uuid4().hex[:12]}"
    return BucketSpec(name, "123456789012", tags={"environment": "dev", "application": "shop"})


def settings(access: Access, bucket: str) -> dict[str, Any]:
    """Return the settings of a bucket, read through the API."""
    s3 = access.client("s3")
    return {
        "region": s3.get_bucket_location(Bucket=bucket)["LocationConstraint"],
        "public access": s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        "ownership": s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"],
        "versioning": s3.get_bucket_versioning(Bucket=bucket)["Status"],
        "encryption": s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"],
        "old versions": s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        "tags": s3.get_bucket_tagging(Bucket=bucket)["TagSet"],
    }


def create(access: Access, bucket: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    s3 = access.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return s3


def test_a_missing_bucket_is_created_private_versioned_and_encrypted(
    access: Access, spec: BucketSpec
) -> None:
    assert ensure_bucket(access, spec) == dict.fromkeys(SETTINGS, "made")
    assert settings(access, spec.name) == DESIRED


def test_an_existing_bucket_is_updated(access: Access, spec: BucketSpec) -> None:
    create(access, spec.name)
    assert ensure_bucket(access, spec) == {**dict.fromkeys(SETTINGS, "changed"), "bucket": "right"}
    assert settings(access, spec.name) == DESIRED


def test_a_second_run_changes_nothing(access: Access, spec: BucketSpec) -> None:
    ensure_bucket(access, spec)
    assert ensure_bucket(access, spec) == RIGHT
    assert settings(access, spec.name) == DESIRED


def test_only_a_wrong_setting_is_changed(access: Access, spec: BucketSpec) -> None:
    ensure_bucket(access, spec)
    suspended = {"Status": "Suspended"}
    access.client("s3").put_bucket_versioning(Bucket=spec.name, VersioningConfiguration=suspended)
    assert ensure_bucket(access, spec) == {**RIGHT, "versions": "changed"}
    assert settings(access, spec.name) == DESIRED


def test_a_bucket_is_encrypted_with_the_kms_key(access: Access, spec: BucketSpec) -> None:
    ensure_bucket(access, spec)
    keyed = BucketSpec(spec.name, spec.account, KEY, spec.tags)
    assert [ensure_bucket(access, keyed) for _ in range(2)] == [{**RIGHT, "encryption": "changed"}, RIGHT]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    encryption = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    assert settings(access, spec.name) == {**DESIRED, "encryption": encryption}


def test_other_rules_and_tags_are_kept(access: Access, spec: BucketSpec) -> None:
    s3 = create(access, spec.name)
    theirs = {
        "ID": "reports",
        "Status": "Enabled",
        "Filter": {"Prefix": "reports/"},
        "Expiration": {"Days": 30},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=spec.name, LifecycleConfiguration={"Rules": [theirs]})
    tag = {"Key": "owner", "Value": "ops"}
    s3.put_bucket_tagging(Bucket=spec.name, Tagging={"TagSet": [tag]})
    ensure_bucket(access, spec)
    found = settings(access, spec.name)
    tags = [*DESIRED["tags"], tag]
    assert found["old versions"] == [theirs, EXPIRY]
    assert found["tags"] == tags


def test_a_bucket_is_created_in_us_east_1(terraform_environment: Mapping[str, str], spec: BucketSpec) -> None:
    access = Access("us-east-1", terraform_environment)
    ensure_bucket(access, spec)
    assert ensure_bucket(access, spec) == RIGHT
    assert settings(access, spec.name) == {**DESIRED, "region": None}


def test_a_bucket_in_a_different_region_is_an_error(
    access: Access, terraform_environment: Mapping[str, str], spec: BucketSpec
) -> None:
    create(access, spec.name)
    with pytest.raises(ProgramError) as caught:
        ensure_bucket(Access("us-east-1", terraform_environment), spec)
    assert str(caught.value) == (
        f"state bucket {spec.name} is in eu-central-1, but the catalog's `region` is us-east-1; fix"
        " `region`, or"
        " choose another `state: bucket:`"
    )


DENIED = {
    "Sid": "DenyWithoutTls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::shop-dev", "arn:aws:s3:::shop-dev/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def test_requests_without_tls_are_denied() -> None:
    assert tls_only(None, "shop-dev") == {"Version": "2012-10-17", "Statement": [DENIED]}


def test_other_statements_are_kept_and_ours_is_fixed_in_place() -> None:
    theirs = {"Sid": "Theirs", "Effect": "Allow"}
    found = {"Version": "2008-10-17", "Statement": [{**DENIED, "Effect": "Allow"}, theirs]}
    assert tls_only(found, "shop-dev") == {"Version": "2008-10-17", "Statement": [DENIED, theirs]}
    assert tls_only({**found, "Statement": [theirs]}, "shop-dev")["Statement"] == [theirs, DENIED]


def test_the_policy_does_not_change_when_it_is_set_again() -> None:
    policy = tls_only(None, "shop-dev", "aws-cn")
    assert tls_only(json.loads(json.dumps(policy)), "shop-dev", "aws-cn") == policy
