from pathlib import Path

from tests.generated import Generated

from .plans import MODULES, Refusal


def test_messages(refusals: list[Refusal], generated: Generated) -> None:
    """A value that is not legal is refused with the legal ones."""
    messages = sorted(f"{refusal.call}: {refusal.message}\n" for refusal in refusals)
    generated.check(Path(__file__).parent / "refused/messages.txt", "".join(messages))


def test_each_rule_refuses(refusals: list[Refusal]) -> None:
    """Every validation rule of every module refuses something in ``refused/``."""
    rules = {
        f"{path.parent.name}/{path.name}:{number}"
        for path in MODULES.glob("*/variables.tf")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line == "  validation {"
    }
    assert {refusal.rule for refusal in refusals} == rules
