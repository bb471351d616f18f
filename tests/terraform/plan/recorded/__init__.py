"""Plans as `terraform show -json` has them, without what nobody reads.

`recorded.json` is what Terraform 1.11.4 said of a root of `terraform_data`, its ids made short; `fleet.json` is written
by hand after https://developer.hashicorp.com/terraform/internals/json-format. `pair.txt` and `pair.json` are what it
printed of one plan, with resources of AWS from a state written by hand, and what `show -json` says of that.
"""

import json
from functools import cache
from pathlib import Path

from fleetform.terraform.plan.models import StackPlan, read


@cache
def recorded() -> StackPlan:
    """Each kind of change once."""
    return _read("services", "recorded")


@cache
def fleet() -> StackPlan:
    """What of AWS is risky, sensitive, unknown, drifted."""
    return _read("foundation", "fleet")


@cache
def pair() -> StackPlan:
    """What the JSON of the pair says, without values."""
    return _read("services", "pair")


@cache
def printed() -> str:
    """The text of the pair, in colours."""
    return Path(__file__).with_name("pair.txt").read_text(encoding="utf-8")


def text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")


def _read(stack: str, name: str) -> StackPlan:
    return read(stack, json.loads(text(name)))
