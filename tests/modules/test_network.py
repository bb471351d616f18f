from .plans import Resources


def test_example(planned: dict[str, Resources]) -> None:
    """The network is a VPC with names, two public subnets and a locked default group."""
    assert planned["network"] == {
        "aws_default_security_group.this": {"revoke_rules_on_delete": False, "tags": {"Name": "shop-dev-default"}},
        "aws_internet_gateway.this": {"tags": {"Name": "shop-dev"}},
        "aws_route.public_internet": {"destination_cidr_block": "0.0.0.0/0"},
        "aws_route_table.public": {"tags": {"Name": "shop-dev-public"}},
        'aws_route_table_association.public["public_1"]': {},
        'aws_route_table_association.public["public_2"]': {},
        'aws_subnet.public["public_1"]': {
            "assign_ipv6_address_on_creation": False,
            "availability_zone": "ap-northeast-1a",
            "cidr_block": "10.0.1.0/24",
            "enable_dns64": False,
            "enable_resource_name_dns_a_record_on_launch": False,
            "enable_resource_name_dns_aaaa_record_on_launch": False,
            "ipv6_native": False,
            "map_public_ip_on_launch": False,
            "tags": {"Name": "shop-dev-public_1"},
        },
        'aws_subnet.public["public_2"]': {
            "assign_ipv6_address_on_creation": False,
            "availability_zone": "ap-northeast-1c",
            "cidr_block": "10.0.2.0/24",
            "enable_dns64": False,
            "enable_resource_name_dns_a_record_on_launch": False,
            "enable_resource_name_dns_aaaa_record_on_launch": False,
            "ipv6_native": False,
            "map_public_ip_on_launch": False,
            "tags": {"Name": "shop-dev-public_2"},
        },
        "aws_vpc.this": {
            "cidr_block": "10.0.0.0/16",
            "enable_dns_hostnames": True,
            "enable_dns_support": True,
            "instance_tenancy": "default",
            "tags": {"Name": "shop-dev"},
        },
    }
