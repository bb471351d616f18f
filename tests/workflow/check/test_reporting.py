"""From problems and findings to diagnostics: source lines, ids, where to read on."""

from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CatalogError, Position, Problem
from fleetform.policy.finding import Finding
from fleetform.policy.rule import Rule, Severity
from fleetform.reports import Diagnostic, Level, Note, RuleText
from fleetform.validation.loading import load
from fleetform.workflow.check import reporting
from tests.catalog.catalogs import HEAD, project

FILE = PurePath("a.yaml")


def diagnostic(root: Path, content: str, line: int, column: int) -> Diagnostic:
    """What becomes of a problem in a file with this content."""
    (root / FILE).write_text(content, encoding="utf-8", newline="")
    return reporting.of_problems(root, [Problem(Position(FILE, line, column), "wrong", "fix it")])[0]


def test_a_problem_gets_its_line_and_the_key_that_is_there(tmp_path: Path) -> None:
    assert diagnostic(tmp_path, "region: Mars\n", 1, 9) == Diagnostic(
        FILE, 1, 9, "region", "wrong", "fix it", "docs/catalog.md#region", source="region: Mars"
    )


@pytest.mark.parametrize(
    ("content", "line", "column", "rule"),
    [
        ("services:\n  web:\n    cpu: 1\n", 3, 5, "services-cpu"),
        ("services:\n  web:\n    cpu: 1\n", 3, 10, "services-cpu"),
        ("services:\n  port:\n    cpu: 1\n", 2, 3, "services"),
        ("services:\n  web:\n    prot: 1\n", 3, 5, "services"),
        ("services:\n  web:\n    calls: [a, b]\n", 3, 16, "services-calls"),
        ("services:\n  web:\n    environment: { cpu: x }\n", 3, 25, "services-environment"),
        ("services: { web: { health_check: { interval: 0 } } }\n", 1, 46, "services-health_check-interval"),
        ("network: { cidr: x }\n", 1, 18, "network-cidr"),
        ("exceptions:\n  - rule: 1\n    reason: x\n", 3, 13, "exceptions-reason"),
        ("exceptions:\n  - rule: 1\n", 2, 5, "exceptions"),
        ("name: dev\n", 1, 1, "catalog"),
        ("region: a\nname: dev\n", 2, 1, "catalog"),
        ("# shop\nregion: a\n", 2, 1, "catalog"),
        ("# shop\nregion: a\n", 1, 1, "catalog"),
        ("account: a\nregion: [\n", 2, 9, "region"),
    ],
)
def test_the_id_is_the_documented_key_that_is_at_the_place(
    tmp_path: Path, content: str, line: int, column: int, rule: str
) -> None:
    assert diagnostic(tmp_path, content, line, column).rule == rule


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_end_where_yaml_ends_them(tmp_path: Path, ending: str) -> None:
    assert diagnostic(tmp_path, f"a: 1{ending}region: b", 2, 9).source == "region: b"


def test_a_byte_order_mark_is_not_part_of_the_first_line(tmp_path: Path) -> None:
    assert diagnostic(tmp_path, "\ufeffregion: a\n", 1, 9).source == "region: a"


def test_a_place_behind_the_last_line_is_an_empty_line(tmp_path: Path) -> None:
    assert diagnostic(tmp_path, "region: [", 2, 1).source == ""


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_is_missing_or_binary_has_no_line_to_show(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / FILE).write_bytes(content)
    problem = Problem(Position(FILE, 1, 1), "wrong", "fix it")
    assert reporting.of_problems(tmp_path, [problem]) == [
        Diagnostic(FILE, 1, 1, "catalog", "wrong", "fix it", "docs/catalog.md", source=None)
    ]


def test_a_problem_of_the_lock_links_to_the_documentation_of_locks(tmp_path: Path) -> None:
    file = PurePath("envs/dev/images.lock.yaml")
    assert reporting.of_problems(tmp_path, [Problem(Position(file, 1, 1), "wrong")]) == [
        Diagnostic(file, 1, 1, "images-lock", "wrong", documentation="docs/images.md#the-lock")
    ]


def test_problems_of_both_files_stay_in_order_each_with_its_line(tmp_path: Path) -> None:
    project(tmp_path, HEAD + "services: { web: { image: x, cpu: a } }\n", "region: 1\nzones: a\n")
    with pytest.raises(CatalogError) as refused:
        load(tmp_path, "dev")
    assert places(reporting.of_problems(tmp_path, refused.value.problems)) == [
        ("envs/catalog.yaml:5:35", "services: { web: { image: x, cpu: a } }"),
        ("envs/dev/environment.yaml:1:9", "region: 1"),
        ("envs/dev/environment.yaml:2:8", "zones: a"),
    ]


def places(diagnostics: Sequence[Diagnostic]) -> list[tuple[str, str | None]]:
    return [(diagnostic.place, diagnostic.source) for diagnostic in diagnostics]


def test_a_notice_is_a_warning(tmp_path: Path) -> None:
    problem = Problem(Position(FILE, 1, 1), "nobody calls `web`")
    assert reporting.of_problems(tmp_path, [problem], Level.WARNING) == [
        Diagnostic(
            FILE, 1, 1, "catalog", "nobody calls `web`", documentation="docs/catalog.md", level=Level.WARNING
        )
    ]


RULE = Rule(
    "FF003",
    "Logs end.",
    Severity.MEDIUM,
    "Logs cost money.",
    frozenset(),
    "https://example.com",
    "days = 1",
    "days = 0",
)


def finding(
    file: PurePath,
    severity: Severity = Severity.MEDIUM,
    cause: Position | None = None,
    origin: Position | None = None,
) -> Finding:
    place = Position(file, 2, 3)
    return Finding(
        place, "FF003", "x.y", "for ever", "set days", severity, "services", cause=cause, origin=origin
    )


def test_a_finding_gets_its_line_its_rule_and_the_lines_that_it_comes_from(tmp_path: Path) -> None:
    file = PurePath("extra.tf")
    (tmp_path / file).write_bytes('resource "x" "y" {\r\n  days = "é"\r\n}\r\n'.encode())
    cause, origin = Position(file, 1, 1), Position(PurePath("gone.yaml"), 1, 1)
    assert reporting.of_findings(tmp_path, [finding(file, cause=cause, origin=origin)], {"FF003": RULE}) == [
        Diagnostic(
            file,
            2,
            3,
            "FF003",
            "for ever",
            "set days",
            source='  days = "é"',
            severity="medium",
            address="x.y",
            stack="services",
            notes=(Note("in module", cause, 'resource "x" "y" {'), Note("from the catalog", origin, None)),
            topic=RuleText("Logs end.", "Logs cost money.", "https://example.com", "days = 1"),
        )
    ]


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.HIGH, Level.ERROR), (Severity.MEDIUM, Level.ERROR), (Severity.LOW, Level.WARNING)],
)
def test_all_but_the_least_findings_are_errors(tmp_path: Path, severity: Severity, level: Level) -> None:
    (diagnostic,) = reporting.of_findings(tmp_path, [finding(FILE, severity)], {})
    assert diagnostic.severity == severity
    assert diagnostic.level == level


@pytest.mark.parametrize("content", [None, "one line"])
def test_a_finding_on_a_deleted_line_shows_no_line(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / FILE).write_text(content, encoding="utf-8")
    assert places(reporting.of_findings(tmp_path, [finding(FILE)], {})) == [("a.yaml:2:3", None)]
