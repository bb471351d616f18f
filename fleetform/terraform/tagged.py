"""What EC2 has under a name: its things are known by tags alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleetform.aws import Access
from fleetform.errors import ProgramError

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


def find(access: Access, kind: str, tags: Mapping[str, str]) -> frozenset[str]:
    """The ids of EC2's things of a type of Terraform's that have all of these tags.

    Raises:
        ProgramError: AWS refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - a third of a second

    try:
        ec2 = access.client("ec2")
        found = [_having(ec2, kind, key, value) for key, value in tags.items()]
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"tags on EC2: {error}; check credentials") from None
    return frozenset.intersection(*found)


def _having(ec2: Any, kind: str, key: str, value: str) -> frozenset[str]:  # noqa: ANN401 - boto3 makes its clients at run time
    literally = value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    filters: Sequence[Any] = [
        {"Name": "resource-type", "Values": [EC2_TYPES[kind]]},
        {"Name": "key", "Values": [key]},
        {"Name": "value", "Values": [literally]},
    ]
    pages = ec2.get_paginator("describe_tags").paginate(Filters=filters)
    return frozenset(tag["ResourceId"] for page in pages for tag in page["Tags"])


def finish(access: Access, group: str) -> None:
    """Takes from a new security group the rule that AWS makes with it, to anywhere, as Terraform does when it makes one.

    Raises:
        ProgramError: AWS refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        ec2 = access.client("ec2")
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
            "SecurityGroupRules"
        ]
        ids = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] and not rule.get("Tags")]
        if ids:
            ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=ids)
    except (BotoCoreError, ClientError) as error:
        raise ProgramError(f"security group {group}: {error}; check credentials") from None
