import pytest

from .plans import MODULES, Refusal


def test_messages(refusals: list[Refusal], pytestconfig: pytest.Config) -> None:
    """A value that is not legal is refused with the legal ones."""
    expected = (pytestconfig.rootpath / "tests/modules/refused/messages.txt").read_text(encoding="utf-8")
    assert sorted(f"{refusal.call}: {refusal.message}" for refusal in refusals) == expected.splitlines()


def test_each_rule_refuses(refusals: list[Refusal]) -> None:
    """Every validation rule of every module refuses something in ``refused/``."""
    rules = {
        f"{path.parent.name}/{path.name}:{number}"
        for path in MODULES.glob("*/variables.tf")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line == "  validation {"
    }
    assert {refusal.rule for refusal in refusals} == rules
