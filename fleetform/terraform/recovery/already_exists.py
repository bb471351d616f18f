"""What came of what an apply could not make, from what Terraform prints: it is there already, or AWS refused it."""

import re
from collections.abc import Iterator

from fleetform.terraform.plain_text import one_line

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
# An answer that came: a request whose answer was lost, or which Ctrl-C took back, may have been carried out.
_REFUSED = re.compile(rf"Error: (?={_WITHIN}StatusCode: 4\d\d\b)(?!{_WITHIN}{_CODES}){_WITHIN} with {_ADDRESS}, on ")


def existing_resources(output: str) -> frozenset[str]:
    """The addresses of what is there already.

    Args:
        output: What Terraform printed, in colour or not.
    """
    return frozenset(addresses(one_line(output)))


def refused_resources(output: str) -> frozenset[str]:
    """The addresses of what AWS has refused to make, for another reason than that it is there already.

    Args:
        output: What Terraform printed, in colour or not.
    """
    return frozenset(found["address"] for found in _REFUSED.finditer(one_line(output)))


def addresses(text: str) -> Iterator[str]:
    """The same of what is one line, in the order of the errors."""
    return (found["address"] for found in PATTERN.finditer(text))
