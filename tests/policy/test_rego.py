"""Custom rules in Rego: run by regopy, and by fakes for the other programs."""

import json
import os
import shutil
import sys
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import InputError, Position, ProgramError
from fleetform.hcl.eval.resource_view import Resource
from fleetform.policy import rego
from fleetform.policy.finding import Finding
from fleetform.policy.rego import build_input, find_denials, find_engine
from fleetform.policy.rule import Severity
from fleetform.policy.trial import view

FILE = PurePath("policies/ours.rego")
MAIN = "package main\n\nimport rego.v1\n\n"
TEXT = """\
resource "thing" "this" {
  name  = "x"
  list  = ["a", aws_x.this.id]
  other = aws_x.this.id

  nested {
    size = aws_x.this.size
    good = true
  }
}
"""
FAKE = """\
#!{python}
import json, sys
given = json.load(sys.stdin)
print(json.dumps({printed}))
sys.stderr.write(" ".join(sys.argv[1:]))
sys.exit({code})
"""


@pytest.fixture
def resources() -> list[Resource]:
    return list(view(TEXT).resources)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the only one on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def fake_program(folder: Path, name: str, printed: str, code: int = 0) -> None:
    """Write a program that reads its input and prints something about `given`."""
    program = folder / name
    program.write_text(FAKE.format(python=sys.executable, printed=printed, code=code), encoding="utf-8")
    program.chmod(0o755)


def said(root: Path, text: str, resources: list[Resource]) -> list[Finding]:
    """Return the denials of a file."""
    (root / FILE).parent.mkdir(exist_ok=True)
    (root / FILE).write_text(text, encoding="utf-8")
    return find_denials(root, FILE, find_engine(), json.dumps(build_input("tiny", resources)), resources)


def test_a_file_sees_known_values_and_the_paths_of_unknown_ones(resources: list[Resource]) -> None:
    assert build_input("tiny", resources) == {
        "environment": "tiny",
        "resources": [
            {
                "address": "thing.this",
                "type": "thing",
                "kind": "resource",
                "stack": "services",
                "values": {"name": "x", "list": ["a", None], "nested": [{"good": True}]},
                "unknown": {"list.1": True, "other": True, "nested.0.size": True},
                "file": "envs/tiny/services/main.tf",
                "line": 1,
            }
        ],
    }


def test_an_object_becomes_a_finding_at_its_value(
    alone: Path, tmp_path: Path, resources: list[Resource]
) -> None:
    assert alone.is_dir()
    text = f"""{MAIN}deny contains denial if {{
	some thing in input.resources
	thing.values.nested[0].good
	denial := {{"msg": "it is good", "address": thing.address, "at": ["nested", 0, "good"],
		"remedy": "do worse", "severity": "high", "id": "ACME1", "stack": "services"}}
}}
"""
    place = Position(PurePath("envs/tiny/services/main.tf"), 8, 5)
    assert said(tmp_path, text, resources) == [
        Finding(place, "ACME1", "thing.this", "it is good", "do worse", Severity.HIGH, "services")
    ]


def test_a_string_becomes_a_finding_at_the_file(
    alone: Path, tmp_path: Path, resources: list[Resource]
) -> None:
    assert alone.is_dir()
    text = (
        f'{MAIN}deny contains sprintf("%s is no name", [input.environment]) if input.environment != "prod"\n'
    )
    assert said(tmp_path, text, resources) == [
        Finding(Position(FILE, 1, 1), "ours", "", "tiny is no name", f"see {FILE}", Severity.MEDIUM)
    ]


def test_a_file_without_denials_has_no_findings(
    alone: Path, tmp_path: Path, resources: list[Resource]
) -> None:
    assert alone.is_dir()
    assert said(tmp_path, f'{MAIN}deny contains "x" if input.environment == "prod"\n', resources) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package other\n\ndeny := []\n", "`package main` has no `deny`; see docs/policies.md#rego"),
        (f"{MAIN}allow := true\n", "`package main` has no `deny`; see docs/policies.md#rego"),
        (
            f"{MAIN}deny := true\n",
            "invalid result of `deny` (`deny` is not a set); see docs/policies.md#rego",
        ),
        (f"{MAIN}deny contains 1\n", "invalid result of `deny` ('int' object is not subscriptable); see"),
        (
            f'{MAIN}deny contains {{"address": "x"}}\n',
            "invalid result of `deny` ('msg'); see docs/policies.md#rego",
        ),
        (
            f'{MAIN}deny contains {{"msg": 1}}\n',
            "invalid result of `deny` (1 is not a string); see docs/policies.md#rego",
        ),
        (
            f'{MAIN}deny contains {{"msg": "x", "id": "FF001"}}\n',
            "invalid result of `deny` (FF001: FF is reserved); see",
        ),
        (
            f'{MAIN}deny contains {{"msg": "x", "severity": "bad"}}\n',
            "invalid result of `deny` ('bad' is not a valid",
        ),
        (
            f'{MAIN}deny contains {{"msg": "x", "address": "y"}}\n',
            "invalid result of `deny` ('unknown resource address",
        ),
        (f"{MAIN}deny contains if {{\n", "cannot be run: `"),
        (f"{MAIN}deny := 1 if true\n\ndeny := 2 if true\n", "cannot be run: `"),
    ],
)
def test_an_invalid_rule_is_refused(
    alone: Path, tmp_path: Path, resources: list[Resource], text: str, message: str
) -> None:
    assert alone.is_dir()
    with pytest.raises(InputError) as raised:
        said(tmp_path, text, resources)
    assert str(raised.value).startswith(f"{FILE}:1:1: {message}")


def test_an_endless_run_is_stopped(
    alone: Path, tmp_path: Path, resources: list[Resource], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program(alone, "opa", "__import__('time').sleep(60)")
    monkeypatch.setattr(rego, "_SECONDS", 0.5)
    with pytest.raises(InputError, match=r"cannot be run: `.*opa eval .*` did not end in 0\.5 s$"):
        said(tmp_path, f"{MAIN}deny := []\n", resources)


def test_opa_is_preferred(alone: Path, tmp_path: Path, resources: list[Resource]) -> None:
    fake_program(
        alone,
        "opa",
        "{'result': [{'expressions': [{'value': [' '.join([given['environment'], *sys.argv[1:]])]}]}]}",
    )
    fake_program(alone, "conftest", "[]")
    (finding,) = said(tmp_path, f"{MAIN}deny := []\n", resources)
    assert finding.message == f"tiny eval --format json --stdin-input --data {tmp_path / FILE} data.main.deny"


def test_conftest_is_second(alone: Path, tmp_path: Path, resources: list[Resource]) -> None:
    failure = (
        "{'msg': ' '.join(sys.argv[1:]), 'metadata': {'query': 'data.main.deny', 'address': 'thing.this'}}"
    )
    fake_program(
        alone,
        "conftest",
        f"[{{'filename': '', 'namespace': 'main', 'successes': 0, 'failures': [{failure}]}}]",
    )
    (finding,) = said(tmp_path, f"{MAIN}deny := []\n", resources)
    assert finding.address == "thing.this"
    assert (
        finding.message
        == f"test --parser json --output json --no-fail --no-color --policy {tmp_path / FILE} -"
    )


def test_a_program_that_fails_shows_what_it_printed(
    alone: Path, tmp_path: Path, resources: list[Resource]
) -> None:
    fake_program(alone, "opa", "{'errors': ['rego_parse_error']}", code=2)
    with pytest.raises(InputError, match=r"ended with exit code 2:\neval --format"):
        said(tmp_path, f"{MAIN}deny := []\n", resources)


def test_credentials_are_not_passed_on(
    alone: Path, tmp_path: Path, resources: list[Resource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    names = "sorted(__import__('os').environ.keys() & {'AWS_SECRET_ACCESS_KEY', 'HOME', 'PATH'})"
    fake_program(alone, "opa", f"{{'result': [{{'expressions': [{{'value': {names}}}]}}]}}")
    assert [finding.message for finding in said(tmp_path, f"{MAIN}deny := []\n", resources)] == ["PATH"]


def test_without_an_engine_the_check_fails(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("opa") is None
    assert os.environ["PATH"] == str(alone)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ProgramError) as raised:
        find_engine()
    assert str(raised.value) == (
        "policies/*.rego cannot be run without `opa` or `conftest` on PATH, or regopy: pip install regopy"
    )
