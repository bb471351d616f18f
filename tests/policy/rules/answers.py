"""Answers of a rule on a text, in short."""

from fleetform.policy.rules import shipped
from tests.policy.examples import judged


def answers(identifier: str, text: str) -> list[str]:
    """Return the messages of findings, and `?` with the path of open answers; empty if the text passes."""
    judgement = judged(text, shipped()[identifier])
    return [
        *(finding.message for finding in sorted(judgement.findings)),
        *(f"? {'.'.join(map(str, question.at))}" for question in sorted(judgement.open)),
    ]
