"""The S3 bucket that holds an environment's Terraform state."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError

Outcome: TypeAlias = Literal["made", "changed", "right"]
"""What was done about a setting: `right` is nothing."""

HISTORY_IN_DAYS = 365
"""How long a state that was replaced can be had again, by its version."""

_UPLOAD_IN_DAYS = 7
_NO_TLS = "DenyWithoutTls"
_EXPIRY = "old-versions"

_CLOSED = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}


@dataclass(frozen=True)
class BucketSpec:
    """The bucket as it is to be.

    Attributes:
        name: Its name.
        account: The AWS account that it has to belong to.
        kms_key: ARN of the key that its objects are encrypted with; None for S3's own.
        tags: Its tags; others that it has stay.
    """

    name: str
    account: str
    kms_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Setting:
    """Something of a bucket: how to read what it is, what it ought to be then, and how to write that.

    Attributes:
        name: What people call it.
        read: Gives what it is; raises one of `absent` if it was never set.
        absent: The codes of errors that say that it was never set.
        ought: Makes what it ought to be of what it is, or of None.
        write: Sets it.
    """

    name: str
    read: Callable[[], Any]
    absent: str
    ought: Callable[[Any], Any]
    write: Callable[[Any], object]


def ensure_bucket(access: Access, wanted: BucketSpec) -> dict[str, Outcome]:
    """Makes the bucket, or brings one of ours up to date; what else it has of rules, statements and tags stays.

    Args:
        access: The environment's AWS.
        wanted: The bucket.

    Returns:
        What was made, changed or found right: the bucket, then its settings.

    Raises:
        ProgramError: The name belongs to somebody else, the bucket is in another region, or AWS refuses.
    """
    try:
        s3 = access.client("s3")
        made = _create(s3, access.region, wanted)
        done = {setting.name: _set(setting, made=made) for setting in _settings(s3, wanted)}
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"state bucket {wanted.name}: {error}; check credentials, or choose another `state: bucket:`"
        ) from None
    return {"bucket": "made" if made else "right", **done}


def _create(s3: Any, region: str, wanted: BucketSpec) -> bool:  # noqa: ANN401 - boto3 makes its clients at run time

    # The one region that may not be named: API reference, CreateBucket.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.head_bucket(Bucket=wanted.name, ExpectedBucketOwner=wanted.account)  # names are the whole world's
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        s3.create_bucket(Bucket=wanted.name, ObjectOwnership="BucketOwnerEnforced", **place)
        return True
    found = s3.get_bucket_location(Bucket=wanted.name)["LocationConstraint"] or "us-east-1"
    if found != region:
        raise ProgramError(
            f"state bucket {wanted.name} is in {found}, and the catalog's `region` is {region};"
            " mend `region`, or choose another `state: bucket:`"
        )
    return False


def _set(setting: _Setting, *, made: bool) -> Outcome:
    try:
        found = setting.read()
    except ClientError as error:
        if error.response["Error"]["Code"] != setting.absent:
            raise
        found = None
    ought = setting.ought(found)
    if found != ought:
        setting.write(ought)
    return "made" if made else "changed" if found != ought else "right"


def _settings(s3: Any, wanted: BucketSpec) -> list[_Setting]:  # noqa: ANN401
    name = wanted.name
    encryption = _encryption(wanted.kms_key)
    settings = [
        _Setting(
            "public access blocked",
            lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
            "NoSuchPublicAccessBlockConfiguration",
            lambda _: _CLOSED,
            lambda value: s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=value),
        ),
        _Setting(
            "owner of all objects",
            lambda: s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"],
            "OwnershipControlsNotFoundError",
            lambda _: {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            lambda value: s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=value),
        ),
        _Setting(
            "versions",
            lambda: s3.get_bucket_versioning(Bucket=name).get("Status"),
            "",
            lambda _: "Enabled",
            lambda value: s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": value}),
        ),
        _Setting(
            "encryption",
            lambda: _rules_of_encryption(s3.get_bucket_encryption(Bucket=name)),
            "ServerSideEncryptionConfigurationNotFoundError",
            lambda _: encryption,
            lambda value: s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [value]}),
        ),
        _Setting(
            f"old versions for {HISTORY_IN_DAYS} days",
            lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"],
            "NoSuchLifecycleConfiguration",
            lambda found: _with(found or [], _expiry(), "ID"),
            lambda value: s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": value}),
        ),
        _Setting(
            "tags",
            lambda: _by_key(s3.get_bucket_tagging(Bucket=name)["TagSet"]),
            "NoSuchTagSet",
            lambda found: {**(found or {}), **wanted.tags},
            lambda value: s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tag_set(value)}),
        ),
    ]
    if s3.meta.endpoint_url.startswith("http:"):  # over the emulator's plain HTTP it would lock us out too
        return settings
    return [*settings, _tls(s3, name)]


def _tls(s3: Any, name: str) -> _Setting:  # noqa: ANN401
    partition = s3.meta.partition
    return _Setting(
        "TLS only",
        lambda: json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]),
        "NoSuchBucketPolicy",
        lambda found: tls_only(found, name, partition),
        lambda value: s3.put_bucket_policy(Bucket=name, Policy=json.dumps(value)),
    )


def _encryption(kms_key: str | None) -> dict[str, object]:
    if kms_key is None:
        return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key}
    return {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}


def _rules_of_encryption(answer: dict[str, Any]) -> dict[str, object]:
    """The one rule that a bucket has; S3 says more of it than what can be set here."""
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    return {
        "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
        "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
    }


def _expiry() -> dict[str, object]:
    return {
        "ID": _EXPIRY,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"ExpiredObjectDeleteMarker": True},  # each lock that was released leaves one
        "NoncurrentVersionExpiration": {"NoncurrentDays": HISTORY_IN_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UPLOAD_IN_DAYS},
    }


def tls_only(policy: dict[str, Any] | None, bucket: str, partition: str = "aws") -> dict[str, Any]:
    """A bucket's policy, with the statement that denies all that does not come over TLS."""
    arn = f"arn:{partition}:s3:::{bucket}"
    statement = {
        "Sid": _NO_TLS,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    found = policy or {"Version": "2012-10-17", "Statement": []}
    return {**found, "Statement": _with(found["Statement"], statement, "Sid")}


def _with(entries: list[dict[str, Any]], ours: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The entries with ours among them: in the place of the one of its name, or at the end."""
    if any(entry.get(name) == ours[name] for entry in entries):
        return [ours if entry.get(name) == ours[name] else entry for entry in entries]
    return [*entries, ours]


def _by_key(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _tag_set(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
