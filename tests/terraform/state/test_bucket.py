"""The bucket that holds the state."""

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

SOUND: dict[str, Any] = {
    "region": "eu-central-1",
    "public access": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "ownership": [{"ObjectOwnership": "BucketOwnerEnforced"}],
    "versioning": "Enabled",
    "encryption": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}],
    "old versions": [EXPIRY],
    "tags": [{"Key": "application", "Value": "shop"}, {"Key": "environment", "Value": "dev"}],
}


@pytest.fixture(scope="module")
def access(terraform_environment: Mapping[str, str]) -> Access:
    return Access("eu-central-1", terraform_environment)


@pytest.fixture
def wanted() -> BucketSpec:
    """A bucket of a name that no other test has."""
    name = f"shop-dev-tfstate-{uuid4().hex[:12]}"
    return BucketSpec(name, "123456789012", tags={"environment": "dev", "application": "shop"})


def facts(access: Access, bucket: str) -> dict[str, Any]:
    """All that the API says of a bucket."""
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


def test_a_missing_bucket_is_made_closed_versioned_and_encrypted(access: Access, wanted: BucketSpec) -> None:
    assert ensure_bucket(access, wanted) == dict.fromkeys(SETTINGS, "made")
    assert facts(access, wanted.name) == SOUND


def test_a_bucket_that_is_there_is_brought_up_to_date(access: Access, wanted: BucketSpec) -> None:
    create(access, wanted.name)
    assert ensure_bucket(access, wanted) == {**dict.fromkeys(SETTINGS, "changed"), "bucket": "right"}
    assert facts(access, wanted.name) == SOUND


def test_a_second_time_finds_all_right(access: Access, wanted: BucketSpec) -> None:
    ensure_bucket(access, wanted)
    assert ensure_bucket(access, wanted) == RIGHT
    assert facts(access, wanted.name) == SOUND


def test_one_thing_that_is_wrong_is_changed(access: Access, wanted: BucketSpec) -> None:
    ensure_bucket(access, wanted)
    suspended = {"Status": "Suspended"}
    access.client("s3").put_bucket_versioning(Bucket=wanted.name, VersioningConfiguration=suspended)
    assert ensure_bucket(access, wanted) == {**RIGHT, "versions": "changed"}
    assert facts(access, wanted.name) == SOUND


def test_with_a_key_the_bucket_is_encrypted_with_it(access: Access, wanted: BucketSpec) -> None:
    ensure_bucket(access, wanted)
    keyed = BucketSpec(wanted.name, wanted.account, KEY, wanted.tags)
    assert [ensure_bucket(access, keyed) for _ in range(2)] == [{**RIGHT, "encryption": "changed"}, RIGHT]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    encryption = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    assert facts(access, wanted.name) == {**SOUND, "encryption": encryption}


def test_rules_and_tags_of_somebody_else_stay(access: Access, wanted: BucketSpec) -> None:
    s3 = create(access, wanted.name)
    theirs = {"ID": "reports", "Status": "Enabled", "Filter": {"Prefix": "reports/"}, "Expiration": {"Days": 30}}
    s3.put_bucket_lifecycle_configuration(Bucket=wanted.name, LifecycleConfiguration={"Rules": [theirs]})
    tag = {"Key": "owner", "Value": "ops"}
    s3.put_bucket_tagging(Bucket=wanted.name, Tagging={"TagSet": [tag]})
    ensure_bucket(access, wanted)
    found = facts(access, wanted.name)
    tags = [*SOUND["tags"], tag]
    assert found["old versions"] == [theirs, EXPIRY]
    assert found["tags"] == tags


def test_a_bucket_in_the_one_region_that_may_not_be_named_is_made_too(
    terraform_environment: Mapping[str, str], wanted: BucketSpec
) -> None:
    access = Access("us-east-1", terraform_environment)
    ensure_bucket(access, wanted)
    assert ensure_bucket(access, wanted) == RIGHT
    assert facts(access, wanted.name) == {**SOUND, "region": None}


def test_a_bucket_of_another_region_is_refused(
    access: Access, terraform_environment: Mapping[str, str], wanted: BucketSpec
) -> None:
    create(access, wanted.name)
    with pytest.raises(ProgramError) as caught:
        ensure_bucket(Access("us-east-1", terraform_environment), wanted)
    assert str(caught.value) == (
        f"state bucket {wanted.name} is in eu-central-1, but the catalog's `region` is us-east-1; fix `region`, or"
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


def test_everything_but_tls_is_denied() -> None:
    assert tls_only(None, "shop-dev") == {"Version": "2012-10-17", "Statement": [DENIED]}


def test_statements_of_somebody_else_stay_and_ours_is_mended_where_it_stands() -> None:
    theirs = {"Sid": "Theirs", "Effect": "Allow"}
    found = {"Version": "2008-10-17", "Statement": [{**DENIED, "Effect": "Allow"}, theirs]}
    assert tls_only(found, "shop-dev") == {"Version": "2008-10-17", "Statement": [DENIED, theirs]}
    assert tls_only({**found, "Statement": [theirs]}, "shop-dev")["Statement"] == [theirs, DENIED]


def test_the_policy_can_be_read_again() -> None:
    policy = tls_only(None, "shop-dev", "aws-cn")
    assert tls_only(json.loads(json.dumps(policy)), "shop-dev", "aws-cn") == policy
