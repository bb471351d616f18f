"""Subnets of an adopted VPC are checked before anything is created, on the emulator."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fleetform.base.errors import CheckFailedError
from fleetform.catalog.environment import AdoptedResources, AdoptedSubnets
from fleetform.cli.preflight import require_plannable
from fleetform.workflow.apply.adopted_network import require_free_subnets
from fleetform.workflow.project import Project
from fleetform.workflow.workspace import Workspace, open_workspace

ZONE = "eu-central-1a"


@pytest.fixture
def workspace(tiny_project: Project) -> Iterator[Workspace]:
    """An environment that adopts a VPC without subnets; its first public subnet is 10.0.1.0/24."""
    workspace = open_workspace(tiny_project, "tiny")
    ec2 = workspace.access.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    yield adopting(workspace, vpc)
    for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)


def adopting(workspace: Workspace, vpc: str | None, **public: str) -> Workspace:
    zones = {zone.replace("_", "-"): id_ for zone, id_ in public.items()}
    adopt = AdoptedResources(vpc=vpc, subnets=AdoptedSubnets(public=zones))
    return replace(workspace, environment=workspace.environment.model_copy(update={"adopt": adopt}))


def make_subnet(workspace: Workspace, block: str, name: str = "other", zone: str = ZONE) -> str:
    ec2: Any = workspace.access.client("ec2")
    tags = [{"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": name}]}]
    vpc = workspace.environment.adopt.vpc
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone, TagSpecifications=tags)
    id_: str = made["Subnet"]["SubnetId"]
    return id_


def refusal(workspace: Workspace) -> str:
    with pytest.raises(CheckFailedError) as caught:
        require_free_subnets(workspace)
    return str(caught.value)


def test_a_subnet_that_overlaps_is_named_before_a_plan(workspace: Workspace) -> None:
    subnet = make_subnet(workspace, "10.0.0.0/23")
    with pytest.raises(CheckFailedError) as caught:
        require_plannable(workspace)
    assert str(caught.value) == (
        f"{subnet}: 10.0.0.0/23 in {ZONE} overlaps 10.0.1.0/24 in {ZONE}, the subnet public_1; adopt it with"
        " `adopt.subnets`, or use `network.vpc`\nnothing was planned or applied"
    )


def test_an_adopted_subnet_of_the_same_block_and_zone_is_accepted(workspace: Workspace) -> None:
    subnet = make_subnet(workspace, "10.0.1.0/24")
    require_free_subnets(adopting(workspace, workspace.environment.adopt.vpc, eu_central_1a=subnet))


def test_an_adopted_subnet_that_would_be_replaced_is_refused(workspace: Workspace) -> None:
    subnet = make_subnet(workspace, "10.0.7.0/24")
    changed = adopting(workspace, workspace.environment.adopt.vpc, eu_central_1a=subnet)
    assert refusal(changed) == (
        f"{subnet}: has 10.0.7.0/24 in {ZONE}, but becomes 10.0.1.0/24 in {ZONE}, so that it would be"
        " replaced; use `network.vpc`, which takes subnets as they are\nnothing was planned or applied"
    )


def test_an_adopted_subnet_of_another_vpc_is_refused(workspace: Workspace) -> None:
    missing = "subnet-0123456789abcdef0"
    vpc = workspace.environment.adopt.vpc
    assert refusal(adopting(workspace, vpc, eu_central_1a=missing)) == (
        f"{missing}: not in {vpc}; fix `adopt.subnets`\nnothing was planned or applied"
    )


def test_subnets_of_an_earlier_apply_and_free_blocks_are_accepted(workspace: Workspace) -> None:
    make_subnet(workspace, "10.0.1.0/24", "shop-tiny-public_1")
    make_subnet(workspace, "10.0.99.0/24")
    require_free_subnets(workspace)


def test_a_new_vpc_needs_no_check(workspace: Workspace) -> None:
    make_subnet(workspace, "10.0.1.0/24")
    require_free_subnets(adopting(workspace, None))
