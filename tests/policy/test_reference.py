"""The documentation of the rules."""

import pytest

from fleetform.base.errors import InputError
from fleetform.policy import reference
from fleetform.policy.exceptions import EXPIRED
from fleetform.policy.exceptions import RULES as ABOUT_EXCEPTIONS
from fleetform.policy.rule import Rule, Severity

OPEN = Rule(
    "FF700",
    "Nothing is open.",
    Severity.HIGH,
    "What is open is found.",
    frozenset({"aws_b", "aws_a"}),
    "https://example.com/open",
    "open = false\n",
    "open = true | false\n",
    ("CKV_AWS_1", "CKV_AWS_2"),
)


def test_the_rules_about_exceptions_are_rules_too() -> None:
    assert list(reference.with_exception_rules({"FF700": OPEN})) == [
        "FF000",
        "FF700",
        "FF901",
        "FF902",
        "FF903",
        "FF904",
    ]


@pytest.mark.parametrize("written", ["FF700", "ff700"])
def test_a_rule_is_found_by_its_id(written: str) -> None:
    assert reference.find_rule({"FF700": OPEN}, written) == OPEN


def test_an_unknown_rule_is_refused_with_the_similar_one() -> None:
    with pytest.raises(InputError) as refused:
        reference.find_rule({"FF700": OPEN}, "FF7")
    assert str(refused.value) == "unknown rule `FF7`; did you mean `FF700`?"


def test_json_has_everything_about_a_rule() -> None:
    assert reference.to_json_data(OPEN) == {
        "id": "FF700",
        "title": "Nothing is open.",
        "severity": "high",
        "why": "What is open is found.",
        "link": "https://example.com/open",
        "good": "open = false\n",
        "bad": "open = true | false\n",
        "types": ["aws_a", "aws_b"],
        "checkov": ["CKV_AWS_1", "CKV_AWS_2"],
        "except": "# fleetform:allow FF700 <why it is accepted>",
    }


def test_a_rule_about_exceptions_has_no_exception_comment() -> None:
    assert [reference.exception_comment(rule) for rule in ABOUT_EXCEPTIONS.values()] == [""] * 5


def test_the_document_has_a_table_and_a_section_for_each_rule() -> None:
    assert reference.render_reference({"FF700": OPEN, "FF901": EXPIRED}) == (
        "<!-- Generated from here on: ./run schema -->\n\n"
        "## Rules\n\n"
        "| id | severity | title | checkov |\n"
        "| --- | --- | --- | --- |\n"
        "| [FF700](#ff700) | high | Nothing is open. | CKV_AWS_1, CKV_AWS_2 |\n"
        "| [FF901](#ff901) | medium | No exception has expired. |  |\n\n"
        '### <a id="ff700"></a>FF700: Nothing is open\n\n'
        "High. What is open is found. [Read more](https://example.com/open). checkov: CKV_AWS_1,"
        " CKV_AWS_2.\n\n"
        "Fails:\n\n```hcl\nopen = true | false\n```\n\n"
        "Passes:\n\n```hcl\nopen = false\n```\n\n"
        '### <a id="ff901"></a>FF901: No exception has expired\n\n'
        "Medium. A finding that was accepted for a limited time is due after that time. [Read"
        " more](#exceptions).\n\n"
        f"Fails:\n\n```yaml\n{EXPIRED.bad}\n```\n\n"
        f"Passes:\n\n```yaml\n{EXPIRED.good}\n```\n"
    )
