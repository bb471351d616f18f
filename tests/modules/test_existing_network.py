from typing import Any

from .conftest import SharedVpc


def test_a_vpc_is_found_by_tags_and_so_are_its_subnets(
    outputs: dict[str, Any], shared_vpc: SharedVpc
) -> None:
    assert outputs["network_by_tags"] == {
        "private_subnet_ids": {subnet: subnet for subnet in shared_vpc.private_subnets},
        "public_subnet_ids": {},
        "vpc_cidr_block": "10.7.0.0/16",
        "vpc_id": shared_vpc.id,
    }


def test_a_vpc_is_found_by_its_id_and_so_are_its_subnets(
    outputs: dict[str, Any], shared_vpc: SharedVpc
) -> None:
    assert outputs["network_by_id"] == {
        "private_subnet_ids": {},
        "public_subnet_ids": {subnet: subnet for subnet in shared_vpc.private_subnets},
        "vpc_cidr_block": "10.7.0.0/16",
        "vpc_id": shared_vpc.id,
    }
