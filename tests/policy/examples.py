"""Results of rules on texts and on their own examples."""

from pathlib import Path

from fleetform.policy.rule import Rule
from fleetform.policy.rules import shipped
from fleetform.policy.trial import ENVIRONMENT, FACTS, FILE, STACK, judged, view

__all__ = ["ENVIRONMENT", "FACTS", "FILE", "GOLDEN", "STACK", "counted", "judged", "told", "view"]


def counted(text: str, identifier: str, *, protected: bool = True) -> tuple[int, int]:
    """Return how often a rule fails, and how often it is undecided."""
    judgement = judged(text, shipped()[identifier], protected=protected)
    return len(judgement.findings), len(judgement.open)


GOLDEN = Path(__file__).parent / "findings"


def told(rule: Rule) -> str:
    """Return the complete findings of a rule in its bad example, protected or not, as text."""
    found = {finding for protected in (True, False) for finding in judged(rule.bad, rule, protected=protected).findings}
    return "".join(f"{finding.severity}: {finding}\n" for finding in sorted(found))
