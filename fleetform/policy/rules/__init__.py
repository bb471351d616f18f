"""The rules that ship, a file for each topic. To add one is to declare it in its file."""

from collections.abc import Mapping
from importlib import import_module

from fleetform.policy.rule import Rule, registered

TOPICS = (
    *("security_groups", "repositories", "logs", "iam", "network", "load_balancers", "discovery", "calls"),
    *("containers", "images", "secrets", "tasks", "services", "clusters", "keys", "alarms"),
    *("trust", "storage", "encryption", "recovery", "instances", "terraform", "cost"),
)
"""The files, in the order in which their rules are listed."""


def shipped() -> Mapping[str, Rule]:
    """All of them, by id."""
    for topic in TOPICS:
        import_module(f"{__name__}.{topic}")
    return registered()
