"""Checks the subnets of an adopted VPC before anything is created: AWS refuses blocks that overlap."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fleetform import topology
from fleetform.base.errors import CheckFailedError, ProgramError
from fleetform.terraform.failures import translate_failures
from fleetform.workflow.workspace import Workspace


def require_free_subnets(workspace: Workspace) -> None:
    """Require that the subnets in an adopted VPC leave room for those of the environment.

    Raises:
        CheckFailedError: One overlaps, or an adopted one would be replaced.
        ProgramError: AWS refuses.
    """
    if workspace.environment.adopt.vpc is None:
        return
    if problems := list(_problems(workspace, _subnets(workspace, workspace.environment.adopt.vpc))):
        raise CheckFailedError("\n".join([*problems, "nothing was planned or applied"]))


def _subnets(workspace: Workspace, vpc: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the subnets of a VPC by ID, as EC2 describes them."""
    with translate_failures(workspace.environment.name):
        try:
            pages = workspace.access.client("ec2").get_paginator("describe_subnets")
            found = pages.paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
            return {subnet["SubnetId"]: subnet for page in found for subnet in page["Subnets"]}
        except (BotoCoreError, ClientError) as error:
            raise ProgramError(f"cannot read the subnets of {vpc}: {error}") from None


def _problems(workspace: Workspace, subnets: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    environment = workspace.environment
    blocks = topology.subnet_blocks(environment)
    adopted = {id_: key for _, key, id_ in topology.adopted_subnets(environment)}
    for id_, key in adopted.items():
        block, zone = blocks[key]
        subnet = subnets.get(id_)
        if subnet is None:
            yield f"{id_}: not in {environment.adopt.vpc}; fix `adopt.subnets`"
        elif (subnet["CidrBlock"], subnet["AvailabilityZone"]) != (block, zone):
            yield (
                f"{id_}: has {_place(subnet)}, but becomes {block} in {zone}, so that it would be replaced;"
                " use `network.vpc`, which takes subnets as they are"
            )
    for id_, subnet in sorted(subnets.items()):
        if id_ in adopted or _is_ours(subnet, environment.prefix, blocks):
            continue
        for key, (block, zone) in blocks.items():
            if key not in adopted.values() and IPv4Network(block).overlaps(IPv4Network(subnet["CidrBlock"])):
                yield (
                    f"{id_}: {_place(subnet)} overlaps {block} in {zone}, the subnet {key};"
                    " adopt it with `adopt.subnets`, or use `network.vpc`"
                )


def _place(subnet: Mapping[str, Any]) -> str:
    return f"{subnet['CidrBlock']} in {subnet['AvailabilityZone']}"


def _is_ours(subnet: Mapping[str, Any], prefix: str, blocks: Mapping[str, object]) -> bool:
    """Whether an earlier apply created a subnet, by its name; see modules/network/subnets.tf."""
    names = {tag["Value"] for tag in subnet.get("Tags", ()) if tag["Key"] == "Name"}
    kinds = {key.rpartition("_")[0] for key in blocks} | {"private"}
    return any(name.startswith(f"{prefix}-{kind}_") for name in names for kind in kinds)
