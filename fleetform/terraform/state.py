"""The S3 bucket that holds an environment's Terraform state."""

import json
import re
from typing import Any

from fleetform.aws import Access
from fleetform.errors import ProgramError

_STATE = re.compile(r"([a-z][a-z0-9-]*)/terraform\.tfstate")


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


def modules(access: Access, bucket: str) -> dict[str, frozenset[str]]:
    """The modules of which each stack's state holds resources, by stack; stacks that hold none are left out.

    What is outside of every module counts as of a module without a name.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        s3 = access.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        found = [_STATE.fullmatch(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
        texts = {key[1]: s3.get_object(Bucket=bucket, Key=key[0])["Body"].read() for key in found if key}
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return {}
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    try:
        held = {stack: _modules(json.loads(text)) for stack, text in texts.items()}
    except ValueError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; a state is no JSON: take an older version of it") from None
    return {stack: names for stack, names in held.items() if names}


def _modules(state: dict[str, Any]) -> frozenset[str]:
    """See https://developer.hashicorp.com/terraform/internals/json-format: a module is written `module.web`."""
    managed = [resource for resource in state.get("resources", []) if resource["mode"] == "managed"]
    return frozenset(resource.get("module", "").removeprefix("module.").partition(".")[0] for resource in managed)


def read(access: Access, bucket: str, stack: str) -> dict[str, Any]:
    """A stack's state; empty if it has none."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        text = access.client("s3").get_object(Bucket=bucket, Key=state_key(stack))["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchBucket"}:
            return {}
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    found: dict[str, Any] = json.loads(text)
    return found


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
