"""Resources in the emulator, found by tags."""

from typing import Any
from uuid import uuid4

import pytest

from fleetform.aws.clients import Access
from fleetform.terraform.recovery.find_by_tags import (
    are_associated,
    find,
    find_in_cloud_map,
    revoke,
    rules_to_anywhere,
)


@pytest.fixture
def tags() -> dict[str, str]:
    """Tags of a unique environment."""
    return {"application": "shop", "environment": uuid4().hex, "Name": "web->orders:80"}


def specification(kind: str, tags: dict[str, str]) -> list[Any]:
    """Return the tag specification of an EC2 request."""
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def test_an_ec2_resource_has_all_tags(access: Access, tags: dict[str, str]) -> None:
    ec2 = access.client("ec2")
    vpcs = [
        ec2.create_vpc(CidrBlock="10.8.0.0/16", TagSpecifications=specification("vpc", each))["Vpc"]["VpcId"]
        for each in (tags, tags | {"environment": "other"})
    ]
    found = find(access, "aws_vpc", tags), find(access, "aws_subnet", tags)
    for vpc in vpcs:
        ec2.delete_vpc(VpcId=vpc)
    assert [*map(set, found)] == [{vpcs[0]}, set()]


def test_a_cloud_map_service_has_its_name_and_all_tags(access: Access, tags: dict[str, str]) -> None:
    client = access.client("servicediscovery")
    kind = "aws_service_discovery_service"
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    made = client.create_service(Name=tags["environment"], Tags=listed)["Service"]["Id"]
    other = {**tags, "environment": "other"}
    found = [find_in_cloud_map(access, kind, tags["environment"], each) for each in (tags, other)]
    found.append(find_in_cloud_map(access, kind, "other", tags))
    client.delete_service(Id=made)
    assert found == [{made}, frozenset(), frozenset()]


def test_a_cloud_map_namespace_has_its_name_and_all_tags(access: Access, tags: dict[str, str]) -> None:
    client = access.client("servicediscovery")
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    client.create_http_namespace(Name=tags["environment"], Tags=listed)
    pages = client.list_namespaces()["Namespaces"]
    made = next(each["Id"] for each in pages if each["Name"] == tags["environment"])
    kind, other = "aws_service_discovery_http_namespace", {**tags, "environment": "other"}
    found = [find_in_cloud_map(access, kind, tags["environment"], each) for each in (tags, other)]
    client.delete_namespace(Id=made)
    assert found == [{made}, frozenset()]


def test_a_rule_that_only_has_tags_left_is_not_found(access: Access, tags: dict[str, str]) -> None:
    ec2 = access.client("ec2")
    group = ec2.create_security_group(GroupName=tags["environment"], Description="web")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    specified = specification("security-group-rule", tags)
    answer = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[rule], TagSpecifications=specified
    )
    made = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    ec2.create_tags(Resources=["sgr-0123456789abcdef0"], Tags=specified[0]["Tags"])
    found = find(access, "aws_vpc_security_group_ingress_rule", tags)
    ec2.delete_security_group(GroupId=group)
    assert found == {made}


def test_a_subnet_is_associated_with_its_route_table(access: Access) -> None:
    ec2 = access.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    tables = [ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    association = ec2.associate_route_table(SubnetId=subnet, RouteTableId=tables[0])["AssociationId"]
    found = [are_associated(access, f"{subnet}/{table}") for table in tables]
    ec2.disassociate_route_table(AssociationId=association)
    for table in tables:
        ec2.delete_route_table(RouteTableId=table)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
    assert found == [True, False]


def test_only_the_default_rule_of_a_new_group_is_revoked(access: Access, tags: dict[str, str]) -> None:
    ec2 = access.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    specified = specification("security-group-rule", tags)
    ours = ec2.authorize_security_group_egress(
        GroupId=group, IpPermissions=[rule], TagSpecifications=specified
    )
    theirs = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[rule], TagSpecifications=specified
    )
    found = [
        find(access, f"aws_vpc_security_group_{direction}_rule", tags) for direction in ("egress", "ingress")
    ]
    revoke(access, group, rules_to_anywhere(access, group))
    left = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
        "SecurityGroupRules"
    ]
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)
    made = [answer["SecurityGroupRules"][0]["SecurityGroupRuleId"] for answer in (ours, theirs)]
    assert [*map(list, found)] == [[rule] for rule in made]
    assert {each["SecurityGroupRuleId"] for each in left} == {*made}
