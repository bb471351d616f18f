"""Baselines: findings at the time of adoption do not fail a check, later ones do."""

from pathlib import PurePath

import pytest

from fleetform.base.errors import InputError, Position
from fleetform.catalog.files import baseline_file
from fleetform.policy.baseline import Comparison, compare, parse, to_json
from fleetform.policy.finding import BaselineEntry, Finding, OpenAnswer
from fleetform.policy.rule import Severity

FILE = PurePath("envs/dev/services/extra.tf")


def finding(rule: str, address: str = "aws_x.this", line: int = 1, stack: str = "services") -> Finding:
    return Finding(Position(FILE, line, 1), rule, address, "open", "close it", Severity.HIGH, stack)


def test_a_baseline_has_a_line_for_each_finding_and_none_of_their_lines() -> None:
    findings = [
        finding("FF002", 'aws_x.this["a"]'),
        finding("FF001", line=7),
        finding("FF002", stack="foundation"),
    ]
    assert to_json(findings) == (
        '{\n  "findings": [\n'
        '    {"rule": "FF001", "stack": "services", "address": "aws_x.this"},\n'
        '    {"rule": "FF002", "stack": "foundation", "address": "aws_x.this"},\n'
        '    {"rule": "FF002", "stack": "services", "address": "aws_x.this[\\"a\\"]"}\n'
        "  ]\n}\n"
    )


def test_a_baseline_excludes_findings_about_exceptions() -> None:
    assert to_json([finding("FF000"), finding("FF901")]) == '{\n  "findings": []\n}\n'


def test_a_baseline_is_read_as_it_was_written() -> None:
    known = [finding("FF001"), finding("FF001"), finding("FF002")]
    assert parse(to_json(known), "dev") == [
        BaselineEntry("FF001", "services", "aws_x.this"),
        BaselineEntry("FF001", "services", "aws_x.this"),
        BaselineEntry("FF002", "services", "aws_x.this"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"findings": [1]}',
        '{"findings": {"a": 1}}',
        '{"findings": [{"rule": "FF001"}]}',
        '{"findings": [{"rule": 1, "stack": "a", "address": "b"}]}',
        '{"findings": [{"rule": "FF001", "stack": "a", "address": "b", "line": "1"}]}',
        "[" * 100_000,
    ],
)
def test_an_invalid_baseline_is_refused_with_the_command_that_creates_one(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(text, "dev")
    assert str(refused.value) == (
        "envs/dev/policy-baseline.json: not a valid baseline; "
        "`invoke check --env dev --write-baseline` creates it again"
    )


def test_a_moved_finding_is_not_new() -> None:
    entries = parse(to_json([finding("FF001", line=1)]), "dev")
    assert compare([finding("FF001", line=9)], entries) == Comparison([], [])


def test_a_finding_outside_the_baseline_is_new() -> None:
    entries = parse(to_json([finding("FF001")]), "dev")
    others = [finding("FF002"), finding("FF001", "aws_x.other"), finding("FF001", stack="foundation")]
    assert compare([finding("FF001"), *others], entries).new == others


def test_all_findings_of_a_rule_with_more_than_in_the_baseline_are_reported() -> None:
    twice = [finding("FF001", line=1), finding("FF001", line=2)]
    assert compare(twice, parse(to_json(twice[:1]), "dev")) == Comparison(twice, [])


def test_an_entry_without_a_finding_is_stale() -> None:
    known = [finding("FF001"), finding("FF001"), finding("FF002")]
    assert compare(known[:1], parse(to_json(known), "dev")) == Comparison(
        [],
        [BaselineEntry("FF001", "services", "aws_x.this"), BaselineEntry("FF002", "services", "aws_x.this")],
    )


@pytest.mark.parametrize(
    ("question", "is_gone"),
    [
        (OpenAnswer("FF001", "services", 'aws_x.this["a"]', ()), False),
        (OpenAnswer("FF001", "services", "aws_x.this[*]", ()), False),
        (OpenAnswer("FF001", "services", "aws_y.this[*]", ()), True),
        (OpenAnswer("FF001", "foundation", "aws_x.this[*]", ()), True),
        (OpenAnswer("FF002", "services", "aws_x.this[*]", ()), True),
    ],
)
def test_an_entry_that_a_plan_may_find_is_not_stale(question: OpenAnswer, *, is_gone: bool) -> None:
    known = BaselineEntry("FF001", "services", 'aws_x.this["a"]')
    assert compare([], [known], [question]) == Comparison([], [known] if is_gone else [])


def test_the_baseline_is_beside_the_environment() -> None:
    assert baseline_file("dev") == PurePath("envs/dev/policy-baseline.json")
