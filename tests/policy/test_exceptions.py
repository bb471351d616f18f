"""Exceptions in the catalog and in comments: their effect, and findings about them."""

from collections.abc import Sequence
from datetime import date
from pathlib import PurePath

import pytest

from fleetform.base.errors import Position
from fleetform.policy.exceptions import (
    AllowComment,
    ExceptionContext,
    ExceptionEntry,
    apply_exceptions,
    find_comments,
)
from fleetform.policy.finding import Finding, OpenAnswer
from fleetform.policy.rule import Severity
from tests import golden

FILE = PurePath("envs/dev/services/extra.tf")
YAML = PurePath("envs/dev/environment.yaml")
TODAY = date(2026, 6, 30)
KNOWN = ("FF001", "FF012", "FF013")
OPEN = Finding(Position(FILE, 3, 5), "FF012", "aws_x.this", "open", "close it", Severity.HIGH)
WHY = "it is open on purpose"


def exception(rule: str = "FF012", address: str = "aws_x.this", until: date | None = None) -> ExceptionEntry:
    return ExceptionEntry(rule, address, until)


def remaining(
    exceptions: Sequence[ExceptionEntry] = (),
    comments: Sequence[AllowComment] = (),
    findings: Sequence[Finding] = (OPEN,),
    undecided: Sequence[OpenAnswer] = (),
) -> list[Finding]:
    """Return the remaining findings; the first exception of the catalog is on line 10."""
    context = ExceptionContext(TODAY, KNOWN, lambda index: Position(YAML, 10 + index, 5), undecided)
    return apply_exceptions(findings, exceptions, comments, context)


def about_catalog(
    rule: str, address: str, message: str, remedy: str, severity: Severity = Severity.MEDIUM
) -> Finding:
    """Return a finding about the catalog's first exception."""
    return Finding(Position(YAML, 10, 5), rule, address, message, remedy, severity)


def about_comment(rule: str, message: str, remedy: str, severity: Severity = Severity.MEDIUM) -> Finding:
    """Return a finding about a comment on the first line."""
    return Finding(Position(FILE, 1, 1), rule, "fleetform:allow", message, remedy, severity)


@pytest.mark.parametrize("address", ["aws_x.this", "aws_x.*", "*.this", "*"])
def test_an_accepted_finding_is_not_reported(address: str) -> None:
    assert remaining([exception(address=address)]) == []


@pytest.mark.parametrize(
    ("rule", "address"),
    [("FF001", "aws_x.this"), ("FF012", "aws_x.thi"), ("FF012", "aws_x.thi?"), ("FF012", "aws_x.thi[s]")],
)
def test_an_exception_for_something_else_is_unused_and_keeps_the_finding(rule: str, address: str) -> None:
    unused = about_catalog(
        "FF000", address, f"the exception for {rule} matches no finding", "remove it", Severity.LOW
    )
    assert remaining([exception(rule, address)]) == [unused, OPEN]


@pytest.mark.parametrize("address", ['aws_x.this["a"]', 'aws_x.this["*"]', "*[*]"])
def test_brackets_in_an_address_are_literal(address: str) -> None:
    finding = Finding(Position(FILE, 3, 5), "FF012", 'aws_x.this["a"]', "open", "close it", Severity.HIGH)
    assert remaining([exception(address=address)], findings=[finding]) == []


def test_an_exception_applies_on_its_last_day() -> None:
    assert remaining([exception(until=TODAY)]) == []


def test_an_expired_exception_is_a_finding_beside_the_original_one() -> None:
    ended = about_catalog(
        "FF901",
        "aws_x.this",
        "the exception for FF012 expired on 2026-06-29",
        "fix the finding, or set a later `until`",
    )
    assert remaining([exception(until=date(2026, 6, 29))]) == [ended, OPEN]


def test_an_expired_exception_without_a_finding_is_only_unused() -> None:
    assert [finding.rule for finding in remaining([exception(until=date(2020, 1, 1))], findings=[])] == [
        "FF000"
    ]


def test_an_exception_for_an_unknown_rule_suggests_the_similar_one() -> None:
    unknown = about_catalog("FF902", "aws_x.this", "unknown rule `FF12`", "did you mean `FF012`?")
    assert remaining([exception("FF12")]) == [unknown, OPEN]


def test_rules_about_exceptions_cannot_have_exceptions() -> None:
    message = "FF901 is a rule about exceptions, and cannot have exceptions"
    refused = about_catalog("FF902", "*", message, "remove the exception")
    assert remaining([exception("FF901", "*")], findings=[]) == [refused]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (OpenAnswer("FF012", "services", "aws_x.this", ()), []),
        (OpenAnswer("FF012", "services", "aws_x.*", ()), []),
        (OpenAnswer("FF012", "services", "aws_y.this", ()), ["FF000"]),
        (OpenAnswer("FF013", "services", "aws_x.this", ()), ["FF000"]),
    ],
)
def test_an_exception_for_an_open_answer_is_not_unused(question: OpenAnswer, expected: list[str]) -> None:
    assert [
        finding.rule for finding in remaining([exception()], findings=[], undecided=[question])
    ] == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (OpenAnswer("FF012", "services", "aws_y.this", ()), []),
        (OpenAnswer("FF012", "foundation", "aws_y.this", ()), ["FF000"]),
        (OpenAnswer("FF013", "services", "aws_y.this", ()), ["FF000"]),
    ],
)
def test_a_comment_for_an_open_answer_in_its_stack_is_not_unused(
    question: OpenAnswer, expected: list[str]
) -> None:
    assert [
        finding.rule for finding in remaining(comments=[comment()], findings=[], undecided=[question])
    ] == expected


def test_each_exception_is_reported_at_its_own_position() -> None:
    wrong = [exception(), exception("FF013"), exception("FF001")]
    assert [finding.place.line for finding in remaining(wrong)] == [11, 12]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("# fleetform:allow FF012 {why}\na = 1\n", [2], id="above"),
        pytest.param("// fleetform:allow FF012 {why}\na = 1\n", [2], id="with slashes"),
        pytest.param("#fleetform:allow FF012 {why}\na = 1\n", [2], id="without a blank"),
        pytest.param("a = 1 # fleetform:allow FF012 {why}\nb = 2\n", [1], id="beside"),
        pytest.param(
            "# fleetform:allow FF012 {why}\n# more\n\n  /* and\n more */\na = 1\n", [6], id="above more"
        ),
        pytest.param(
            '# fleetform:allow FF012 {why}\nx "y" {{\n  a = [\n  ]\n}}\nb = 2\n', [2, 3, 4, 5], id="a block"
        ),
        pytest.param(
            'x "y" {{ // fleetform:allow FF012 {why}\n  a = 1\n}}\nb = 2\n', [1, 2, 3], id="beside a block"
        ),
        pytest.param('# fleetform:allow FF012 {why}\nx = "{{"\nb = 2\n', [2], id="a bracket in a string"),
        pytest.param(
            "# fleetform:allow FF012 {why}\nx {{ # }}\n  a = 1\n}}\n", [2, 3, 4], id="a bracket in a comment"
        ),
        pytest.param(
            "# fleetform:allow FF012 {why}\nx {{\n  a = <<-EOT\n    }}\n  EOT\n}}\nb = 2\n",
            [2, 3, 4, 5, 6],
            id="a heredoc",
        ),
        pytest.param('# fleetform:allow FF012 {why}\na = "${{b["#"]}}"\n', [2], id="a string in a string"),
        pytest.param("# fleetform:allow FF012 {why}\n}}\nb = 2\n", [2], id="above the end of a block"),
        pytest.param("# fleetform:allow FF012 {why}\nx {{\n", [2, 3], id="a block without an end"),
        pytest.param("# fleetform:allow FF012 {why}", [1], id="above nothing"),
        pytest.param("# fleetform:allow FF012 {why}\r\na = 1\r\n", [2], id="lines of Windows"),
    ],
)
def test_a_comment_applies_to_its_line_or_to_the_construct_on_the_next(text: str, lines: list[int]) -> None:
    (found,) = find_comments(text.format(why=WHY), FILE)
    assert found.rules == ("FF012",)
    assert found.reason == WHY
    assert list(found.lines) == lines


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('a = "# fleetform:allow FF012 no comment"\n', id="a string"),
        pytest.param('a = "\\" # fleetform:allow FF012 no comment"\n', id="a quoted quote"),
        pytest.param("a = <<EOT\n# fleetform:allow FF012 no comment\nEOT\n", id="a heredoc"),
        pytest.param("a = <<-EOT\n  # fleetform:allow FF012 no comment\n  EOT\n", id="an indented heredoc"),
        pytest.param("/*\n# fleetform:allow FF012 not of this kind\n*/\n", id="a long comment"),
        pytest.param("# see fleetform:allow FF012 in the guide\n", id="prose"),
        pytest.param("# fleetform:allowed FF012 another word\n", id="another word"),
    ],
)
def test_text_that_looks_like_a_comment_is_ignored(text: str) -> None:
    assert find_comments(text, FILE) == ()


def test_a_comment_names_several_rules_with_commas() -> None:
    assert find_comments(f"a = 1\n  # fleetform:allow FF012,FF013 , FF001 {WHY}\nb = 2\n", FILE) == (
        AllowComment(Position(FILE, 2, 3), ("FF012", "FF013", "FF001"), WHY, range(3, 4)),
    )


def test_a_file_with_an_unclosed_string_is_read_quickly() -> None:
    assert find_comments('# fleetform:allow FF012 x\na = "' + "${a}" * 50_000, FILE)[0].lines == range(2, 3)


def comment(
    rules: tuple[str, ...] = ("FF012",), reason: str = WHY, lines: range = range(3, 4)
) -> AllowComment:
    return AllowComment(Position(FILE, 1, 1), rules, reason, lines)


def test_a_comment_covers_findings_on_its_lines() -> None:
    assert remaining(comments=[comment()]) == []


@pytest.mark.parametrize(
    "elsewhere",
    [comment(lines=range(4, 9)), AllowComment(Position(YAML, 1, 1), ("FF012",), WHY, range(3, 4))],
)
def test_a_comment_about_other_lines_or_files_is_unused(elsewhere: AllowComment) -> None:
    assert {finding.rule for finding in remaining(comments=[elsewhere])} == {"FF000", "FF012"}


def test_each_rule_of_a_comment_must_match_a_finding() -> None:
    unused = about_comment("FF000", "the exception for FF013 matches no finding", "remove it", Severity.LOW)
    unknown = about_comment("FF902", "unknown rule `FF12`", "did you mean `FF012`?")
    assert remaining(comments=[comment(("FF012", "FF013", "FF12"))]) == [unused, unknown]


def test_a_comment_without_a_reason_has_no_effect() -> None:
    expected = about_comment(
        "FF903",
        "the exception for FF012 has no reason",
        "add one of at least 10 characters: `# fleetform:allow FF012 reason`",
    )
    assert remaining(comments=[comment(reason="because")]) == [expected, OPEN]


def test_a_comment_without_a_rule_is_reported_with_the_format() -> None:
    expected = about_comment("FF902", "the exception names no rule", "write `# fleetform:allow FF012 reason`")
    assert remaining(comments=find_comments("# fleetform:allow\na = 1\n", FILE), findings=[]) == [expected]


def test_a_comment_in_a_generated_file_has_no_effect_and_names_the_catalog() -> None:
    generated = (golden.FOLDER / "minimal/expected/services/service_worker.tf").read_text(encoding="utf-8")
    header, _, rest = generated.partition("\n")
    comments = find_comments(f"{header}\n\n# fleetform:allow FF012 {WHY}{rest}", FILE)
    message = "the next render removes this exception"
    remedy = "add it to `exceptions` in the catalog"
    expected = Finding(Position(FILE, 3, 1), "FF904", "fleetform:allow", message, remedy, Severity.MEDIUM)
    finding = Finding(Position(FILE, 4, 1), "FF012", "aws_x.this", "open", "close it", Severity.HIGH)
    assert remaining(comments=comments, findings=[finding]) == [expected, finding]
