"""What an apply could not make because it is there already, from what Terraform prints."""

import re
from collections.abc import Iterator

_DECORATION = re.compile(r"^(?:\x1b\[[0-9;]*m|[ \t])*[╷│╵]|\x1b\[[0-9;]*m", re.MULTILINE)
# Codes of the errors of what makes our modules' resources: of CloudWatch Logs, ECR, IAM and Cloud Map
# (Exists), S3 (Owned), ECS (not idempotent), EC2 (Duplicate, AlreadyAssociated, Conflict), ELB (Duplicate, InUse).
_CODES = (
    r"(?:\w*AlreadyExists(?:Exception)?\b|BucketAlreadyOwnedByYou\b|\bInvalid\w+\.Duplicate\b"
    r"|\bDuplicate(?:Listener|LoadBalancerName|TargetGroupName|Request)\b|\bResource\.AlreadyAssociated\b"
    r"|\bInvalidSubnet\.Conflict\b|\bConflictingDomainExists\b|\bPriorityInUse\b|was not idempotent|already exists)"
)
_WITHIN = r"(?:(?!Error: |Warning: ).)*?"
# A key of an address may have spaces.
_ADDRESS = r'(?P<address>(?:[^\s",]|"(?:[^"\\]|\\.)*")+)'
# Before the address or after it: the provider's newer resources have a summary and a detail.
PATTERN = re.compile(rf"Error: (?={_WITHIN}{_CODES}){_WITHIN} with {_ADDRESS}, on ")
"""An error of Terraform's in one line, of a resource that is there already; its `address`."""


def existing(output: str) -> frozenset[str]:
    """The addresses of what is there already.

    Args:
        output: What Terraform printed, in colour or not.
    """
    return frozenset(addresses(" ".join(_DECORATION.sub("", output).split())))  # it wraps lines as wide as a terminal


def addresses(text: str) -> Iterator[str]:
    """The same of what is one line, in the order of the errors."""
    return (found["address"] for found in PATTERN.finditer(text))
