"""The states of an environment's stacks, as they are in its S3 bucket."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError

FORMAT = 4
"""The format of states that all versions of Terraform and OpenTofu since 0.12 read."""

_STATE = re.compile(r"([a-z][a-z0-9-]*)/terraform\.tfstate")
_STATE_OR_LOCK = re.compile(rf"{_STATE.pattern}(\.tflock)?")


@dataclass(frozen=True)
class Object:
    """A state or a lock as it is in the bucket.

    Attributes:
        written: When.
        text: What is in it.
    """

    written: datetime
    text: bytes


@dataclass(frozen=True)
class Snapshot:
    """What a state says of itself.

    Attributes:
        serial: How often it was written.
        lineage: What all states of one stack have in common.
        version: The Terraform that wrote it.
        resources: How many it holds, data sources left out.
    """

    serial: int
    lineage: str
    version: str
    resources: int


def objects(access: Access, bucket: str) -> dict[str, Object] | None:
    """The states and locks in the bucket, by key; None if it is not there."""
    try:
        s3 = access.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        found = {key: _object(s3, bucket, key) for key in keys if _STATE_OR_LOCK.fullmatch(key)}
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return None
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    return {key: entry for key, entry in found.items() if entry}


def _object(s3: Any, bucket: str, key: str) -> Object | None:  # noqa: ANN401 - boto3 makes its clients at run time
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except s3.exceptions.NoSuchKey:  # a lock that was released meanwhile
        return None
    return Object(answer["LastModified"], answer["Body"].read())


def snapshot(text: bytes) -> Snapshot | None:
    """Reads a state; None if it is none, or of a format that we do not know.

    See hashicorp/terraform, internal/states/statefile/version4.go.
    """
    try:
        found = json.loads(text)
        if found["version"] != FORMAT:
            return None
        managed = [resource for resource in found["resources"] if resource["mode"] == "managed"]
        count = sum(len(resource["instances"]) for resource in managed)
        return Snapshot(int(found["serial"]), str(found["lineage"]), str(found["terraform_version"]), count)
    except (ValueError, KeyError, TypeError):
        return None


def has_state(access: Access, bucket: str, stack: str) -> bool:
    """Whether a stack is applied: whether its state holds anything.

    A destroy leaves one that is empty in the bucket. So does a plan that was interrupted before the first apply.

    Raises:
        ProgramError: AWS refuses.
    """
    try:
        found = _object(access.client("s3"), bucket, state_key(stack))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    return found is not None and _has_content(found.text)


def _has_content(text: bytes) -> bool:
    """What is no state is for Terraform to tell."""
    try:
        found = json.loads(text)
        return bool(found["outputs"] or any(resource["mode"] == "managed" for resource in found["resources"]))
    except (ValueError, KeyError, TypeError):
        return True


def modules(access: Access, bucket: str) -> dict[str, frozenset[str]]:
    """The modules of which each stack's state holds resources, by stack; stacks that hold none are left out.

    What is outside of every module counts as of a module without a name.
    """
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


def state_key(stack: str) -> str:
    """The key of a stack's state in the bucket, as `backend.hcl` has it."""
    return f"{stack}/terraform.tfstate"


def lock_key(stack: str) -> str:
    """The key of the lock of a stack's state in the bucket: hashicorp/terraform, internal/backend/remote-state/s3."""
    return f"{state_key(stack)}.tflock"


def release(access: Access, bucket: str, stack: str) -> None:
    """Removes a state's lock, for a caller who knows that nobody holds it."""
    try:
        access.client("s3").delete_object(Bucket=bucket, Key=lock_key(stack))
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
