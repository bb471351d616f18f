"""Why an apply could not create resources, from Terraform's output.

They exist already, or AWS refused them.
"""

import re
from collections.abc import Iterator

from fleetform.terraform.plain_text import one_line

# Error codes of the API operations that create our modules' resources. CloudWatch Logs, ECR, IAM and Cloud
# Map have Exists, S3 has Owned, ECS is not idempotent, EC2 has Duplicate, AlreadyAssociated and Conflict,
# and ELB has Duplicate and InUse.
_CODES = (
    r"(?:\w*AlreadyExists(?:Exception)?\b|BucketAlreadyOwnedByYou\b|\bInvalid\w+\.Duplicate\b"
    r"|\bDuplicate(?:Listener|LoadBalancerName|TargetGroupName|Request)\b|\bResource\.AlreadyAssociated\b"
    r"|\bInvalidSubnet\.Conflict\b|\bConflictingDomainExists\b|\bPriorityInUse\b|was not idempotent|already"
    r" exists)"
)
_WITHIN = r"(?:(?!Error: |Warning: ).)*?"
# A for_each key in an address may contain spaces.
_ADDRESS = r'(?P<address>(?:[^\s",]|"(?:[^"\\]|\\.)*")+)'
# The code may be before or after the address: the provider's newer resources report a summary and a detail.
ALREADY_EXISTS = re.compile(rf"Error: (?={_WITHIN}{_CODES}){_WITHIN} with {_ADDRESS}, on ")
"""Matches, in one line, an error about a resource that already exists, with its `address`."""
# Only an HTTP 4xx response: without a response, or after Ctrl-C canceled the request, AWS may have carried it
# out.
_REFUSED = re.compile(
    rf"Error: (?={_WITHIN}StatusCode: 4\d\d\b)(?!{_WITHIN}{_CODES}){_WITHIN} with {_ADDRESS}, on "
)


def existing_resources(output: str) -> frozenset[str]:
    """Return the addresses of the resources that already exist.

    Args:
        output: Terraform's output, colored or not.
    """
    return frozenset(addresses(one_line(output)))


def refused_resources(output: str) -> frozenset[str]:
    """Return the addresses of the resources that AWS refused to create for any other reason.

    Args:
        output: Terraform's output, colored or not.
    """
    return frozenset(found["address"] for found in _REFUSED.finditer(one_line(output)))


def addresses(text: str) -> Iterator[str]:
    """Yield the addresses of existing resources from output that is one line, in the order of the errors."""
    return (found["address"] for found in ALREADY_EXISTS.finditer(text))
