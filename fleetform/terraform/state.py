"""The states of an environment's stacks, as they are in its S3 bucket."""

import json
import re
from typing import Any

from fleetform.aws import Access
from fleetform.errors import ProgramError

_STATE = re.compile(r"([a-z][a-z0-9-]*)/terraform\.tfstate")


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


def state_key(stack: str) -> str:
    """The key of a stack's state in the bucket, as `backend.hcl` has it."""
    return f"{stack}/terraform.tfstate"
