"""The S3 bucket that holds an environment's Terraform state."""

import json
from typing import Any

from fleetform.aws import Access
from fleetform.errors import ProgramError


def ensure_bucket(access: Access, bucket: str, tags: dict[str, str]) -> bool:
    """Makes the bucket, or brings one of ours up to date: versioned, encrypted, TLS only, closed to the public.

    Args:
        access: The environment's AWS.
        bucket: Its name.
        tags: Its tags.

    Returns:
        Whether it was made.

    Raises:
        ProgramError: The name belongs to somebody else, or AWS refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - a third of a second

    try:
        s3 = access.client("s3")
        made = _create(s3, access.region, bucket)
        _harden(s3, bucket, tags)
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(
            f"state bucket {bucket}: {error}; check credentials, or choose another `state: bucket:`"
        ) from None
    return made


def has_state(access: Access, bucket: str, stack: str) -> bool:
    """Whether a stack has been applied: its state is in the bucket."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        access.client("s3").head_object(Bucket=bucket, Key=state_key(stack))
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NoSuchBucket"}:
            return False
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    return True


def state_key(stack: str) -> str:
    """The key of a stack's state in the bucket, as `backend.hcl` has it."""
    return f"{stack}/terraform.tfstate"


def _create(s3: Any, region: str, bucket: str) -> bool:  # noqa: ANN401 - boto3 makes its clients at run time
    from botocore.exceptions import ClientError  # noqa: PLC0415

    # The one region that may not be named: API reference, CreateBucket.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        s3.create_bucket(Bucket=bucket, **place)
        return True
    return False


def _harden(s3: Any, bucket: str, tags: dict[str, str]) -> None:  # noqa: ANN401
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [default]})
    if not s3.meta.endpoint_url.startswith("http:"):  # over the emulator's plain HTTP it would lock us out too
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_tls_only(bucket)))
    s3.put_bucket_tagging(
        Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
    )


def _tls_only(bucket: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DenyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
