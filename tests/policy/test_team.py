"""Custom rules in Python."""

from pathlib import Path

import pytest

from fleetform.base.errors import InputError
from fleetform.policy.rule import Rule, Severity, registry
from fleetform.policy.team import rules, rules_fingerprint
from fleetform.policy.trial import check_text, mistakes, view

RULE = """\
from fleetform.policy.rule import Severity, Undecided, Violation, rule


@rule(
    "{identifier}",
    "A title.",
    "thing",
    severity={severity},
    why="A reason.",
    link="https://example.com",
    good='resource "thing" "this" {{}}',
    bad='resource "thing" "this" {{\\n  bad = true\\n}}',
)
def rule_of_ours(resource, facts):
    {body}
"""
BODY = 'if resource.value("bad"):\n        yield Violation("it is bad", "fix it", ("bad",))'


def rule(identifier: str = "ACME001", body: str = BODY, severity: str = "Severity.LOW") -> str:
    """Return the text of a rule."""
    return RULE.format(identifier=identifier, body=body, severity=severity)


def write(root: Path, **texts: str) -> None:
    """Write files with rules."""
    (root / "policies").mkdir(exist_ok=True)
    for name, text in texts.items():
        (root / f"policies/{name}.py").write_text(text, encoding="utf-8")


def loaded(root: Path) -> Rule:
    """Return the only rule of a project."""
    (found,) = rules(root).values()
    return found


def test_a_project_without_rules_has_none(tmp_path: Path) -> None:
    assert rules(tmp_path) == {}


def test_rules_are_listed_by_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        b=rule("A1"),
        a=rule("B1") + rule("B0"),
        _c="1 / 0",
        test_d="1 / 0",
        e_test="1 / 0",
        conftest="1 / 0",
    )
    assert list(rules(tmp_path)) == ["B1", "B0", "A1"]
    assert list(rules(tmp_path)) == ["B1", "B0", "A1"]


def test_no_files_are_left_behind(tmp_path: Path) -> None:
    shipped = dict(registry())
    write(tmp_path, a=rule())
    rules(tmp_path)
    assert (
        registry().keys() - shipped.keys()
        == {name for name in registry() if name.startswith("FF")} - shipped.keys()
    )
    assert [path.name for path in (tmp_path / "policies").iterdir()] == ["a.py"]


def test_a_custom_rule_has_findings(tmp_path: Path) -> None:
    write(tmp_path, a=rule())
    (finding,) = check_text('resource "thing" "x" {\n  bad = true\n}\n', loaded(tmp_path)).findings
    place = "envs/tiny/services/main.tf:2:3"
    assert str(finding) == f"{place}: ACME001 thing.x: it is bad; fix it"
    assert finding.severity == Severity.LOW


def test_a_change_takes_effect_at_once(tmp_path: Path) -> None:
    write(tmp_path, a=rule())
    before = rules_fingerprint(tmp_path)
    assert check_text('resource "thing" "x" {}\n', loaded(tmp_path)).findings == []
    write(tmp_path, a=rule(body='yield Violation("no good", "go"   )' + " " * 30))
    assert len(check_text('resource "thing" "x" {}\n', loaded(tmp_path)).findings) == 1
    assert rules_fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef (", "policies/a.py:2:1: cannot be loaded: invalid syntax; fix it"),
        (
            "x = 1\n\n1 / 0\n",
            "policies/a.py:3:1: cannot be loaded: ZeroDivisionError: division by zero; fix it",
        ),
        (
            "import nowhere\n",
            "policies/a.py:1:1: cannot be loaded: ModuleNotFoundError: No module named 'nowhere'; fix it",
        ),
        (rule() + rule(), "policies/a.py:20:1: cannot be loaded: duplicate rule ID ACME001; fix it"),
        (rule("FF001"), "policies/a.py:4:1: cannot be loaded: duplicate rule ID FF001; fix it"),
        (
            rule("FF789"),
            "policies/a.py:4:1: invalid ID `FF789` for a custom rule; use one like ACME001 (FF is reserved)",
        ),
        (
            rule("acme 1"),
            "policies/a.py:4:1: invalid ID `acme 1` for a custom rule; use one like ACME001 (FF is reserved)",
        ),
        (rule(severity='"bad"'), "policies/a.py:4:1: unknown severity `bad`; known: high, medium, low"),
    ],
)
def test_an_invalid_file_is_reported_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, a=text)
    with pytest.raises(InputError) as raised:
        rules(tmp_path)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("yield resource.values['no']", "KeyError: 'no'"),
        ("return None", "TypeError: 'NoneType' object is not iterable"),
        (
            "yield 'bad'",
            "TypeError: a rule must yield `Violation` or `Undecided`, with a tuple as `at`, not 'bad'",
        ),
        ("yield 1", "TypeError: a rule must yield `Violation` or `Undecided`, with a tuple as `at`, not 1"),
        (
            "yield Undecided('a')",
            (
                "TypeError: a rule must yield `Violation` or `Undecided`, with a tuple as `at`, not"
                " Undecided(at='a')"
            ),
        ),
    ],
)
def test_a_failing_rule_is_reported_with_its_line(tmp_path: Path, body: str, message: str) -> None:
    write(tmp_path, a=rule(body=body))
    found = loaded(tmp_path)
    with pytest.raises(InputError) as raised:
        check_text(found.good, found)
    message_text = str(raised.value)
    assert message_text.removeprefix("policies/a.py:15:1: ").removeprefix("policies/a.py:1:1: ") == (
        f"ACME001 failed on thing.this: {message}; fix it"
    )


def test_correct_examples_are_valid(tmp_path: Path) -> None:
    write(tmp_path, a=rule())
    assert mistakes(loaded(tmp_path)) == []


def test_wrong_examples_are_mistakes(tmp_path: Path) -> None:
    write(tmp_path, a=rule(body='yield Violation("always", "never")') + rule("ACME002", body="yield from ()"))
    found = rules(tmp_path)
    assert mistakes(found["ACME001"]) == [
        "ACME001: `good` fails: envs/tiny/services/main.tf:1:1: ACME001 thing.this: always; never"
    ]
    assert mistakes(found["ACME002"]) == ["ACME002: `bad` does not fail"]


ENVIRONMENT_RULE = """\
from fleetform.policy.rule import Severity, Violation, environment_rule


@environment_rule(
    "ACME002",
    "A title.",
    "thing",
    severity=Severity.LOW,
    why="A reason.",
    link="https://example.com",
    good='resource "thing" "this" {}',
    bad='resource "thing" "this" {}\\n\\nresource "thing" "other" {}',
    keeps=lambda resource: resource.values["no"],
)
def only_one(view, environment):
    for thing in view.of("thing")[LIMIT:]:
        yield thing, Violation(f"{environment.name} has one already", "remove it")
"""


def test_a_custom_environment_rule_has_findings(tmp_path: Path) -> None:
    write(tmp_path, a=ENVIRONMENT_RULE.replace("LIMIT", "1"))
    found = loaded(tmp_path)
    assert [finding.message for finding in check_text(found.bad, found).findings] == ["tiny has one already"]
    assert mistakes(found) == []


def test_a_failing_environment_rule_is_reported_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, a=ENVIRONMENT_RULE)
    found = loaded(tmp_path)
    with pytest.raises(
        InputError, match=r"^policies/a\.py:16:1: ACME002 failed on tiny: NameError: name 'LIMIT' is"
    ):
        check_text(found.good, found)
    with pytest.raises(
        InputError, match=r"^policies/a\.py:13:1: ACME002 failed on thing\.this: KeyError: 'no'; fix"
    ):
        list(map(found.keeps, view(found.good).resources))  # type: ignore[arg-type]
