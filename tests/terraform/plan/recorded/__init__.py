"""Plans as `terraform show -json` prints them, without the fields that are not read.

`recorded.json` is the plan of a root module of `terraform_data` by Terraform 1.11.4, with shortened ids.
`fleet.json` is written by hand after https://developer.hashicorp.com/terraform/internals/json-format.
`pair.txt` and `pair.json` are the text and the JSON of one plan, of AWS resources from a state written by
hand.
"""

import json
from functools import cache
from pathlib import Path

from fleetform.terraform.plan.models import StackPlan, read


@cache
def recorded() -> StackPlan:
    """Return a plan with each kind of change once."""
    return _read("services", "recorded")


@cache
def fleet() -> StackPlan:
    """Return a plan of AWS resources with risks, sensitive and unknown values, and drift."""
    return _read("foundation", "fleet")


@cache
def pair() -> StackPlan:
    """Return the plan of the pair, read from its JSON."""
    return _read("services", "pair")


@cache
def printed() -> str:
    """Return the text of the pair, in color."""
    return Path(__file__).with_name("pair.txt").read_text(encoding="utf-8")


def text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")


def _read(stack: str, name: str) -> StackPlan:
    return read(stack, json.loads(text(name)))
