"""Answers of a rule on a text, in short."""

from fleetform.policy.rules import built_in_rules
from tests.policy.examples import check_text


def answers(identifier: str, text: str) -> list[str]:
    """Return the messages of findings, and `?` with the path of open answers; empty if the text passes."""
    verdicts = check_text(text, built_in_rules()[identifier])
    return [
        *(finding.message for finding in sorted(verdicts.findings)),
        *(f"? {'.'.join(map(str, question.at))}" for question in sorted(verdicts.open)),
    ]
