import os
import sys
from pathlib import Path

import pytest

from benchmarks import policy
from benchmarks.large_project import Project, Shape
from benchmarks.processes import run
from benchmarks.rivals import Rival


def test_what_is_typed_has_defaults() -> None:
    assert vars(policy.arguments([])) == {
        "services": (10, 100, 1000),
        "stack_size": 100,
        "runs": 5,
        "rival_runs": 1,
        "limit": 600,
        "rivals": ["checkov", "c7n-left", "trivy", "validate"],
        "json": False,
    }


def test_what_is_typed_is_taken() -> None:
    typed = policy.arguments(
        ["--services", "3", "5", "--stack-size", "0", "--rivals", "--runs", "1", "--json"]
    )
    assert typed.services == [3, 5]
    assert typed.stack_size == 0
    assert typed.rivals == []
    assert typed.runs == 1
    assert typed.json is True


def test_an_unknown_rival_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        policy.arguments(["--rivals", "tflint"])
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith(
            "argument --rivals: invalid choice: 'tflint' (choose from 'checkov', 'c7n-left', 'trivy',"
            " 'validate')"
        )
    )


def test_a_run_has_its_code_and_what_it_printed(tmp_path: Path) -> None:
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    made = run([sys.executable, "-c", program], tmp_path, os.environ, limit=60)
    assert made.code == 3
    assert made.output == "out\n"
    assert made.errors == "err\n"


def test_a_run_that_is_late_is_killed(tmp_path: Path) -> None:
    program = "import time; time.sleep(600)"
    assert run([sys.executable, "-c", program], tmp_path, os.environ, limit=0.1).code == -9


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ("print('module.web')", ""),
        ("print('nothing')", "(read no module)"),
        ("raise SystemExit(2)", "(failed (2), in stack 1)"),
        ("import time; time.sleep(600)", "(was killed: too late, in stack 1)"),
    ],
)
def test_a_missing_figure_shows_its_reason(program: str, note: str, tmp_path: Path) -> None:
    project = Project(tmp_path, Shape(1))
    rendered = tmp_path / "envs/prod/services/versions.tf"
    rendered.parent.mkdir(parents=True)
    rendered.touch()
    rival = Rival(
        "rival", lambda stacks: [[sys.executable, "-c", program] for _ in stacks], (0, 1), "module."
    )
    figure = policy.beside(rival, project, runs=1, limit=1)
    assert figure.services == 1
    assert figure.what == "rival"
    assert figure.runs == 1
    assert figure.note == note
