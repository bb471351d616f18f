"""What a rule says of a text, in short."""

from fleetform.policy.rules import shipped
from tests.policy.examples import judged


def answers(identifier: str, text: str) -> list[str]:
    """The messages of its findings, and `?` with the path of what it leaves open; nothing if the text passes."""
    judgement = judged(text, shipped()[identifier])
    return [
        *(finding.message for finding in sorted(judgement.findings)),
        *(f"? {'.'.join(map(str, question.at))}" for question in sorted(judgement.open)),
    ]
