"""What rules say of texts, and what they find in their own bad examples."""

from pathlib import Path

from fleetform.policy.rule import Rule
from fleetform.policy.rules import shipped
from fleetform.policy.trial import ENVIRONMENT, FACTS, FILE, STACK, judged, view

__all__ = ["ENVIRONMENT", "FACTS", "FILE", "GOLDEN", "STACK", "counted", "judged", "told", "view"]


def counted(text: str, identifier: str, *, protected: bool = True) -> tuple[int, int]:
    """How often a rule fails, and how often it is undecided."""
    judgement = judged(text, shipped()[identifier], protected=protected)
    return len(judgement.findings), len(judgement.open)


GOLDEN = Path(__file__).parent / "findings"


def told(rule: Rule) -> str:
    """What a rule finds in its bad example, protected or not, as text: the whole of each finding."""
    found = {finding for protected in (True, False) for finding in judged(rule.bad, rule, protected=protected).findings}
    return "".join(f"{finding.severity}: {finding}\n" for finding in sorted(found))
