"""docs/policies.md, from its own text: the example's files do what the document says."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CheckFailedError, InputError
from fleetform.cli import policy, render, rules
from fleetform.hcl.eval.resource_view import Resource
from fleetform.policy import rego
from fleetform.policy.finding import Finding
from fleetform.policy.rego import RegoEngine
from fleetform.workflow.check import assessment
from fleetform.workflow.check.policy import Check
from fleetform.workflow.project import Project
from fleetform.workflow.render import files
from tests import small_project

DOCUMENT = (small_project.ROOT / "docs/policies.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))
((TOLD, INPUT),) = [
    (printed, json.loads(given))
    for printed in re.findall(r"^```\n\$ ./run check\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    for given in re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
]
OURS = {"ACME001", "ACME101"}
TRY_REGO = """
import sys
from pathlib import Path
from regopy import Interpreter
interpreter = Interpreter()
for file in sys.argv[1:]:
    interpreter.add_module(file, Path(file).read_text())
for name in sys.stdin.read().split():
    print(name, interpreter.query(f"data.main.{name}").results[0].expressions)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the document's files, rendered."""
    made = small_project.make(tmp_path)
    for name, text in FILES.items():
        small_project.write(made, name, text)
    files.render_environment(made, "tiny")
    return made


def test_the_check_prints_what_the_document_shows(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = [finding for finding in assessment.assess(project, "tiny").findings if finding.rule in OURS]
    monkeypatch.setattr(render, "assess", lambda *_: assessment.Assessment(ours))
    with pytest.raises(CheckFailedError, match=r"^2 findings \(1 high, 1 medium\) in envs/tiny$"):
        render.check(project, "tiny", policy.OutputOptions(), validate=False, plan=False)
    assert capsys.readouterr().out.rstrip("\n") == TOLD.rstrip("\n")


def test_rego_gets_the_documented_input(project: Project) -> None:
    check = Check(project, "tiny")
    given = rego.build_input("tiny", check.resources())
    queues = [resource for resource in given["resources"] if resource["type"] == "aws_sqs_queue"]
    assert {**given, "resources": queues} == INPUT


def test_the_documents_pytest_passes(project: Project) -> None:
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "policies/test_policies.py",
    ]
    done = subprocess.run(argv, cwd=project.root, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (0, "1 passed"), done.stdout


def test_the_documents_rego_tests_pass(project: Project) -> None:
    names = re.findall(r"^(test_\w+) if", FILES["policies/queues_test.rego"], re.MULTILINE)
    argv = [sys.executable, "-c", TRY_REGO, "policies/queues.rego", "policies/queues_test.rego"]
    done = subprocess.run(
        argv, cwd=project.root, check=True, input="\n".join(names), capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [f"{name} [True]" for name in names]
    assert len(names) == 3


def test_the_rules_are_listed_and_explained(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    rules.list_rules(project, as_json=False)
    rules.explain(project, "acme001", as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("ACME001: Every database has a backup plan.") == 1
    assert (
        len([line for line in lines if line.startswith("ACME001  high      Every database has a backup")])
        == 1
    )


def findings(project: Project) -> list[str]:
    """What our rules find."""
    return [str(each) for each in Check(project, "tiny").text().verdicts.findings if each.rule in OURS]


def test_answers_are_cached_until_rules_or_resources_change(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []
    find_denials = rego.find_denials

    def recorded(
        root: Path, file: PurePath, engine: RegoEngine, given: str, resources: Sequence[Resource]
    ) -> list[Finding]:
        runs.append(file.name)
        return find_denials(root, file, engine, given, resources)

    monkeypatch.setattr("fleetform.workflow.check.rego.find_denials", recorded)
    before = findings(project)
    assert findings(project) == before
    assert runs == ["queues.rego"]
    small_project.edit(project, "policies/queues.rego", "retried forever", "never delivered")
    assert [line.replace("never delivered", "retried forever") for line in findings(project)] == before
    small_project.edit(project, "policies/databases.py", "no backup plan", "no plan")
    assert "it has no plan" in findings(project)[0]
    runs.clear()
    small_project.edit(
        project, "envs/tiny/services/extra/store.tf", '  name = "orders"', '  redrive_policy = "{}"'
    )
    assert len(findings(project)) == 1
    assert runs == ["queues.rego"]


def test_an_exception_beside_the_line_holds_for_them_in_extra(project: Project) -> None:
    for line, rule in (('resource "aws_db_instance"', "ACME001"), ('resource "aws_sqs_queue"', "ACME101")):
        comment = f"# fleetform:allow {rule} It is an example.\n"
        small_project.edit(project, "envs/tiny/services/extra/store.tf", line, comment + line)
    found = assessment.assess(project, "tiny").findings
    assert [
        finding for finding in found if finding.rule in OURS or finding.rule.startswith(("FF9", "FF000"))
    ] == []


def test_nothing_is_checked_with_a_rule_that_fails(project: Project) -> None:
    small_project.write(project, "policies/more.py", "1 / 0\n")
    with pytest.raises(InputError, match=r"^policies/more\.py:1:1: cannot be loaded: ZeroDivisionError"):
        assessment.assess(project, "tiny")
