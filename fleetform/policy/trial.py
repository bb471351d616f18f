"""Trial runs of rules: for their own examples, and for tests of custom rules."""

import warnings
from dataclasses import replace
from pathlib import PurePath

from fleetform.catalog.models import Environment, Network, Service
from fleetform.hcl.eval.modules import Declarations, Module, collect_declarations
from fleetform.hcl.eval.resource_view import View, find_resources
from fleetform.hcl.parsing import parse
from fleetform.policy.rule import Facts, Rule
from fleetform.policy.verdicts import Verdicts, check_environment, check_resources

STACK = PurePath("envs/tiny/services")
FILE = STACK / "main.tf"
FACTS = Facts("tiny", account="123456789012", public_ports=frozenset({443}), protected=True, private=True)
ENVIRONMENT = Environment(
    name="tiny",
    application="shop",
    account="123456789012",
    region="eu-central-1",
    zones=("eu-central-1a", "eu-central-1b"),
    network=Network(subnets="private"),
    protection=True,
    services={
        "web": Service(image="nginx:1.29", port=443, public=True, calls=("orders",)),
        "orders": Service(image="nginx:1.29", port=8080),
        "worker": Service(image="nginx:1.29"),
    },
)
"""A protected environment with private subnets, public on port 443."""


def view(text: str) -> View:
    """Return the resource view of a stack of one file."""
    files = [parse(text.encode(), FILE)]
    root = Module(lambda _: Declarations(), STACK, collect_declarations(files))
    return View(tuple(find_resources(root, STACK.name, [FILE])))


def check_text(text: str, rule: Rule, *, protected: bool = True) -> Verdicts:
    """Apply one rule to a stack of one file, in a protected or an unprotected environment."""
    rules, resource_view = {rule.id: rule}, view(text)
    verdicts = check_resources(resource_view.resources, rules, replace(FACTS, protected=protected))
    environment = ENVIRONMENT.model_copy(update={"protection": protected})
    verdicts.add(check_environment(resource_view, rules, environment))
    return verdicts


def mistakes(rule: Rule) -> list[str]:
    """Return the problems of a rule's own examples: empty if `good` passes and `bad` fails."""
    good, bad = check_text(rule.good, rule), check_text(rule.bad, rule)
    problems = [f"{rule.id}: `good` fails: {finding}" for finding in good.findings]
    problems += [f"{rule.id}: `good` leaves open: {question.address}" for question in good.open]
    if not (good.passed or problems):
        problems.append(f"{rule.id}: `good` has no resource that the rule checks")
    return problems if bad.findings else [*problems, f"{rule.id}: `bad` does not fail"]


def __getattr__(name: str) -> object:
    """Return `check_text` by the name under which older tests of custom policies import it."""
    if name != "judged":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    message = "`judged` is deprecated: import `check_text` from fleetform.policy.trial"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return check_text
