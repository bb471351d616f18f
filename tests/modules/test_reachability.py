"""In the plan of the rendered stacks, services reach only what the catalog declares."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from fleetform import topology
from fleetform.catalog.models import Environment, Service
from fleetform.render.rendering import render
from fleetform.render.template import Templates
from fleetform.topology.applied_rule import AppliedRule
from fleetform.topology.reachability import find_differences, read_rules
from tests import graphs

_TEMPLATES = Path(__file__).parents[2] / "templates"
_GRAPHS = 50
_S3 = "pl-0123456789abcdef0"

CHAIN = graphs.environment(
    {
        "web": Service(image="nginx:1.29", port=80, public=True, calls=["orders"]),
        "orders": Service(image="nginx:1.29", port=8080, calls=["stock"]),
        "stock": Service(image="nginx:1.29", port=8080),
    }
)
INTRUDER = 'intruder = {\ngroup = "stock"\ndescription = "x"\nfrom_cidr = "0.0.0.0/0"\nport = 8080\n}\n'


@cache
def environments() -> dict[str, Environment]:
    """Random environments by name, the same in every run."""
    found: list[Environment] = []

    @settings(max_examples=_GRAPHS, phases=[Phase.generate], derandomize=True)
    @given(graphs.environments())
    def collect(made: Environment) -> None:
        found.append(made)

    collect()
    return {f"graph_{number:02}": made for number, made in enumerate(found)}


def rendered(made: Environment, name: str) -> str:
    """The security groups as a module call of this name."""
    text = render(made, Templates(_TEMPLATES), {})["foundation"][PurePath("security.tf")]
    return text.replace('module "security"', f'module "{name}"').replace("module.network.", "local.network.")


def state(there: Mapping[str, Environment]) -> dict[str, Any]:
    """A state in which all groups are there, their ids made of their names."""
    return {
        "version": 4,
        "terraform_version": "1.10.0",
        "serial": 1,
        "lineage": "graphs",
        "outputs": {},
        "resources": [
            {
                "module": f"module.{name}",
                "mode": "managed",
                "type": "aws_security_group",
                "name": "this",
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [
                    {"index_key": key, "schema_version": 1, "attributes": _group(name, key, description)}
                    for key, description in topology.security_groups(made).groups.items()
                ],
            }
            for name, made in there.items()
        ],
    }


def _group(name: str, key: str, description: str) -> dict[str, object]:
    prefix = f"shop-dev-{key}-"
    return {
        "id": f"sg-{name}-{key}",
        "name": f"{prefix}1",
        "name_prefix": prefix,
        "description": description,
        "vpc_id": "vpc-0123456789abcdef0",
        "revoke_rules_on_delete": True,
        "tags": {"Name": f"shop-dev-{key}"},
        "tags_all": {"Name": f"shop-dev-{key}"},
    }


@pytest.fixture(scope="session")
def planned_rules(
    checkout: Path, terraform_binary: str, terraform_environment: dict[str, str]
) -> dict[str, frozenset[AppliedRule]]:
    """The planned rules of each graph; of the chain also with a rule more, and with one less."""
    folder = checkout / "tests/modules/graphs"
    chain = rendered(CHAIN, "chain")
    texts = {
        "chain": chain,
        "more": chain.replace('"chain"', '"more"').replace("ingress = {\n", f"ingress = {{\n{INTRUDER}", 1),
        "less": re.sub(r'"web->orders:8080" = \{[^}]*\}', "", chain.replace('"chain"', '"less"'), count=1),
    }
    texts |= {name: rendered(made, name) for name, made in environments().items()}
    for name, text in texts.items():
        (folder / f"{name}.tf").write_text(text, encoding="utf-8")
    there = state({**environments(), "chain": CHAIN, "more": CHAIN, "less": CHAIN})
    (folder / "terraform.tfstate").write_text(json.dumps(there), encoding="utf-8")
    for arguments in (
        ["init"],
        ["plan", "-refresh=false", "-input=false", "-out=plan"],
        ["show", "-json", "plan"],
    ):
        done = subprocess.run(
            [terraform_binary, *arguments],
            cwd=folder,
            env=terraform_environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    modules = json.loads(done.stdout)["planned_values"]["root_module"]["child_modules"]
    return {
        module["address"].removeprefix("module."): frozenset(
            replace(rule, prefix_list="s3") if rule.prefix_list == _S3 else rule
            for rule in read_rules({"planned_values": {"root_module": module}})
        )
        for module in modules
    }


def test_in_every_plan_the_declared_calls_are_possible_and_nothing_else(
    planned_rules: dict[str, frozenset[AppliedRule]],
) -> None:
    found = {
        name: find_differences(made, graphs.reached(made, planned_rules[name]))
        for name, made in environments().items()
    }
    assert found == dict.fromkeys(environments(), ())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chain", ()),
        ("more", ("internet->stock:8080/tcp is open and not declared",)),
        ("less", ("web->orders:8080/tcp is declared and closed",)),
    ],
)
def test_an_added_or_missing_rule_in_a_plan_is_reported(
    planned_rules: dict[str, frozenset[AppliedRule]], name: str, expected: tuple[str, ...]
) -> None:
    assert find_differences(CHAIN, graphs.reached(CHAIN, planned_rules[name])) == expected
