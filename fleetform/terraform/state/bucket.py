"""The S3 bucket that holds an environment's Terraform state."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError

Outcome: TypeAlias = Literal["made", "changed", "right"]
"""How a setting was handled; `right` means unchanged."""

HISTORY_DAYS = 365
"""How long the bucket keeps old versions of a state, in days."""

_UPLOAD_DAYS = 7
_TLS_STATEMENT = "DenyWithoutTls"
_EXPIRY_RULE = "old-versions"

_BLOCK_ALL = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True)
class BucketSpec:
    """The desired bucket.

    Attributes:
        name: Its name.
        account: The id of the AWS account that must own it.
        kms_key: ARN of the KMS key for its objects; None for the keys of S3 (SSE-S3).
        tags: Tags to add; the bucket keeps its other tags.
    """

    name: str
    account: str
    kms_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Setting:
    """A setting of the bucket.

    Attributes:
        name: Its name in the output.
        read: Returns the present value; raises the error `absent` if it was never set.
        absent: The error code for a setting that was never set.
        desired: Computes the desired value from the present one, or from None.
        write: Sets the value.
    """

    name: str
    read: Callable[[], Any]
    absent: str
    desired: Callable[[Any], Any]
    write: Callable[[Any], object]


def ensure_bucket(access: Access, spec: BucketSpec) -> dict[str, Outcome]:
    """Create the bucket, or update the existing one, which keeps its other rules, statements and tags.

    Args:
        access: The environment's AWS.
        spec: The desired bucket.

    Returns:
        How the bucket and each of its settings were handled, in this order.

    Raises:
        ProgramError: The name belongs to another account, the bucket is in another region, or AWS refuses.
    """
    try:
        s3 = access.client("s3")
        created = _create(s3, access.region, spec)
        outcomes = {setting.name: _apply_setting(setting, created=created) for setting in _settings(s3, spec)}
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"state bucket {spec.name}: {error}; check credentials, or choose another `state: bucket:`"
        ) from None
    return {"bucket": "made" if created else "right", **outcomes}


def _create(s3: Any, region: str, spec: BucketSpec) -> bool:  # noqa: ANN401 - boto3 makes its clients at run time
    """Create the bucket, unless it exists; return whether it was created."""
    # CreateBucket rejects us-east-1 as a location constraint: S3 API reference.
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.head_bucket(Bucket=spec.name, ExpectedBucketOwner=spec.account)  # bucket names are global
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        s3.create_bucket(Bucket=spec.name, ObjectOwnership="BucketOwnerEnforced", **location)
        return True
    actual = s3.get_bucket_location(Bucket=spec.name)["LocationConstraint"] or "us-east-1"
    if actual != region:
        raise ProgramError(
            f"state bucket {spec.name} is in {actual}, but the catalog's `region` is {region};"
            " fix `region`, or choose another `state: bucket:`"
        )
    return False


def _apply_setting(setting: _Setting, *, created: bool) -> Outcome:
    try:
        present = setting.read()
    except ClientError as error:
        if error.response["Error"]["Code"] != setting.absent:
            raise
        present = None
    desired = setting.desired(present)
    if present != desired:
        setting.write(desired)
    return "made" if created else "changed" if present != desired else "right"


def _settings(s3: Any, spec: BucketSpec) -> list[_Setting]:  # noqa: ANN401
    name = spec.name
    encryption = _encryption(spec.kms_key)
    settings = [
        _Setting(
            "public access blocked",
            lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
            "NoSuchPublicAccessBlockConfiguration",
            lambda _: _BLOCK_ALL,
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
            lambda: _encryption_rule(s3.get_bucket_encryption(Bucket=name)),
            "ServerSideEncryptionConfigurationNotFoundError",
            lambda _: encryption,
            lambda value: s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration={"Rules": [value]}
            ),
        ),
        _Setting(
            f"old versions for {HISTORY_DAYS} days",
            lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"],
            "NoSuchLifecycleConfiguration",
            lambda present: _merge(present or [], _expiry_rule(), "ID"),
            lambda value: s3.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": value}
            ),
        ),
        _Setting(
            "tags",
            lambda: _by_key(s3.get_bucket_tagging(Bucket=name)["TagSet"]),
            "NoSuchTagSet",
            lambda present: {**(present or {}), **spec.tags},
            lambda value: s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tag_set(value)}),
        ),
    ]
    if s3.meta.endpoint_url.startswith(
        "http:"
    ):  # the emulator has no TLS, so the policy would lock everyone out
        return settings
    return [*settings, _tls_setting(s3, name)]


def _tls_setting(s3: Any, name: str) -> _Setting:  # noqa: ANN401
    partition = s3.meta.partition
    return _Setting(
        "TLS only",
        lambda: json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]),
        "NoSuchBucketPolicy",
        lambda present: tls_only(present, name, partition),
        lambda value: s3.put_bucket_policy(Bucket=name, Policy=json.dumps(value)),
    )


def _encryption(kms_key: str | None) -> dict[str, object]:
    if kms_key is None:
        return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key}
    return {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}


def _encryption_rule(answer: dict[str, Any]) -> dict[str, object]:
    """Return the bucket's only encryption rule, without the fields that Fleetform does not set."""
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    return {
        "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
        "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
    }


def _expiry_rule() -> dict[str, object]:
    return {
        "ID": _EXPIRY_RULE,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"ExpiredObjectDeleteMarker": True},  # each released lock leaves one
        "NoncurrentVersionExpiration": {"NoncurrentDays": HISTORY_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UPLOAD_DAYS},
    }


def tls_only(policy: dict[str, Any] | None, bucket: str, partition: str = "aws") -> dict[str, Any]:
    """Add to a bucket policy the statement that denies requests without TLS.

    Args:
        policy: The present policy; None if there is none.
        bucket: The bucket's name.
        partition: The AWS partition, such as `aws-cn`.
    """
    arn = f"arn:{partition}:s3:::{bucket}"
    statement = {
        "Sid": _TLS_STATEMENT,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    present = policy or {"Version": "2012-10-17", "Statement": []}
    return {**present, "Statement": _merge(present["Statement"], statement, "Sid")}


def _merge(entries: list[dict[str, Any]], new: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Replace the entry that has the same value of a key as the new one, or append the new one."""
    if any(entry.get(key) == new[key] for entry in entries):
        return [new if entry.get(key) == new[key] else entry for entry in entries]
    return [*entries, new]


def _by_key(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _tag_set(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
