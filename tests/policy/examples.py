"""A rule's bad example, each as a stack of its own, and what the rule finds in it."""

from pathlib import Path

from fleetform.policy.rule import Rule
from fleetform.policy.trial import ENVIRONMENT, FACTS, judged, view

__all__ = ["ENVIRONMENT", "FACTS", "GOLDEN", "judged", "told", "view"]

GOLDEN = Path(__file__).parent / "findings"


def told(rule: Rule) -> str:
    """What a rule finds in its bad example, as text: the whole of each finding."""
    return "".join(f"{finding.severity}: {finding}\n" for finding in sorted(judged(rule.bad, rule).findings))
