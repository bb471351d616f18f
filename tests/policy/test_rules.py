"""Every rule on its own examples; the tests of their topics cover more."""

import re

import pytest

from fleetform.policy.rule import Rule
from fleetform.policy.rules import built_in_rules
from fleetform.policy.verdicts import Verdicts
from tests.generated import Generated

from .examples import GOLDEN, check_text, findings_text

RULES = list(built_in_rules().values())
NAMES = [rule.id for rule in RULES]


@pytest.mark.parametrize("protected", [True, False])
@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_good_example_passes(rule: Rule, protected: bool) -> None:  # noqa: FBT001 - a parameter
    verdicts = check_text(rule.good, rule, protected=protected)
    assert verdicts.findings == []
    assert verdicts.open == []
    assert verdicts.passed > 0


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_bad_example_has_the_findings_in_its_golden_file(rule: Rule, generated: Generated) -> None:
    generated.check(GOLDEN / f"{rule.id}.txt", findings_text(rule))


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_bad_example_has_findings(rule: Rule) -> None:
    assert findings_text(rule) != ""


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_nothing_at_all_has_no_findings(rule: Rule) -> None:
    assert check_text("", rule) == Verdicts()


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_has_a_complete_description(rule: Rule) -> None:
    assert re.fullmatch(r"FF\d{3}", rule.id)
    assert rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.link.startswith("https://")
    assert all(re.fullmatch(r"CKV2?_[A-Z]+_\d+", identifier) for identifier in rule.checkov)


def test_every_golden_file_has_its_rule() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(NAMES)
