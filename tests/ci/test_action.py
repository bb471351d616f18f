"""The GitHub action that projects use, and its scripts as GitHub runs them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import tasks
from tests.ci import checked, program
from tests.conftest import ROOT

ACTION = ROOT / "action.yml"
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")

# A fake of `./run`: it logs its arguments and fails for the environments that FAIL names, as in `dev=1`.
FAKE = """#!/bin/sh
printf '%s|' "$@" >>calls
echo >>calls
for failure in $FAIL; do
    [ "$3" != "${failure%=*}" ] || exit "${failure#*=}"
done
"""

# A fake of `python`: it makes what `python -m venv` makes, and logs what is installed.
PYTHON = """#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\nprintf "%%s|" "$@" >>installed\\n' >"$3/bin/python"
printf '#!/bin/sh\\necho fleetform 1.2.3\\n' >"$3/bin/fleetform"
chmod +x "$3/bin/python" "$3/bin/fleetform"
"""


class Result(NamedTuple):
    """A script's result: its exit code, the lines that it prints, its outputs, and the calls of the fake."""

    code: int
    lines: list[str]
    outputs: list[str]
    calls: list[str]


def action() -> dict[str, Any]:
    return dict(yaml.safe_load(ACTION.read_text(encoding="utf-8")))


def steps() -> list[dict[str, Any]]:
    return list(action()["runs"]["steps"])


def executable(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def run_step(folder: Path, step: dict[str, Any], **variables: str) -> Result:
    """Run a step's script in a folder."""
    output = folder / "output"
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(output)}
    done = subprocess.run(
        [*BASH, step["run"]],
        cwd=folder,
        env=environment | {"RUNNER_TEMP": str(folder / "temp")} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    files = [path.read_text("utf-8") if path.exists() else "" for path in (output, folder / "calls")]
    return Result(done.returncode, done.stdout.splitlines(), files[0].splitlines(), files[1].splitlines())


def run_task(folder: Path, fail: str = "", **inputs: str) -> Result:
    """Run the task with inputs, the others at their defaults, in a project with `dev` and `prod`."""
    for name in ("dev", "prod"):
        (folder / "envs" / name).mkdir(parents=True)
        (folder / "envs" / name / "environment.yaml").touch()
    (folder / "envs/catalog.yaml").touch()
    executable(folder / "run", FAKE)
    defaults = {name: value["default"] for name, value in action()["inputs"].items()} | inputs
    variables = {
        variable: defaults.get(variable.lower(), "")
        for variable in steps()[2]["env"]
        if variable != "PROGRAM"
    }
    return run_step(folder, steps()[2], PROGRAM="./run", FAIL=fail, **variables)


def test_zizmor_finds_nothing_as_an_auditor() -> None:
    argv = ("--offline", "--no-progress", "--quiet", "--no-config", "--color=never", "--persona=auditor")
    assert checked(program("zizmor"), *argv, str(ACTION)) == "No findings to report. Good job!\n"


def test_the_schema_accepts_the_action() -> None:
    argv = ("-m", "check_jsonschema", "--builtin-schema=vendor.github-actions", str(ACTION))
    assert checked(sys.executable, *argv) == "ok -- validation done\n"


def test_actionlint_accepts_a_workflow_that_passes_every_input(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "action.yml").write_bytes(ACTION.read_bytes())
    workflow = tmp_path / ".github/workflows/check.yml"
    workflow.parent.mkdir(parents=True)
    inputs = {name: value["default"] for name, value in action()["inputs"].items()}
    step = {"id": "fleetform", "uses": "./", "with": inputs}
    echo = {"run": "echo ${{ steps.fleetform.outputs.exit-code }}"}
    job = {"runs-on": "ubuntu-24.04", "steps": [step, echo]}
    workflow.write_text(yaml.safe_dump({"name": "check", "on": "push", "jobs": {"check": job}}), "utf-8")
    assert checked(program("actionlint"), f"-shellcheck={program('shellcheck')}", str(workflow)) == ""


@pytest.mark.parametrize("step", steps()[1:], ids=lambda step: step["id"])
def test_shellcheck_passes_each_script(step: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(step["run"], encoding="utf-8")
    argv = ("--shell=bash", "--exclude=SC2153,SC2154")  # variables of the process environment
    assert checked(program("shellcheck"), *argv, str(script)) == ""


def test_inputs_reach_scripts_only_through_the_process_environment() -> None:
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_every_input_is_used_and_described() -> None:
    text = ACTION.read_text(encoding="utf-8")
    inputs = action()["inputs"]
    assert [name for name in inputs if f"${{{{ inputs.{name} }}}}" not in text] == []
    assert [name for name, value in inputs.items() if value.keys() != {"description", "default"}] == []
    documented = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
    assert [name for name in inputs if f"| `{name}` |" not in documented] == []


def test_the_default_task_has_the_default_flags() -> None:
    inputs = action()["inputs"]
    arguments = tasks.namespace[inputs["task"]["default"]].get_arguments()
    assert {"env", "format"} - {name for argument in arguments for name in argument.names} == set()


def test_the_check_runs_for_every_environment(tmp_path: Path) -> None:
    assert run_task(tmp_path) == Result(
        0,
        [
            "::group::fleetform check --env dev --format=github",
            "::endgroup::",
            "::group::fleetform check --env prod --format=github",
            "::endgroup::",
        ],
        ["exit-code=0"],
        ["check|--env|dev|--format=github|", "check|--env|prod|--format=github|"],
    )


def test_the_highest_exit_code_is_the_steps_and_an_output(tmp_path: Path) -> None:
    result = run_task(tmp_path, "dev=2 prod=1")
    assert (result.code, result.outputs) == (2, ["exit-code=2"])
    assert result.calls == ["check|--env|dev|--format=github|", "check|--env|prod|--format=github|"]


def test_environments_are_separated_by_spaces(tmp_path: Path) -> None:
    assert run_task(tmp_path, environments=" prod  dev ").calls == [
        "check|--env|prod|--format=github|",
        "check|--env|dev|--format=github|",
    ]


def test_a_task_without_environments_and_format_runs_once(tmp_path: Path) -> None:
    result = run_task(tmp_path, task="ci", environments="", format="", arguments="--check\n")
    assert result == Result(
        0, ["::group::fleetform ci --check", "::endgroup::"], ["exit-code=0"], ["ci|--check|"]
    )


def test_each_line_of_arguments_is_one_argument(tmp_path: Path) -> None:
    arguments = '--fail-on\nhigh\n\n$(touch injected); `touch injected` * "a b"\n'
    assert run_task(tmp_path, environments="dev", arguments=arguments).calls == [
        'check|--env|dev|--format=github|--fail-on|high|$(touch injected); `touch injected` * "a b"|'
    ]
    assert not (tmp_path / "injected").exists()


def test_shell_syntax_in_environments_and_tasks_is_text(tmp_path: Path) -> None:
    result = run_task(tmp_path, task="$(touch injected)", environments="`touch${IFS}injected` ?*")
    assert result.calls == [
        "$(touch injected)|--env|`touch${IFS}injected`|--format=github|",
        "$(touch injected)|--env|?*|--format=github|",
    ]
    assert not (tmp_path / "injected").exists()


def test_a_repository_without_environments_is_refused(tmp_path: Path) -> None:
    result = run_step(tmp_path, steps()[2], TASK="check", ENVIRONMENTS="*", ARGUMENTS="", FORMAT="")
    expected = "::error::no environment in envs/; check out the project first"
    assert result == Result(2, [expected], [], [])


def test_the_projects_own_requirements_are_installed_by_run(tmp_path: Path) -> None:
    executable(tmp_path / "run", FAKE)
    result = run_step(tmp_path, steps()[1], VERSION="", EXTRAS="terraform")
    assert result == Result(0, [], ["program=./run"], ["--version|"])


def test_a_repository_without_run_is_refused(tmp_path: Path) -> None:
    result = run_step(tmp_path, steps()[1], VERSION="", EXTRAS="terraform")
    expected = "::error::./run is missing; check out the project first, or set the input version"
    assert result == Result(2, [expected], [], [])


def test_a_version_is_installed_with_its_extras(tmp_path: Path) -> None:
    executable(tmp_path / "python", PYTHON)
    result = run_step(tmp_path, steps()[1], VERSION="1.2.3", EXTRAS="aws,terraform")
    place = tmp_path / "temp/fleetform/bin/fleetform"
    assert result == Result(0, ["fleetform 1.2.3"], [f"program={place}"], [])
    assert (tmp_path / "installed").read_text(encoding="utf-8") == (
        "-m|pip|install|--quiet|--disable-pip-version-check|fleetform[aws,terraform]==1.2.3|"
    )
