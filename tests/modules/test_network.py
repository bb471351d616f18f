from typing import Any

import pytest

from .plans import Resources

ALL = {
    "action": "allow",
    "cidr_block": "0.0.0.0/0",
    "from_port": 0,
    "protocol": "-1",
    "rule_no": 100,
    "to_port": 0,
}
OPEN = {**ALL, "icmp_code": None, "icmp_type": None, "ipv6_cidr_block": ""}
ASSUME_ROLE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": "arn:aws:ec2:ap-northeast-1:123456789012:vpc-flow-log/*"},
            },
        }
    ],
}
WRITE_FLOW_LOGS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "WriteFlowLogs",
            "Effect": "Allow",
            "Action": [
                "logs:PutLogEvents",
                "logs:DescribeLogStreams",
                "logs:DescribeLogGroups",
                "logs:CreateLogStream",
            ],
            "Resource": "arn:aws:logs:ap-northeast-1:123456789012:log-group:/vpc/shop-dev:*",
        }
    ],
}
# What is there whatever the network is like.
ALWAYS: Resources = {
    "aws_default_network_acl.this": {
        "egress": [OPEN],
        "ingress": [OPEN],
        "tags": {"Name": "shop-dev-default"},
    },
    "aws_default_route_table.this": {"tags": {"Name": "shop-dev-default"}},
    "aws_default_security_group.this": {
        "revoke_rules_on_delete": False,
        "tags": {"Name": "shop-dev-default"},
    },
    "aws_internet_gateway.this": {"tags": {"Name": "shop-dev"}},
    "aws_route.public_internet": {"destination_cidr_block": "0.0.0.0/0"},
    "aws_route_table.public": {"tags": {"Name": "shop-dev-public"}},
    "aws_vpc.this": {
        "cidr_block": "10.0.0.0/16",
        "enable_dns_hostnames": True,
        "enable_dns_support": True,
        "instance_tenancy": "default",
        "tags": {"Name": "shop-dev"},
    },
}
FLOW_LOGS: Resources = {
    'aws_cloudwatch_log_group.flow_logs["this"]': {
        "name": "/vpc/shop-dev",
        "retention_in_days": 30,
        "skip_destroy": False,
    },
    'aws_flow_log.this["this"]': {
        "max_aggregation_interval": 600,
        "log_destination_type": "cloud-watch-logs",
        "tags": {"Name": "shop-dev"},
        "traffic_type": "ALL",
    },
    'aws_iam_role.flow_logs["this"]': {
        "assume_role_policy": ASSUME_ROLE,
        "force_detach_policies": False,
        "max_session_duration": 3600,
        "name": "shop-dev-flow-logs",
        "path": "/",
    },
    'aws_iam_role_policy.flow_logs["this"]': {
        "name": "flow-logs",
        "policy": WRITE_FLOW_LOGS,
        "role": "shop-dev-flow-logs",
    },
}


def subnet(key: str, zone: str, cidr_block: str) -> dict[str, Any]:
    """The values of a subnet, in which nothing gets an address by itself."""
    return {
        "assign_ipv6_address_on_creation": False,
        "availability_zone": zone,
        "cidr_block": cidr_block,
        "enable_dns64": False,
        "enable_resource_name_dns_a_record_on_launch": False,
        "enable_resource_name_dns_aaaa_record_on_launch": False,
        "ipv6_native": False,
        "map_public_ip_on_launch": False,
        "tags": {"Name": f"shop-dev-{key}"},
    }


def test_example(planned: dict[str, Resources]) -> None:
    """Private subnets go out through one NAT gateway, and to AWS through endpoints.

    All traffic is recorded.
    """
    assert planned["network"] == {
        **ALWAYS,
        **FLOW_LOGS,
        'aws_eip.nat["public_1"]': {"domain": "vpc", "tags": {"Name": "shop-dev-nat-public_1"}},
        'aws_nat_gateway.this["public_1"]': {
            "connectivity_type": "public",
            "tags": {"Name": "shop-dev-public_1"},
        },
        'aws_route.private_internet["private_1"]': {"destination_cidr_block": "0.0.0.0/0"},
        'aws_route.private_internet["private_2"]': {"destination_cidr_block": "0.0.0.0/0"},
        'aws_route_table.private["private_1"]': {"tags": {"Name": "shop-dev-private_1"}},
        'aws_route_table.private["private_2"]': {"tags": {"Name": "shop-dev-private_2"}},
        'aws_route_table_association.private["private_1"]': {},
        'aws_route_table_association.private["private_2"]': {},
        'aws_route_table_association.public["public_1"]': {},
        'aws_route_table_association.public["public_2"]': {},
        'aws_subnet.private["private_1"]': subnet("private_1", "ap-northeast-1a", "10.0.128.0/24"),
        'aws_subnet.private["private_2"]': subnet("private_2", "ap-northeast-1c", "10.0.129.0/24"),
        'aws_subnet.public["public_1"]': subnet("public_1", "ap-northeast-1a", "10.0.1.0/24"),
        'aws_subnet.public["public_2"]': subnet("public_2", "ap-northeast-1c", "10.0.2.0/24"),
        'aws_vpc_endpoint.gateway["s3"]': {
            "service_name": "com.amazonaws.ap-northeast-1.s3",
            "tags": {"Name": "shop-dev-s3"},
            "vpc_endpoint_type": "Gateway",
        },
        'aws_vpc_endpoint.interface["logs"]': {
            "private_dns_enabled": True,
            "security_group_ids": ["sg-0123456789abcdef0"],
            "service_name": "com.amazonaws.ap-northeast-1.logs",
            "tags": {"Name": "shop-dev-logs"},
            "vpc_endpoint_type": "Interface",
        },
    }


def test_only_public_subnets(planned: dict[str, Resources]) -> None:
    """Nothing is there that was not asked for."""
    assert planned["public_network"] == {
        **ALWAYS,
        'aws_route_table_association.public["public_1"]': {},
        'aws_subnet.public["public_1"]': subnet("public_1", "ap-northeast-1a", "10.0.1.0/24"),
    }


def test_private_subnets_without_nat(planned: dict[str, Resources]) -> None:
    """Without a NAT gateway a private subnet has no way out."""
    found = {
        address
        for address in planned["closed_network"]
        if address.startswith(("aws_eip", "aws_nat", "aws_route."))
    }
    assert found == {"aws_route.public_internet"}


@pytest.mark.parametrize(
    ("network", "known"),
    [
        ("network", {"retention_in_days": 30}),
        (
            "closed_network",
            {
                "kms_key_id": "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-a6ef-1234567890ab",  # noqa: E501 - one ARN
                "retention_in_days": 365,
            },
        ),
    ],
)
def test_flow_logs_are_kept_for_a_time_and_encrypted_with_a_key(
    planned: dict[str, Resources], network: str, known: dict[str, Any]
) -> None:
    group = planned[network]['aws_cloudwatch_log_group.flow_logs["this"]']
    assert group == {"name": "/vpc/shop-dev", "skip_destroy": False, **known}
