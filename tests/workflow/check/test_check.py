"""`invoke check`: findings, exceptions, and the documentation of rules."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CheckFailedError, InputError, Position, ProgramError
from fleetform.cli import policy, policy_report, render, rules
from fleetform.cli.policy import OutputOptions
from fleetform.policy.finding import Finding, OpenAnswer, Stage
from fleetform.policy.reference import to_json_data
from fleetform.policy.rule import Rule, Severity
from fleetform.validation.loading import load
from fleetform.workflow.check import assessment
from fleetform.workflow.check.assessment import Assessment, assess
from fleetform.workflow.project import Project
from tests import small_project
from tests.small_project import OPEN

EXTRA = "envs/tiny/services/extra.tf"
YAML = "envs/tiny/environment.yaml"
BASELINE = "envs/tiny/policy-baseline.json"
LOGS = 'resource "aws_cloudwatch_log_group" "extra" {\n  name = "extra"\n}\n'
REPOSITORY = f'resource "aws_ecr_repository" "extra" {{\n  name = "extra"\n}}\n{small_project.REGISTRY}'
WHY = "it is accepted here"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project.make(tmp_path)


def printed(project: Project) -> list[str]:
    """What is found: where, which rule, of what."""
    return [f"{found.place}: {found.rule} {found.address}" for found in assess(project, "tiny").findings]


def accept(project: Project, file: str, *exceptions: str) -> None:
    """Writes exceptions to a file of the catalog, from its second line on."""
    path = project.root / file
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(
        "\n".join([first, "exceptions:", *(f"  - {text}" for text in exceptions), rest]), encoding="utf-8"
    )


def day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days)).isoformat()


def test_the_sample_environments_have_no_findings(sample_copy: Path) -> None:
    project = Project(sample_copy)
    assert [assess(project, env).findings for env in ("dev", "local", "prod")] == [[], [], []]


def test_what_development_accepts_is_what_its_exceptions_are_for(sample_copy: Path) -> None:
    yaml = sample_copy / "envs/dev/environment.yaml"
    text = yaml.read_text(encoding="utf-8")
    accepted = [(exception.rule, exception.address) for exception in load(sample_copy, "dev").exceptions]
    yaml.write_text(text[: text.index("exceptions:")], encoding="utf-8")
    found = assess(Project(sample_copy), "dev").findings
    assert [(finding.rule, finding.address) for finding in found] == accepted


def test_an_exception_of_the_catalog_accepts_a_finding_until_its_day(project: Project) -> None:
    small_project.write(project, EXTRA, LOGS)
    accept(project, YAML, f"{{ rule: FF003, address: '*.extra', reason: {WHY}, until: {day(1)} }}")
    assert printed(project) == []


def test_from_then_on_the_finding_is_back_and_the_exception_is_reported_at_its_line(project: Project) -> None:
    small_project.write(project, EXTRA, LOGS)
    accept(project, YAML, f"{{ rule: FF003, address: '*.extra', reason: {WHY}, until: {day(-1)} }}")
    assert printed(project) == [
        f"{YAML}:3:5: FF901 *.extra",
        f"{EXTRA}:1:1: FF003 aws_cloudwatch_log_group.extra",
    ]


@pytest.mark.parametrize("file", [YAML, "envs/catalog.yaml"])
def test_an_exception_that_is_wrong_is_reported_where_it_is_written(project: Project, file: str) -> None:
    unused, unknown = (f"{{ rule: {rule}, address: x, reason: {WHY} }}" for rule in ("FF003", "FF03"))
    accept(project, file, unused, unknown)
    assert printed(project) == [f"{file}:3:5: FF000 x", f"{file}:4:5: FF902 x"]


def test_a_comment_accepts_a_finding_of_the_block_below(project: Project) -> None:
    small_project.write(project, EXTRA, f"# fleetform:allow FF003 {WHY}\n{LOGS}{REPOSITORY}")
    assert printed(project) == [f"{EXTRA}:5:1: FF002 aws_ecr_repository.extra"]


def test_a_comment_that_is_wrong_is_reported_at_its_line(project: Project) -> None:
    small_project.write(project, EXTRA, f"# fleetform:allow FF003 because\n{LOGS}")
    assert [line.partition(": ")[2] for line in printed(project)] == [
        "FF903 fleetform:allow",
        "FF003 aws_cloudwatch_log_group.extra",
    ]


def test_what_is_in_the_baseline_fails_no_check(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    small_project.write(project, EXTRA, LOGS)
    policy_report.write_baseline(project, "tiny")
    small_project.write(project, EXTRA, f"\n{LOGS}")
    render.check(project, "tiny", OutputOptions(), validate=False)
    assert capsys.readouterr().out == f"{BASELINE}: 1 finding\nno findings; 1 more in the baseline{OPEN}\n"


def test_what_is_new_beside_the_baseline_fails_the_check(project: Project) -> None:
    small_project.write(project, EXTRA, LOGS)
    policy_report.write_baseline(project, "tiny")
    small_project.write(project, EXTRA, LOGS + REPOSITORY)
    with pytest.raises(CheckFailedError) as failed:
        render.check(project, "tiny", OutputOptions(), validate=False)
    assert str(failed.value) == f"1 finding (1 high) in envs/tiny; 1 more in the baseline{OPEN}"


def test_a_fixed_finding_has_to_leave_the_baseline(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project.write(project, EXTRA, LOGS)
    policy_report.write_baseline(project, "tiny")
    (project.root / EXTRA).unlink()
    render.check(project, "tiny", OutputOptions(), validate=False)
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"no findings{OPEN}; 1 baseline entry is obsolete: invoke check --env tiny --write-baseline"
    ]
    policy_report.write_baseline(project, "tiny")
    assert capsys.readouterr().out == f"no findings: no {BASELINE} is needed\n"
    assert not (project.root / BASELINE).exists()


def test_a_baseline_that_is_none_is_wrong_input(project: Project) -> None:
    small_project.write(project, BASELINE, "[]\n")
    with pytest.raises(InputError, match=r"^envs/tiny/policy-baseline.json: not a valid baseline; "):
        assess(project, "tiny")


def test_a_baseline_that_cannot_be_read_is_wrong_input(project: Project) -> None:
    (project.root / BASELINE).mkdir()
    with pytest.raises(InputError, match=r"^envs/tiny/policy-baseline.json: cannot be read: "):
        assess(project, "tiny")


def test_a_baseline_that_cannot_be_written_is_reported(project: Project) -> None:
    small_project.write(project, EXTRA, LOGS)
    (project.root / BASELINE).mkdir()
    with pytest.raises(ProgramError, match=r"^envs/tiny/policy-baseline.json: cannot be written: "):
        assessment.write_baseline(project, "tiny")


@pytest.mark.parametrize(
    ("fail_on", "fails"),
    [("high", ["high"]), ("medium", ["high", "medium"]), ("low", ["high", "medium", "low"])],
)
def test_only_findings_as_bad_as_asked_for_fail_the_check(fail_on: str, fails: list[str]) -> None:
    assert [severity for severity in Severity if is_failed(severity, fail_on)] == fails


def is_failed(severity: Severity, fail_on: str) -> bool:
    found = Finding(Position(PurePath(EXTRA), 1, 1), "FF001", "x.y", "open", "close it", severity)
    try:
        policy.require_passing("tiny", Assessment([found]), OutputOptions(fail_on=fail_on))
    except CheckFailedError:
        return True
    return False


def test_findings_below_the_limit_are_reported_too(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project.write(project, EXTRA, LOGS)
    render.check(project, "tiny", OutputOptions(fail_on="high"), validate=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{EXTRA}:1:1: medium: FF003 aws_cloudwatch_log_group.extra: logs are kept forever"
    assert lines[-1] == f"1 finding (1 medium) in envs/tiny{OPEN}"


def test_a_severity_that_there_is_not_is_refused_with_the_one_that_may_be_meant() -> None:
    with pytest.raises(InputError, match=r"^--fail-on: unknown severity `hihg`; did you mean `high`\?$"):
        OutputOptions(fail_on="hihg")


def test_questions_that_only_a_plan_can_answer_are_counted() -> None:
    question = OpenAnswer("FF001", "services", "x.y", ())
    assert [policy.summarize("tiny", Assessment([], [question] * count)) for count in (0, 1, 2)] == [
        "no findings",
        "no findings; 1 answer is open until a plan: invoke check --env tiny --plan",
        "no findings; 2 answers are open until a plan: invoke check --env tiny --plan",
    ]


def test_scripts_get_the_places_that_a_finding_comes_from(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    place, cause, origin = (Position(PurePath(f"{name}.tf"), 1, 2) for name in "abc")
    found = Finding(
        place, "FF001", "x.y", "open", "close it", Severity.HIGH, "services", Stage.PLAN, cause, origin
    )
    policy.report(project, Assessment([found]), [], OutputOptions(as_json=True))
    assert json.loads(capsys.readouterr().out) == [
        {
            "file": "a.tf",
            "line": 1,
            "column": 2,
            "rule": "FF001",
            "severity": "high",
            "stack": "services",
            "address": "x.y",
            "message": "open",
            "remedy": "close it",
            "stage": "plan",
            "cause": {"file": "b.tf", "line": 1, "column": 2},
            "origin": {"file": "c.tf", "line": 1, "column": 2},
        }
    ]


RULE = Rule(
    "FF700",
    "Nothing is open.",
    Severity.HIGH,
    "What is open is found.",
    frozenset({"aws_x"}),
    "https://example.com/open",
    'x "y" {\n\n  open = false\n}\n',
    "open = true\n",
    ("CKV_AWS_1",),
)


NOWHERE = Project(Path("nowhere"))


@pytest.fixture
def only_rule(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """The only rule that is registered; afterwards all are again."""
    monkeypatch.setattr("fleetform.cli.rules.all_rules", lambda _: {RULE.id: RULE})
    return RULE


def test_a_rule_is_explained(only_rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    rules.explain(NOWHERE, only_rule.id, as_json=False)
    assert capsys.readouterr().out == (
        "FF700: Nothing is open.\n"
        "severity: high\n\n"
        "What is open is found.\n\n"
        "fails:\n    open = true\n\n"
        'passes:\n    x "y" {\n\n      open = false\n    }\n\n'
        "to accept it, beside the line or in `exceptions`:\n    # fleetform:allow FF700 <why it is"
        " accepted>\n\n"
        "https://example.com/open\n"
        "checkov: CKV_AWS_1\n"
    )


def test_a_rule_about_exceptions_is_explained_without_a_way_round_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules.explain(NOWHERE, "FF903", as_json=False)
    assert capsys.readouterr().out == (
        "FF903: Every exception has a reason.\n"
        "severity: medium\n\n"
        "Without a reason, an exception cannot be reviewed, and is never removed.\n\n"
        "fails:\n    # fleetform:allow FF012\n\n"
        "passes:\n    # fleetform:allow FF012 The page is public on purpose.\n\n"
        "docs/policy.md#exceptions\n"
    )


def test_an_explanation_is_colored_on_a_terminal() -> None:
    lines = rules.render_explanation(RULE, color=True).splitlines()
    assert [line for line in lines if "\033" in line] == [
        "\033[1mFF700: Nothing is open.\033[0m",
        "\033[31mfails:\033[0m",
        "\033[32mpasses:\033[0m",
    ]


def test_rules_are_listed(only_rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    rules.list_rules(NOWHERE, as_json=False)
    listed = capsys.readouterr().out.splitlines()
    assert listed[0] == "id     severity  title                                    checkov"
    assert listed[2] == f"{only_rule.id}  high      Nothing is open.                         CKV_AWS_1"
    assert [line[:5] for line in listed[1:]] == ["FF000", "FF700", "FF901", "FF902", "FF903", "FF904"]


def test_scripts_get_all_of_all_rules(only_rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    rules.list_rules(NOWHERE, as_json=True)
    listed = json.loads(capsys.readouterr().out)
    rules.explain(NOWHERE, only_rule.id, as_json=True)
    assert listed[1] == json.loads(capsys.readouterr().out) == to_json_data(only_rule)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--explain", "FF02"], "unknown rule `FF02`; did you mean `FF002`?\n"),
        (["--fail-on", "medum"], "--fail-on: unknown value `medum`; did you mean `medium`?\n"),
    ],
)
def test_what_there_is_not_is_wrong_input(project: Project, arguments: list[str], message: str) -> None:
    argv = [sys.executable, "-m", "invoke", "check", *arguments]
    done = subprocess.run(argv, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == message
