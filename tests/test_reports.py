"""Remarks as a person, a script, GitHub and code scanning read them."""

import json
import time
from pathlib import PurePath

import pytest

from fleetform import reports
from fleetform.reports import Level, Remark

FILE = PurePath("envs/catalog.yaml")
CALL = Remark(
    FILE,
    14,
    13,
    "services-calls",
    "`web` calls `ordres`, which is no service",
    "did you mean `orders`?",
    "docs/catalog.md#services-calls",
    source="    calls: [ordres]",
)
FINDING = Remark(PurePath("envs/dev/a b.tf"), 3, None, "FF003", "FF003 x.y: kept for ever", source='resource "x" "y" {')


def at(column: int, source: str) -> str:
    """The lines that show a place."""
    remark = Remark(FILE, 1, column, "catalog", "wrong", source=source)
    return reports.text([remark], color=False).removeprefix(f"envs/catalog.yaml:1:{column}: wrong\n")


def test_a_person_sees_the_line_the_place_the_remedy_and_where_to_read_on() -> None:
    assert reports.text([CALL], color=False) == (
        "envs/catalog.yaml:14:13: `web` calls `ordres`, which is no service\n"
        "  14 |     calls: [ordres]\n"
        "     |             ^^^^^^\n"
        "     = did you mean `orders`?\n"
        "     = docs/catalog.md#services-calls\n"
    )


def test_a_remark_about_a_whole_line_marks_no_column() -> None:
    assert reports.text([FINDING], color=False) == (
        'envs/dev/a b.tf:3: FF003 x.y: kept for ever\n   3 | resource "x" "y" {\n'
    )


def test_without_its_line_a_remark_is_one_line() -> None:
    assert reports.text([Remark(FILE, 2, 1, "catalog", "wrong", "mend it", "docs/catalog.md")], color=False) == (
        "envs/catalog.yaml:2:1: wrong; mend it\n"
    )


def test_a_warning_says_that_it_is_one() -> None:
    warning = Remark(FILE, 2, 1, "services", "nobody calls `web`", level=Level.WARNING)
    assert reports.text([warning], color=False) == "envs/catalog.yaml:2:1: warning: nobody calls `web`\n"


def test_a_blank_line_is_between_remarks() -> None:
    remark = Remark(FILE, 2, 1, "catalog", "wrong")
    assert (
        reports.text([remark, remark], color=False) == "envs/catalog.yaml:2:1: wrong\n\nenvs/catalog.yaml:2:1: wrong\n"
    )


def test_nothing_is_said_about_nothing() -> None:
    assert reports.text([], color=False) == ""


def test_colors_mark_the_place_and_how_bad_it_is() -> None:
    bold, red, blue, off = "\033[1m", "\033[1;31m", "\033[34m", "\033[0m"
    assert reports.text([CALL], color=True) == (
        f"{bold}envs/catalog.yaml:14:13:{off} `web` calls `ordres`, which is no service\n"
        f"{blue}  14 |{off}     calls: [ordres]\n"
        f"     {blue}|{off}             {red}^^^^^^{off}\n"
        f"     {blue}={off} did you mean `orders`?\n"
        f"     {blue}={off} docs/catalog.md#services-calls\n"
    )


@pytest.mark.parametrize(
    ("column", "source", "line", "marks"),
    [
        pytest.param(4, "a: b", "a: b", "   ^", id="a letter"),
        pytest.param(4, 'a: "b, \\" c" # d', 'a: "b, \\" c" # d', "   ^^^^^^^^^", id="double quotes"),
        pytest.param(4, "a: 'it''s [', c", "a: 'it''s [', c", "   ^^^^^^^^^", id="single quotes"),
        pytest.param(4, "a: b c # d", "a: b c # d", "   ^^^", id="several words"),
        pytest.param(4, "a: nginx:1.29", "a: nginx:1.29", "   ^^^^^^^^^^", id="a colon within"),
        pytest.param(1, "a-key: b", "a-key: b", "^^^^^", id="a key"),
        pytest.param(2, "[b, c]", "[b, c]", " ^", id="an item"),
        pytest.param(3, "a: [", "a: [", "  ^", id="a blank"),
        pytest.param(1, "", "", "^", id="an empty line"),
        pytest.param(5, "a: b", "a: b", "    ^", id="the end of the line"),
        pytest.param(5, "a:\t\tb", "a:      b", "        ^", id="tabs"),
        pytest.param(2, "\tb", "    b", "    ^", id="a tab that indents"),
        pytest.param(5, "日本: 名前 x", "日本: 名前 x", "      ^^^^^^", id="wide characters"),
        pytest.param(5, "👋: x", "👋: x", "     ^", id="an emoji"),
        pytest.param(4, "e\u0301: x", "e\u0301: x", "  ^", id="a combining accent"),
        pytest.param(4, "a: \x1b[31mb", "a: \\x1b[31mb", "   ^^^^", id="what a terminal would act on"),
        pytest.param(5, "a: \u202ex", "a: \\u202ex", "         ^", id="what turns the direction"),
    ],
)
def test_the_mark_is_under_the_place(column: int, source: str, line: str, marks: str) -> None:
    assert at(column, source) == f"{f'   1 | {line}'.rstrip()}\n     | {marks}\n"


def test_of_a_long_line_what_is_around_the_place_is_shown() -> None:
    assert at(201, "x" * 199 + " y " + "z" * 200) == (
        f"   1 | …{'x' * 59} y {'z' * 48}…\n     | {' ' * 61}{'^' * 50}\n"
    )


def test_of_a_long_line_with_a_place_at_its_beginning_the_beginning_is_shown() -> None:
    assert at(1, "[" + "x" * 200) == f"   1 | [{'x' * 109}…\n     | ^\n"


def test_many_problems_on_one_very_long_line_are_told_at_once() -> None:
    remark = Remark(FILE, 1, 1_000_000, "catalog", "wrong", source="x" * 5_000_000)
    started = time.perf_counter()
    assert reports.text([remark] * 1000, color=False).count("…") == 2000
    assert len(reports.as_json([remark] * 1000)) < 500_000
    assert time.perf_counter() - started < 5


def test_a_message_stays_on_its_line_whatever_it_quotes() -> None:
    remark = Remark(PurePath("a\n.yaml"), 1, 1, "yaml", "`a\nb`", "\x1b[2J", source="a")
    assert reports.text([remark], color=False) == ("a\\n.yaml:1:1: `a\\nb`\n   1 | a\n     | ^\n     = \\x1b[2J\n")


@pytest.mark.parametrize(("count", "said"), [(0, "0 problems"), (1, "1 problem"), (2, "2 problems")])
def test_remarks_are_counted(count: int, said: str) -> None:
    assert reports.counted([CALL] * count) == said


def test_scripts_get_every_part() -> None:
    assert json.loads(reports.as_json([CALL, FINDING])) == {
        "problems": [
            {
                "file": "envs/catalog.yaml",
                "line": 14,
                "column": 13,
                "rule": "services-calls",
                "message": "`web` calls `ordres`, which is no service",
                "remedy": "did you mean `orders`?",
                "documentation": "docs/catalog.md#services-calls",
                "level": "error",
            },
            {
                "file": "envs/dev/a b.tf",
                "line": 3,
                "column": None,
                "rule": "FF003",
                "message": "FF003 x.y: kept for ever",
                "remedy": "",
                "documentation": "",
                "level": "error",
            },
        ]
    }


def test_github_gets_a_command_for_each() -> None:
    warning = Remark(FILE, 2, 1, "services", "nobody calls `web`", level=Level.WARNING)
    assert reports.github([CALL, FINDING, warning]) == (
        "::error file=envs/catalog.yaml,line=14,col=13,title=services-calls::"
        "`web` calls `ordres`, which is no service; did you mean `orders`?\n"
        "::error file=envs/dev/a b.tf,line=3,title=FF003::FF003 x.y: kept for ever\n"
        "::warning file=envs/catalog.yaml,line=2,col=1,title=services::nobody calls `web`\n"
    )


def test_what_github_would_take_for_its_own_is_escaped() -> None:
    remark = Remark(PurePath("a,b:c%.yaml"), 1, 1, "yaml", "100%: a, b::c", "\r\n::error::x")
    assert reports.github([remark]) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=yaml::100%25: a, b::c; \\r\\n::error::x\n"
    )


def test_code_scanning_gets_results_rules_and_relative_uris() -> None:
    assert json.loads(reports.sarif([CALL, FINDING, CALL])) == {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Fleetform",
                        "rules": [
                            {"id": "FF003"},
                            {"id": "services-calls", "help": {"text": "docs/catalog.md#services-calls"}},
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [SARIF_CALL, SARIF_FINDING, SARIF_CALL],
            }
        ],
    }


SARIF_CALL = {
    "ruleId": "services-calls",
    "ruleIndex": 1,
    "level": "error",
    "message": {"text": "`web` calls `ordres`, which is no service; did you mean `orders`?"},
    "locations": [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "envs/catalog.yaml"},
                "region": {"startLine": 14, "startColumn": 13},
            }
        }
    ],
}
SARIF_FINDING = {
    "ruleId": "FF003",
    "ruleIndex": 0,
    "level": "error",
    "message": {"text": "FF003 x.y: kept for ever"},
    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "envs/dev/a%20b.tf"}, "region": {"startLine": 3}}}],
}


def test_code_scanning_gets_a_whole_document_about_nothing() -> None:
    run = json.loads(reports.sarif([]))["runs"][0]
    assert (run["tool"]["driver"]["rules"], run["results"]) == ([], [])


# What the schema of SARIF 2.1.0 requires of each kind of object that we write.
SARIF_REQUIRED = {
    "": {"version", "runs"},
    "runs": {"tool"},
    "tool": {"driver"},
    "driver": {"name"},
    "rules": {"id"},
    "help": {"text"},
    "results": {"message"},
    "message": {"text"},
    "locations": set(),
    "physicalLocation": {"artifactLocation"},
    "artifactLocation": {"uri"},
    "region": {"startLine"},
}


def missing(name: str, value: object) -> set[str]:
    """Keys that a part of a SARIF document lacks, each with the part's name before it; of all below it too."""
    if isinstance(value, list):
        return set().union(*(missing(name, item) for item in value))
    if not isinstance(value, dict):
        return set()
    lacking = {f"{name}.{key}" for key in SARIF_REQUIRED[name] - value.keys()}
    return lacking.union(*(missing(key, child) for key, child in value.items()))


def test_code_scanning_gets_all_that_the_schema_requires() -> None:
    assert missing("", json.loads(reports.sarif([CALL, FINDING]))) == set()
