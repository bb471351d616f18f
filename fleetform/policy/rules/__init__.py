"""The built-in rules, a file for each topic. To add a rule, declare it in the file of its topic."""

from collections.abc import Mapping
from importlib import import_module

from fleetform.policy.rule import Rule, registry

TOPICS = (
    *("security_groups", "repositories", "logs", "iam", "network", "load_balancers", "discovery", "calls"),
    *("containers", "images", "secrets", "tasks", "services", "clusters", "keys", "alarms"),
    *("trust", "storage", "encryption", "recovery", "instances", "terraform", "cost"),
)
"""The files, in the order in which their rules are listed."""


def built_in_rules() -> Mapping[str, Rule]:
    """Return all built-in rules, by ID."""
    for topic in TOPICS:
        import_module(f"{__name__}.{topic}")
    return registry()
