"""Terraform plans that the tests of all modules share: every terraform process with this provider costs seconds."""

import shutil
from pathlib import Path

import pytest
import tftest

from . import plans


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the repository to Terraform's relative paths, to leave nothing in the real one."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "modules").symlink_to(plans.MODULES)
    shutil.copytree(Path(__file__).parent, folder / "tests/modules")
    return folder


@pytest.fixture(scope="session")
def planned(checkout: Path, terraform_binary: str, terraform_environment: dict[str, str]) -> dict[str, plans.Resources]:
    """For each module call of ``planned/``, the values that are known of its resources, by address."""
    root = checkout / "tests/modules/planned"
    terraform = tftest.TerraformTest(str(root), binary=terraform_binary)  # type: ignore[no-untyped-call]  # tftest is not typed
    terraform.env = terraform_environment
    terraform.setup()
    plan = terraform.plan(output=True)
    return {address.removeprefix("module."): plans.resources(module) for address, module in plan.modules.items()}


@pytest.fixture(scope="session")
def refusals(checkout: Path, terraform_binary: str, terraform_environment: dict[str, str]) -> list[plans.Refusal]:
    """Everything in ``refused/`` that Terraform refuses."""
    return [
        refusal
        for root in ("values", "combinations")
        for refusal in plans.refusals(
            checkout / "tests/modules/refused" / root, terraform_binary, terraform_environment
        )
    ]
