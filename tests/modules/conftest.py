"""Terraform plans that the tests of all modules share.

Every terraform process with this provider costs seconds.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tftest

from fleetform.aws.clients import Access

from . import plans


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the repository's relative paths, so that Terraform leaves nothing in the real one."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "modules").symlink_to(plans.MODULES)
    shutil.copytree(Path(__file__).parent, folder / "tests/modules")
    return folder


@dataclass(frozen=True)
class SharedVpc:
    """A VPC that is there before any module is.

    Attributes:
        id: Its ID; it is tagged `Name=shared`.
        private_subnets: IDs of its subnets that are tagged `tier=private`.
    """

    id: str
    private_subnets: tuple[str, ...]


@pytest.fixture(scope="session")
def shared_vpc(terraform_environment: dict[str, str]) -> SharedVpc:
    """Made in the emulator, which ends with the tests."""
    ec2 = Access("ap-northeast-1", terraform_environment).client("ec2")

    def tagged(kind: str, **tags: str) -> list[dict[str, object]]:
        return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]

    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", TagSpecifications=tagged("vpc", Name="shared"))["Vpc"][
        "VpcId"
    ]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = {
        cidr: ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, TagSpecifications=tagged("subnet", tier=tier))
        for cidr, tier in (("10.7.1.0/24", "public"), ("10.7.2.0/24", "private"), ("10.7.3.0/24", "private"))
    }
    _, *private = (subnet["Subnet"]["SubnetId"] for subnet in subnets.values())
    return SharedVpc(vpc, tuple(private))


@pytest.fixture(scope="session")
def plan(
    checkout: Path,
    shared_vpc: SharedVpc,  # noqa: ARG001 - some modules look it up
    terraform_binary: str,
    terraform_environment: dict[str, str],
) -> Any:  # noqa: ANN401 - tftest is not typed
    """The plan of ``planned/``."""
    root = checkout / "tests/modules/planned"
    terraform = tftest.TerraformTest(str(root), binary=terraform_binary)  # type: ignore[no-untyped-call]  # tftest is not typed
    terraform.env = terraform_environment
    terraform.setup()
    return terraform.plan(output=True)


@pytest.fixture(scope="session")
def planned(plan: Any) -> dict[str, plans.Resources]:  # noqa: ANN401 - tftest is not typed
    """For each module call of ``planned/``, the values that are known of its resources, by address."""
    return {
        address.removeprefix("module."): plans.resources(module) for address, module in plan.modules.items()
    }


@pytest.fixture(scope="session")
def outputs(plan: Any) -> dict[str, Any]:  # noqa: ANN401 - tftest is not typed
    """The outputs of ``planned/``."""
    return dict(plan.outputs)


@pytest.fixture(scope="session")
def refusals(
    checkout: Path, terraform_binary: str, terraform_environment: dict[str, str]
) -> list[plans.Refusal]:
    """Everything in ``refused/`` that Terraform refuses."""
    return [
        refusal
        for root in ("values", "combinations")
        for refusal in plans.refusals(
            checkout / "tests/modules/refused" / root, terraform_binary, terraform_environment
        )
    ]
