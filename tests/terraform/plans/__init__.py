"""Plans as `terraform show -json` has them, without what nobody reads.

`recorded.json` is what Terraform 1.11.4 said of a root of `terraform_data`, its ids made short; `fleet.json` is written
by hand after https://developer.hashicorp.com/terraform/internals/json-format.
"""

import json
from functools import cache
from pathlib import Path

from fleetform.terraform.plans import StackPlan, read


@cache
def recorded() -> StackPlan:
    """Each kind of change once."""
    return _read("services", "recorded")


@cache
def fleet() -> StackPlan:
    """What of AWS is risky, sensitive, unknown, drifted."""
    return _read("foundation", "fleet")


def text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")


def _read(stack: str, name: str) -> StackPlan:
    return read(stack, json.loads(text(name)))
