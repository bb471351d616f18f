"""Results of rules on texts and on their own examples."""

from pathlib import Path

from fleetform.policy.rule import Rule
from fleetform.policy.rules import built_in_rules
from fleetform.policy.trial import ENVIRONMENT, FACTS, FILE, STACK, check_text, view

__all__ = [
    "ENVIRONMENT",
    "FACTS",
    "FILE",
    "GOLDEN",
    "STACK",
    "check_text",
    "counted",
    "findings_text",
    "view",
]


def counted(text: str, identifier: str, *, protected: bool = True) -> tuple[int, int]:
    """Return how often a rule fails, and how often it is undecided."""
    verdicts = check_text(text, built_in_rules()[identifier], protected=protected)
    return len(verdicts.findings), len(verdicts.open)


GOLDEN = Path(__file__).parent / "findings"


def findings_text(rule: Rule) -> str:
    """Return the complete findings of a rule in its bad example, protected or not, as text."""
    found = {
        finding
        for protected in (True, False)
        for finding in check_text(rule.bad, rule, protected=protected).findings
    }
    return "".join(f"{finding.severity}: {finding}\n" for finding in sorted(found))
