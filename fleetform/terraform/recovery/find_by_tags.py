"""Find resources in AWS by their tags: those of EC2 and Cloud Map, whose ids AWS chooses."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform.aws.clients import Access
from fleetform.base.errors import ProgramError

# DescribeTags, filter `resource-type`: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html
EC2_TYPES = {
    "aws_eip": "elastic-ip",
    "aws_flow_log": "vpc-flow-log",
    "aws_internet_gateway": "internet-gateway",
    "aws_nat_gateway": "natgateway",
    "aws_route_table": "route-table",
    "aws_security_group": "security-group",
    "aws_subnet": "subnet",
    "aws_vpc": "vpc",
    "aws_vpc_endpoint": "vpc-endpoint",
    "aws_vpc_security_group_egress_rule": "security-group-rule",
    "aws_vpc_security_group_ingress_rule": "security-group-rule",
}
_FORBIDDEN_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_RULE_TYPES = frozenset({"aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"})


class ForbiddenError(ProgramError):
    """The credentials may not read it."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate the errors of boto3.

    Raises:
        ForbiddenError: The credentials may not read it.
        ProgramError: AWS fails.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        forbidden = isinstance(error, ClientError) and error.response["Error"]["Code"] in _FORBIDDEN_CODES
        kind = ForbiddenError if forbidden else ProgramError
        raise kind(f"cannot find what the interrupted apply created: {error}; check credentials") from None


def find(access: Access, kind: str, tags: Mapping[str, str]) -> frozenset[str]:
    """Return the ids of the EC2 resources of a Terraform type that have all the tags.

    Values must not have wildcards.

    Raises:
        ForbiddenError: The credentials may not read it.
        ProgramError: AWS fails.
    """
    with translate_errors():
        ec2 = access.client("ec2")
        ids = frozenset.intersection(*(_with_tags(ec2, kind, key, value) for key, value in tags.items()))
        return _rules_in_direction(ec2, ids, egress="egress" in kind) if kind in _RULE_TYPES and ids else ids


def _rules_in_direction(ec2: Any, rules: frozenset[str], *, egress: bool) -> frozenset[str]:  # noqa: ANN401
    """Keep the existing rules of one direction.

    Both rules of a call have the same name, and tags outlive rules.
    """
    filters: Sequence[Any] = [{"Name": "security-group-rule-id", "Values": sorted(rules)}]
    answer = ec2.describe_security_group_rules(Filters=filters)
    return frozenset(
        rule["SecurityGroupRuleId"] for rule in answer["SecurityGroupRules"] if rule["IsEgress"] == egress
    )


def _with_tags(ec2: Any, kind: str, key: str, value: str) -> frozenset[str]:  # noqa: ANN401 - boto3 makes its clients at run time
    filters: Sequence[Any] = [
        {"Name": "resource-type", "Values": [EC2_TYPES[kind]]},
        {"Name": "key", "Values": [key]},
        {"Name": "value", "Values": [value]},
    ]
    pages = ec2.get_paginator("describe_tags").paginate(Filters=filters)
    return frozenset(tag["ResourceId"] for page in pages for tag in page["Tags"])


def find_in_cloud_map(access: Access, kind: str, name: str, tags: Mapping[str, str]) -> frozenset[str]:
    """Return the ids of the Cloud Map services, or namespaces, of a name that have all the tags.

    Raises:
        ForbiddenError: The credentials may not read it.
        ProgramError: AWS fails.
    """
    with translate_errors():
        client = access.client("servicediscovery")
        list_name = "Namespaces" if kind.endswith("_namespace") else "Services"
        pages = client.get_paginator(f"list_{list_name.lower()}").paginate()
        arns = {
            entry["Id"]: entry["Arn"] for page in pages for entry in page[list_name] if entry["Name"] == name
        }
        return frozenset(id_ for id_, arn in arns.items() if tags.items() <= _tags(client, arn).items())


def _tags(client: Any, arn: str) -> dict[str, str]:  # noqa: ANN401
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceARN=arn)["Tags"]}


def are_associated(access: Access, association: str) -> bool:
    """Whether a subnet is associated with a route table, given the import id of the association.

    `subnet-1/rtb-1`.

    Raises:
        ForbiddenError: The credentials may not read it.
        ProgramError: AWS fails.
    """
    subnet, _, table = association.partition("/")
    filters: Sequence[Any] = [{"Name": "association.subnet-id", "Values": [subnet]}]
    with translate_errors():
        tables = access.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
    return table in {entry["RouteTableId"] for entry in tables}


def rules_to_anywhere(access: Access, group: str) -> list[str]:
    """Return the ids of the untagged egress rules of a security group.

    AWS creates one, and Terraform removes it.

    Raises:
        ForbiddenError: The credentials may not read it.
        ProgramError: AWS fails.
    """
    filters: Sequence[Any] = [{"Name": "group-id", "Values": [group]}]
    with translate_errors():
        rules = access.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] and not rule.get("Tags")]


def revoke(access: Access, group: str, rules: Sequence[str]) -> None:
    """Revoke egress rules of a security group.

    Raises:
        ForbiddenError: The credentials may not change it.
        ProgramError: AWS fails.
    """
    if rules:
        with translate_errors():
            access.client("ec2").revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=[*rules])
