"""Baselines: what was found when the policy was taken on fails no check; what comes later does."""

from pathlib import PurePath

import pytest

from fleetform.errors import InputError, Position
from fleetform.policy.baseline import Comparison, Entry, baseline_file, compare, read, written
from fleetform.policy.finding import Finding, Open
from fleetform.policy.rule import Severity

FILE = PurePath("envs/dev/services/extra.tf")


def finding(rule: str, address: str = "aws_x.this", line: int = 1, stack: str = "services") -> Finding:
    return Finding(Position(FILE, line, 1), rule, address, "open", "close it", Severity.HIGH, stack)


def test_a_baseline_has_a_line_for_each_finding_and_none_of_their_lines() -> None:
    findings = [finding("FF002", 'aws_x.this["a"]'), finding("FF001", line=7), finding("FF002", stack="foundation")]
    assert written(findings) == (
        '{\n  "findings": [\n'
        '    {"rule": "FF001", "stack": "services", "address": "aws_x.this"},\n'
        '    {"rule": "FF002", "stack": "foundation", "address": "aws_x.this"},\n'
        '    {"rule": "FF002", "stack": "services", "address": "aws_x.this[\\"a\\"]"}\n'
        "  ]\n}\n"
    )


def test_findings_about_exceptions_are_no_part_of_a_baseline() -> None:
    assert written([finding("FF000"), finding("FF901")]) == '{\n  "findings": []\n}\n'


def test_a_baseline_is_read_as_it_was_written() -> None:
    known = [finding("FF001"), finding("FF001"), finding("FF002")]
    assert read(written(known), "dev") == [
        Entry("FF001", "services", "aws_x.this"),
        Entry("FF001", "services", "aws_x.this"),
        Entry("FF002", "services", "aws_x.this"),
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
def test_what_is_no_baseline_is_refused_with_the_command_that_makes_one(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read(text, "dev")
    assert str(refused.value) == (
        "envs/dev/policy-baseline.json: not a valid baseline; "
        "`invoke check --env dev --write-baseline` creates it again"
    )


def test_a_finding_that_moved_is_no_new_one() -> None:
    entries = read(written([finding("FF001", line=1)]), "dev")
    assert compare([finding("FF001", line=9)], entries) == Comparison([], [])


def test_what_the_baseline_does_not_have_is_new() -> None:
    entries = read(written([finding("FF001")]), "dev")
    others = [finding("FF002"), finding("FF001", "aws_x.other"), finding("FF001", stack="foundation")]
    assert compare([finding("FF001"), *others], entries).new == others


def test_a_rule_that_is_broken_once_more_at_an_address_is_told_as_often_as_it_is_broken() -> None:
    twice = [finding("FF001", line=1), finding("FF001", line=2)]
    assert compare(twice, read(written(twice[:1]), "dev")) == Comparison(twice, [])


def test_an_entry_that_is_no_finding_any_more_is_gone() -> None:
    known = [finding("FF001"), finding("FF001"), finding("FF002")]
    assert compare(known[:1], read(written(known), "dev")) == Comparison(
        [], [Entry("FF001", "services", "aws_x.this"), Entry("FF002", "services", "aws_x.this")]
    )


@pytest.mark.parametrize(
    ("question", "is_gone"),
    [
        (Open("FF001", "services", 'aws_x.this["a"]', ()), False),
        (Open("FF001", "services", "aws_x.this[*]", ()), False),
        (Open("FF001", "services", "aws_y.this[*]", ()), True),
        (Open("FF001", "foundation", "aws_x.this[*]", ()), True),
        (Open("FF002", "services", "aws_x.this[*]", ()), True),
    ],
)
def test_an_entry_that_a_plan_may_yet_find_is_not_gone(question: Open, *, is_gone: bool) -> None:
    known = Entry("FF001", "services", 'aws_x.this["a"]')
    assert compare([], [known], [question]) == Comparison([], [known] if is_gone else [])


def test_the_baseline_stands_beside_the_environment() -> None:
    assert baseline_file("dev") == PurePath("envs/dev/policy-baseline.json")
