"""Read the states of an environment's stacks from its S3 bucket."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError

FORMAT = 4
"""The state format of all versions of Terraform and OpenTofu since 0.12."""

_STATE = re.compile(r"([a-z][a-z0-9-]*)/terraform\.tfstate")
_STATE_OR_LOCK = re.compile(rf"{_STATE.pattern}(\.tflock)?")


@dataclass(frozen=True)
class Object:
    """A state or a lock in the bucket.

    Attributes:
        written: When it was written.
        text: Its content.
    """

    written: datetime
    text: bytes


@dataclass(frozen=True)
class Snapshot:
    """The metadata of a state.

    Attributes:
        serial: A number that increases with every change.
        lineage: An id that all states of one stack share.
        version: The version of Terraform that wrote it.
        resources: The number of resources in it, without data sources.
    """

    serial: int
    lineage: str
    version: str
    resources: int


def objects(access: Access, bucket: str) -> dict[str, Object] | None:
    """Return the states and locks in the bucket, by key; None if there is no such bucket.

    Raises:
        ProgramError: AWS refuses.
    """
    try:
        s3 = access.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        entries = {key: _object(s3, bucket, key) for key in keys if _STATE_OR_LOCK.fullmatch(key)}
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return None
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    return {key: entry for key, entry in entries.items() if entry}


def _object(s3: Any, bucket: str, key: str) -> Object | None:  # noqa: ANN401 - boto3 makes its clients at run time
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except s3.exceptions.NoSuchKey:  # the lock was released in the meantime
        return None
    return Object(answer["LastModified"], answer["Body"].read())


def snapshot(text: bytes) -> Snapshot | None:
    """Read the metadata of a state; None if it is not a state, or in an unknown format.

    The format is defined in hashicorp/terraform, internal/states/statefile/version4.go.
    """
    try:
        state = json.loads(text)
        if state["version"] != FORMAT:
            return None
        managed = [resource for resource in state["resources"] if resource["mode"] == "managed"]
        count = sum(len(resource["instances"]) for resource in managed)
        return Snapshot(int(state["serial"]), str(state["lineage"]), str(state["terraform_version"]), count)
    except (ValueError, KeyError, TypeError):
        return None


def has_state(access: Access, bucket: str, stack: str) -> bool:
    """Whether a stack is applied: whether its state has resources or outputs.

    A destroy leaves an empty state in the bucket. So does a plan that was interrupted before the first apply.

    Raises:
        ProgramError: AWS refuses.
    """
    try:
        state = _object(access.client("s3"), bucket, state_key(stack))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    return state is not None and _has_content(state.text)


def _has_content(text: bytes) -> bool:
    """Whether a state has resources or outputs; an unreadable one counts, so that Terraform reports it."""
    try:
        state = json.loads(text)
        return bool(state["outputs"] or any(resource["mode"] == "managed" for resource in state["resources"]))
    except (ValueError, KeyError, TypeError):
        return True


def modules(access: Access, bucket: str) -> dict[str, frozenset[str]]:
    """Return the module calls that have resources in each stack's state, without empty stacks.

    Resources outside of every module count as a module with an empty name.

    Raises:
        ProgramError: AWS refuses, or a state is not JSON.
    """
    try:
        s3 = access.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [_STATE.fullmatch(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
        texts = {key[1]: s3.get_object(Bucket=bucket, Key=key[0])["Body"].read() for key in keys if key}
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return {}
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    except BotoCoreError as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
    try:
        names_by_stack = {stack: _modules(json.loads(text)) for stack, text in texts.items()}
    except ValueError as error:
        raise ProgramError(
            f"state bucket {bucket}: {error}; a state is not JSON: restore an older version of it"
        ) from None
    return {stack: names for stack, names in names_by_stack.items() if names}


def _modules(state: dict[str, Any]) -> frozenset[str]:
    """Return the top-level module names in a state, which writes them as `module.web`."""
    managed = [resource for resource in state.get("resources", []) if resource["mode"] == "managed"]
    return frozenset(
        resource.get("module", "").removeprefix("module.").partition(".")[0] for resource in managed
    )


def state_key(stack: str) -> str:
    """Return the key of a stack's state in the bucket, as in `backend.hcl`."""
    return f"{stack}/terraform.tfstate"


def lock_key(stack: str) -> str:
    """Return the key of the lock of a stack's state.

    Hashicorp/terraform, internal/backend/remote-state/s3.
    """
    return f"{state_key(stack)}.tflock"


def release(access: Access, bucket: str, stack: str) -> None:
    """Remove a state's lock; the caller has to know that no process holds it.

    Raises:
        ProgramError: AWS refuses.
    """
    try:
        access.client("s3").delete_object(Bucket=bucket, Key=lock_key(stack))
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"state bucket {bucket}: {error}; check credentials") from None
