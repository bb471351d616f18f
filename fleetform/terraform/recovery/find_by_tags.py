"""What AWS has that a plan was to make: EC2 and Cloud Map know their things by ids, and these are found by tags."""

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
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_RULES = frozenset({"aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"})


class ForbiddenError(ProgramError):
    """AWS does not let us ask."""


@contextmanager
def translate_denials() -> Iterator[None]:
    """Asks AWS.

    Raises:
        ForbiddenError: We may not.
        ProgramError: AWS fails.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        forbidden = isinstance(error, ClientError) and error.response["Error"]["Code"] in _FORBIDDEN
        kind = ForbiddenError if forbidden else ProgramError
        raise kind(f"what is left of an apply: {error}; check credentials") from None


def find(access: Access, kind: str, tags: Mapping[str, str]) -> frozenset[str]:
    """The ids of EC2's things of a type of Terraform's that have all of these tags: names of ours, without wildcards.

    Raises:
        ForbiddenError: We may not ask.
        ProgramError: AWS fails.
    """
    with translate_denials():
        ec2 = access.client("ec2")
        found = frozenset.intersection(*(_with_tags(ec2, kind, key, value) for key, value in tags.items()))
        return _rules_in_direction(ec2, found, egress="egress" in kind) if kind in _RULES and found else found


def _rules_in_direction(ec2: Any, rules: frozenset[str], *, egress: bool) -> frozenset[str]:  # noqa: ANN401
    """Those of some rules that let out, or in: both of a call have one name. Tags outlive rules for a while."""
    filters: Sequence[Any] = [{"Name": "security-group-rule-id", "Values": sorted(rules)}]
    answer = ec2.describe_security_group_rules(Filters=filters)
    return frozenset(rule["SecurityGroupRuleId"] for rule in answer["SecurityGroupRules"] if rule["IsEgress"] == egress)


def _with_tags(ec2: Any, kind: str, key: str, value: str) -> frozenset[str]:  # noqa: ANN401 - boto3 makes its clients at run time
    filters: Sequence[Any] = [
        {"Name": "resource-type", "Values": [EC2_TYPES[kind]]},
        {"Name": "key", "Values": [key]},
        {"Name": "value", "Values": [value]},
    ]
    pages = ec2.get_paginator("describe_tags").paginate(Filters=filters)
    return frozenset(tag["ResourceId"] for page in pages for tag in page["Tags"])


def find_in_cloud_map(access: Access, kind: str, name: str, tags: Mapping[str, str]) -> frozenset[str]:
    """The ids of Cloud Map's services, or namespaces, of a name that have all of these tags.

    Raises:
        ForbiddenError: We may not ask.
        ProgramError: AWS fails.
    """
    with translate_denials():
        client = access.client("servicediscovery")
        things = "Namespaces" if kind.endswith("_namespace") else "Services"
        pages = client.get_paginator(f"list_{things.lower()}").paginate()
        named = {entry["Id"]: entry["Arn"] for page in pages for entry in page[things] if entry["Name"] == name}
        return frozenset(id_ for id_, arn in named.items() if tags.items() <= _tags(client, arn).items())


def _tags(client: Any, arn: str) -> dict[str, str]:  # noqa: ANN401
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceARN=arn)["Tags"]}


def are_associated(access: Access, association: str) -> bool:
    """Whether a subnet has a route table, written as Terraform imports the association: `subnet-1/rtb-1`.

    Raises:
        ForbiddenError: We may not ask.
        ProgramError: AWS fails.
    """
    subnet, _, table = association.partition("/")
    filters: Sequence[Any] = [{"Name": "association.subnet-id", "Values": [subnet]}]
    with translate_denials():
        tables = access.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
    return table in {found["RouteTableId"] for found in tables}


def rules_to_anywhere(access: Access, group: str) -> list[str]:
    """The ids of the rules to anywhere that AWS makes with a security group, and Terraform takes away: untagged ones.

    Raises:
        ForbiddenError: We may not ask.
        ProgramError: AWS fails.
    """
    filters: Sequence[Any] = [{"Name": "group-id", "Values": [group]}]
    with translate_denials():
        rules = access.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] and not rule.get("Tags")]


def revoke(access: Access, group: str, rules: Sequence[str]) -> None:
    """Takes rules that let out from a security group.

    Raises:
        ForbiddenError: We may not ask.
        ProgramError: AWS fails.
    """
    if rules:
        with translate_denials():
            access.client("ec2").revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=[*rules])
