"""The command line as people and pipelines meet it: what is printed where, and the exit code."""

import contextlib
import inspect
import json
import os
import pty
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import tasks
from fleetform import reports
from fleetform.base.errors import InputError
from fleetform.ci.pipelines import PROVIDERS
from fleetform.cli.flags import FORMAT
from fleetform.images import scanning
from fleetform.images.engine import ENGINES
from fleetform.policy.rule import Severity
from fleetform.workflow.project import Project
from tests import small_project
from tests.small_project import OPEN

CATALOG = "envs/catalog.yaml"
LOGS = ("envs/tiny/foundation/terraform.tfvars", "envs/tiny/services/terraform.tfvars")
"""The files that say how long logs are kept."""


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small_project.make(tmp_path)


def argv(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "invoke", *arguments]


def invoke(project: Project, *arguments: str, folder: str = "", **variables: str) -> Ended:
    """Runs a task as a person does, in a folder of the project; no traceback is ever shown."""
    done = subprocess.run(
        argv(*arguments),
        cwd=project.root / folder,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def test_a_value_is_explained_with_file_and_line(project: Project) -> None:
    small_project.edit(
        project, "envs/tiny/environment.yaml", "services: {", "services: { orders: { port: 80 },"
    )
    assert invoke(project, "explain", "--env", "tiny", "orders.port") == Ended(
        0, "services.orders.port: 80  envs/tiny/environment.yaml:2  over 8080 at envs/catalog.yaml:13\n", ""
    )


def test_all_of_an_environment_is_explained_if_nothing_is_asked_for(project: Project) -> None:
    everything = invoke(project, "explain", "--env", "tiny", "--json")
    asked_for = invoke(project, "explain", "--env", "tiny", "--json", "orders")
    found = json.loads(everything.stdout)
    assert [fact for fact in found if fact["key"].startswith("services.orders.")] == json.loads(
        asked_for.stdout
    )
    assert "application" in [fact["key"] for fact in found]


def test_a_word_that_a_task_needs_is_asked_for(project: Project) -> None:
    ended = invoke(project, "new-service")
    assert ended == Ended(2, "", "`new-service` needs NAME; usage: invoke new-service NAME [FLAGS]\n")


def test_a_value_that_is_nowhere_is_wrong_input(project: Project) -> None:
    ended = invoke(project, "explain", "orders.prot")
    assert ended == Ended(2, "", "`services.orders` has no `prot` in `local`; did you mean `port`?\n")


def test_a_render_that_changes_nothing_reports_it(project: Project) -> None:
    assert invoke(project, "render", "--env", "tiny") == Ended(0, "nothing to change\n", "")


def test_a_render_names_the_files_that_it_changes(project: Project) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    assert invoke(project, "render", "--env", "tiny") == Ended(
        0, "".join(f"changed  {file}\n" for file in LOGS), ""
    )


def test_a_render_prints_json(project: Project) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    ended = invoke(project, "render", "--env", "tiny", "--json")
    assert ended.code == 0
    assert json.loads(ended.stdout) == [{"path": file, "change": "changed"} for file in LOGS]


def test_a_stale_render_is_shown_as_a_diff_with_the_command_that_fixes_it(project: Project) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    before = small_project.content(project)
    ended = invoke(project, "render", "--env", "tiny", "--check")
    lines = ended.stdout.splitlines()
    assert ended.code == 1
    assert [" ".join(line.split()) for line in lines if line[0] in "+-"] == (
        [
            line
            for file in LOGS
            for line in (
                f"--- a/{file}",
                f"+++ b/{file}",
                "-log_retention_in_days = 30",
                "+log_retention_in_days = 90",
            )
        ]
    )
    assert ended.stderr == "envs/tiny does not match the catalog; run `invoke render --env tiny`\n"
    assert small_project.content(project) == before


def test_a_current_render_passes_its_check_silently(project: Project) -> None:
    assert invoke(project, "render", "--env", "tiny", "--check") == Ended(0, "", "")


def test_the_environment_is_local_unless_one_is_named(project: Project) -> None:
    small_project.edit(project, "envs/local/environment.yaml", "true", "true\nlog_retention_in_days: 90")
    assert invoke(project, "render") == Ended(
        0,
        "changed  envs/local/foundation/terraform.tfvars\nchanged  envs/local/services/terraform.tfvars\n",
        "",
    )


WARNING = "warning: envs/catalog.yaml:7:12: `nginx` can change at any time; pin a tag or, better, a digest\n"


def test_a_render_prints_notices(project: Project) -> None:
    small_project.edit(project, CATALOG, "web:\n    image: nginx:1.29", "web:\n    image: nginx")
    assert invoke(project, "render", "--env", "tiny") == Ended(
        0, "changed  envs/tiny/services/service_web.tf\n", WARNING
    )


def test_a_check_warns_and_passes(project: Project) -> None:
    small_project.edit(
        project,
        "envs/tiny/environment.yaml",
        small_project.SOUND,
        small_project.SOUND + small_project.UNTAGGED,
    )
    small_project.edit(project, CATALOG, "web:\n    image: nginx:1.29", "web:\n    image: nginx")
    invoke(project, "render", "--env", "tiny")
    assert invoke(project, "check", "--env", "tiny") == Ended(0, f"no findings{OPEN}\n", WARNING)


def test_a_warning_leaves_json_as_it_is(project: Project) -> None:
    small_project.edit(
        project,
        "envs/tiny/environment.yaml",
        small_project.SOUND,
        small_project.SOUND + small_project.UNTAGGED,
    )
    small_project.edit(project, CATALOG, "web:\n    image: nginx:1.29", "web:\n    image: nginx")
    invoke(project, "render", "--env", "tiny")
    ended = invoke(project, "check", "--env", "tiny", "--json")
    assert ended.code == 0
    assert json.loads(ended.stdout) == []
    assert ended.stderr == WARNING


def spoil(project: Project) -> None:
    """Puts two mistakes into the catalog."""
    small_project.edit(project, CATALOG, "calls: [orders]", "calls: [ordres]")
    small_project.edit(project, CATALOG, "port: 8080", "prot: 8080")


def test_all_problems_of_a_catalog_are_reported_at_once_and_nothing_is_written(
    project: Project,
) -> None:
    spoil(project)
    before = small_project.content(project)
    assert invoke(project, "render", "--env", "tiny") == Ended(
        2,
        "",
        """\
envs/catalog.yaml:10:13: `web` calls unknown service `ordres`
  10 |     calls: [ordres]
     |             ^^^^^^
     = did you mean `orders`?
     = docs/catalog.md#services-calls

envs/catalog.yaml:13:5: unknown key `prot` in `services.orders`
  13 |     prot: 8080
     |     ^^^^
     = did you mean `port`?
     = docs/catalog.md#services

2 problems
""",
    )
    assert small_project.content(project) == before


def on_a_terminal(project: Project, *arguments: str, **variables: str) -> str:
    """What a task says on standard error if that is a terminal."""
    ours, theirs = pty.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(argv(*arguments), cwd=project.root, env=plain | variables, stderr=theirs):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # so does Linux tell the end of a terminal
            while chunk := os.read(ours, 4096):
                shown += chunk
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(
    ("variables", "mark"), [({}, "\033[1;31m^^^^^^\033[0m"), ({"NO_COLOR": "1"}, "^^^^^^")]
)
def test_problems_are_colored_on_a_terminal_unless_that_is_unwanted(
    project: Project, variables: dict[str, str], mark: str
) -> None:
    small_project.edit(project, CATALOG, "calls: [orders]", "calls: [ordres]")
    lines = on_a_terminal(project, "render", "--env", "tiny", **variables).splitlines()
    assert lines[2].rpartition(" ")[2] == mark


@pytest.mark.parametrize("task", ["render", "check", "apply", "verify", "down"])
def test_the_problems_of_a_catalog_are_printed_as_github_commands(project: Project, task: str) -> None:
    spoil(project)
    assert invoke(project, task, "--env", "tiny", "--format", "github") == Ended(
        2,
        "::error file=envs/catalog.yaml,line=10,col=13,title=services-calls::"
        "`web` calls unknown service `ordres`; did you mean `orders`?\n"
        "::error file=envs/catalog.yaml,line=13,col=5,title=services::"
        "unknown key `prot` in `services.orders`; did you mean `port`?\n",
        "2 problems\n",
    )


def test_the_problems_of_a_catalog_are_printed_as_json(project: Project) -> None:
    spoil(project)
    ended = invoke(project, "render", "--env", "tiny", "--format", "json")
    reported = [
        (problem["file"], problem["line"], problem["rule"])
        for problem in json.loads(ended.stdout)["problems"]
    ]
    assert ended.code == 2
    assert reported == [(CATALOG, 10, "services-calls"), (CATALOG, 13, "services")]
    assert ended.stderr == "2 problems\n"


def test_the_problems_of_a_catalog_are_printed_as_sarif(project: Project) -> None:
    spoil(project)
    ended = invoke(project, "check", "--env", "tiny", "--format", "sarif")
    results = json.loads(ended.stdout)["runs"][0]["results"]
    assert ended.code == 2
    assert [result["ruleId"] for result in results] == ["services-calls", "services"]


def test_a_binary_file_is_reported_in_one_line(project: Project) -> None:
    (project.root / CATALOG).write_bytes(b"application: caf\xe9\n")
    message = "envs/catalog.yaml:1:1: not UTF-8; save the file as UTF-8\n\n1 problem\n"
    assert invoke(project, "render", "--env", "tiny") == Ended(2, "", message)


def test_a_check_prints_its_warnings_as_json(project: Project) -> None:
    small_project.edit(
        project,
        "envs/tiny/environment.yaml",
        small_project.SOUND,
        small_project.SOUND + small_project.UNTAGGED,
    )
    small_project.edit(project, CATALOG, "web:\n    image: nginx:1.29", "web:\n    image: nginx")
    invoke(project, "render", "--env", "tiny")
    assert invoke(project, "check", "--env", "tiny", "--format", "github") == Ended(
        0,
        "::warning file=envs/catalog.yaml,line=7,col=12,title=services-image::`nginx` can change at any"
        " time; "
        "pin a tag or, better, a digest\n",
        "",
    )


@pytest.mark.parametrize(
    ("form", "remedy"),
    [("xml", "known: text, json, github, sarif, junit, markdown"), ("markdwn", "did you mean `markdown`?")],
)
def test_an_unknown_format_is_wrong_input(project: Project, form: str, remedy: str) -> None:
    ended = invoke(project, "render", "--env", "tiny", "--format", form)
    assert ended == Ended(2, "", f"--format: unknown value `{form}`; {remedy}\n")


@pytest.mark.parametrize("task", ["plan", "apply", "destroy", "drift"])
def test_a_negative_time_to_wait_is_wrong_input(project: Project, task: str) -> None:
    reported = "--wait: cannot use `-1`; give a whole number, 0 or more\n"
    assert invoke(project, task, "--env", "tiny", "--wait", "-1") == Ended(2, "", reported)


@pytest.mark.parametrize(
    "task",
    ["render", "check", "prune", "bootstrap", "state-doctor", "plan", "apply", "verify", "drift", "destroy"],
)
def test_an_environment_that_does_not_exist_is_wrong_input(project: Project, task: str) -> None:
    ended = invoke(project, task, "--env", "tin")
    assert ended == Ended(2, "", "unknown environment `tin`; did you mean `tiny`?\n")


@pytest.mark.parametrize("task", ["render", "check"])
def test_a_machine_without_terraform_is_reported_with_how_to_get_it(project: Project, task: str) -> None:
    message = (
        "neither terraform nor tofu is on PATH; install Terraform >= 1.10, or run"
        " `pip install 'fleetform[terraform]'`\n"
    )
    assert invoke(project, task, "--env", "tiny", PATH="") == Ended(3, "", message)


def test_a_check_without_findings_reports_it(project: Project) -> None:
    assert invoke(project, "check", "--env", "tiny") == Ended(0, f"no findings{OPEN}\n", "")


def test_a_check_without_findings_is_an_empty_list_in_json(project: Project) -> None:
    ended = invoke(project, "check", "--env", "tiny", "--json")
    assert ended.code == 0
    assert json.loads(ended.stdout) == []
    assert ended.stderr == ""


REPOSITORY = f'resource "aws_ecr_repository" "extra" {{}}\n{small_project.REGISTRY}'
ONE = f"1 finding (1 high) in envs/tiny{OPEN}\n"
MUTABLE = "tags can be overwritten"
IMMUTABLE = 'set image_tag_mutability = "IMMUTABLE"'


def test_a_finding_is_reported_with_its_place(project: Project) -> None:
    small_project.write(project, "envs/tiny/services/extra.tf", REPOSITORY)
    assert invoke(project, "check", "--env", "tiny") == Ended(
        1,
        f"envs/tiny/services/extra.tf:1:1: high: FF002 aws_ecr_repository.extra: {MUTABLE}\n"
        '   1 | resource "aws_ecr_repository" "extra" {}\n'
        f"     | {'^' * 37}\n"
        f"     = {IMMUTABLE}\n"
        "     = With mutable tags, the ECR default, the image that runs may not be the one that was"
        " reviewed.\n"
        "     = https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html\n",
        ONE,
    )


def test_a_finding_is_printed_as_a_github_command(project: Project) -> None:
    small_project.write(project, "envs/tiny/services/extra.tf", REPOSITORY)
    assert invoke(project, "check", "--env", "tiny", "--format", "github") == Ended(
        1,
        "::error file=envs/tiny/services/extra.tf,line=1,col=1,title=FF002 high%3A Image tags are"
        " immutable.::"
        f"aws_ecr_repository.extra: {MUTABLE}; {IMMUTABLE}\n",
        ONE,
    )


def test_a_check_without_findings_is_a_whole_document_to_code_scanning(project: Project) -> None:
    ended = invoke(project, "check", "--env", "tiny", "--format", "sarif")
    assert ended.code == 0
    assert json.loads(ended.stdout)["runs"][0]["results"] == []
    assert ended.stderr == ""


def test_two_kinds_of_output_at_once_are_refused(project: Project) -> None:
    message = "`--json` and `--format sarif` exclude each other; keep one of them\n"
    assert invoke(project, "check", "--env", "tiny", "--json", "--format", "sarif") == Ended(2, "", message)


def test_a_finding_is_printed_as_json(project: Project) -> None:
    small_project.write(project, "envs/tiny/services/extra.tf", REPOSITORY)
    ended = invoke(project, "check", "--env", "tiny", "--json")
    assert ended.code == 1
    assert json.loads(ended.stdout) == (
        [
            {
                "file": "envs/tiny/services/extra.tf",
                "line": 1,
                "column": 1,
                "rule": "FF002",
                "severity": "high",
                "stack": "services",
                "address": "aws_ecr_repository.extra",
                "message": MUTABLE,
                "remedy": IMMUTABLE,
                "stage": "hcl",
                "cause": None,
                "origin": None,
            }
        ]
    )
    assert ended.stderr == ONE


def test_a_check_of_a_stale_render_fails(project: Project) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "90")
    message = f"{LOGS[0]} does not match the catalog; run `invoke render --env tiny`\n"
    assert invoke(project, "check", "--env", "tiny") == Ended(1, "", message)


@pytest.mark.parametrize("folder", ["", "envs/tiny"])
def test_an_unformatted_file_is_reported_from_any_working_directory(project: Project, folder: str) -> None:
    small_project.write(project, "envs/tiny/services/extra.tf", 'output "a" {\nvalue = 1\n}\n')
    message = "not formatted: envs/tiny/services/extra.tf; run `terraform fmt -recursive`\n"
    assert invoke(project, "check", "--env", "tiny", folder=folder) == Ended(1, "", message)


def test_a_file_that_is_not_hcl_is_reported_with_its_place(project: Project) -> None:
    small_project.write(project, "envs/tiny/services/extra.tf", "}\n")
    message = "envs/tiny/services/extra.tf:1:1: not valid HCL; fix it, or render again\n"
    assert invoke(project, "check", "--env", "tiny") == Ended(1, "", message)


def test_ctrl_c_ends_a_task_with_a_word_and_130(project: Project) -> None:
    """The fake for Terraform says that it runs, and runs until it is ended."""
    began = project.root / "began"
    os.mkfifo(began)
    program = project.root / "bin/terraform"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho begun >'{began}'\nexec sleep 600\n", encoding="utf-8")
    program.chmod(0o755)
    variables = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        argv("render", "--env", "tiny"), cwd=project.root, env=variables, stderr=subprocess.PIPE, text=True
    ) as process:
        began.read_text(encoding="utf-8")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert process.returncode == 130
    assert stderr == "interrupted\n"


@pytest.mark.parametrize("task", [["render", "--env", "tiny"], ["--list"]])
def test_a_reader_that_leaves_ends_a_task_quietly(project: Project, task: list[str]) -> None:
    with subprocess.Popen(
        argv(*task), cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read()
    assert process.returncode == 141
    assert stderr == ""


def test_a_new_service_is_added_and_the_next_step_is_printed(project: Project) -> None:
    ended = invoke(project, "new-service", "mail", "--port", "25", "--calls", "orders, web")
    assert ended == Ended(
        0,
        "changed  envs/catalog.yaml\n"
        "next: write containers/mail/Dockerfile\n"
        "next: invoke render --env local\n"
        "next: invoke render --env tiny\n",
        "",
    )
    assert (project.root / CATALOG).read_text(encoding="utf-8").endswith("    calls: [orders, web]\n")


def test_a_new_service_of_an_image_needs_no_dockerfile(project: Project) -> None:
    ended = invoke(project, "new-service", "cache", "--image", "redis:8.2")
    following = "next: invoke render --env local\nnext: invoke render --env tiny\n"
    assert ended == Ended(0, f"changed  envs/catalog.yaml\n{following}", "")


def test_a_new_service_that_is_there_is_wrong_input(project: Project) -> None:
    ended = invoke(project, "new-service", "orders")
    assert ended == Ended(2, "", "service `orders` already exists; choose a different name\n")


def test_a_new_environment_can_be_rendered_at_once(project: Project) -> None:
    small_project.edit(project, "envs/tiny/environment.yaml", "30", "30\nname_prefix: old-tiny")
    assert invoke(project, "new-env", "small", "--like", "tiny") == Ended(
        0,
        "added    envs/small/environment.yaml\nnot copied, as specific to tiny: name_prefix\n"
        "next: invoke render --env small\n",
        "",
    )
    assert invoke(project, "render", "--env", "small").code == 0


def test_a_new_environment_that_is_there_is_wrong_input(project: Project) -> None:
    ended = invoke(project, "new-env", "tiny", "--like", "local")
    assert ended == Ended(2, "", "envs/tiny already exists; choose a different name\n")


ALL = {command.name: command for group in tasks.program.groups for command in group.commands}
"""Every command by its name."""


def test_the_list_names_every_task_with_its_help(project: Project) -> None:
    ended = invoke(project, "--list", "--list-format", "json")
    listed = json.loads(ended.stdout)
    groups = [listed, *listed["collections"]]
    found = {task["name"]: task["help"] for group in groups for task in group["tasks"]}
    assert found == {name.rpartition(".")[2]: command.help.splitlines()[0] for name, command in ALL.items()}


@pytest.mark.parametrize("program", [["-m", "invoke"], ["tasks.py"]])
def test_the_list_fits_a_terminal_of_80_columns(root: Path, program: list[str]) -> None:
    argv = [sys.executable, *program, "--list"]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line[:1].strip()] == [
        "Project",
        "Catalog",
        "Terraform",
        "Images",
        "This machine",
        "Develop",
    ]
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if line.startswith("   ")] == [], (
        "a task's line is wrapped; make its help shorter"
    )


@pytest.mark.parametrize("name", ALL)
def test_the_parameters_of_a_function_are_the_flags_of_its_task(name: str) -> None:
    command = ALL[name]
    passed = {flag.keyword: flag for flag in command.flags if flag is not FORMAT}
    _, *parameters = inspect.signature(command.function()).parameters.values()
    named = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    required = {each.name for each in named if each.default is each.empty}
    assert required <= passed.keys()
    if named == parameters:  # no `**given`
        assert passed.keys() <= {each.name for each in named}


@pytest.mark.parametrize("name", ALL)
def test_every_task_of_an_environment_takes_a_format(name: str) -> None:
    command = ALL[name]
    keywords = {flag.keyword for flag in command.flags}
    assert (*sorted(keywords & {"env", "source", "target"}),) == command.environments
    assert ("format" in {flag.name for flag in command.flags}) == bool(command.environments)


def test_a_flag_has_the_same_short_form_in_every_task() -> None:
    options = [flag for command in ALL.values() for flag in command.flags if not flag.word]
    shorts = {flag.name: {each.short for each in options if each.name == flag.name} for flag in options}
    assert {name: found for name, found in shorts.items() if len(found) > 1} == {}


def test_a_short_form_is_that_of_one_flag() -> None:
    options = [flag for command in ALL.values() for flag in command.flags]
    names = {
        flag.short: {each.name for each in options if each.short == flag.short}
        for flag in options
        if flag.short
    }
    assert {short: found for short, found in names.items() if len(found) > 1 or short in "hlV"} == {}


@pytest.mark.parametrize("name", ALL)
def test_a_help_is_sentences(name: str) -> None:
    helps = [ALL[name].help, *(flag.help for flag in ALL[name].flags)]
    assert [
        text
        for text in helps
        if not (text[0].isupper() or text.startswith(("docker", "github"))) or text[-1] != "."
    ] == []


def test_the_values_of_flags_are_those_of_the_library() -> None:
    """The list of tasks repeats them, so that it loads nothing."""
    known = {
        ("check", "fail-on"): [str(each) for each in Severity],
        ("images", "engine"): list(ENGINES),
        ("up", "engine"): ["docker", "podman"],
        ("deploy", "severity"): [*scanning.SEVERITIES, scanning.NONE],
        ("ci", "provider"): list(PROVIDERS),
        ("render", "format"): ["text", *reports.FORMATS],
    }
    for (name, flag_name), words in known.items():
        (flag,) = [each for each in ALL[name].flags if each.name == flag_name]
        assert [flag.parse(each) for each in words] == words
        with pytest.raises(InputError):
            flag.parse("other")


@pytest.mark.parametrize(
    ("path", "name", "argv"),
    [
        ("tests/hcl/test_literals.py", None, ["tests/hcl/test_literals.py"]),
        ("tests/hcl", "text", ["tests/hcl", "-k", "text"]),
        ("", "fits_a_terminal_of_80", ["tests/cli/test_tasks.py", "-k", "fits_a_terminal_of_80"]),
        ("", "render and not golden", ["-k", "render and not golden"]),
    ],
)
def test_a_few_tests_run_without_lint_and_workers(
    monkeypatch: pytest.MonkeyPatch, project: Project, path: str, name: str | None, argv: list[str]
) -> None:
    made: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks, "call", lambda *arguments: made.append(arguments))
    tasks.test(project, path=path, k=name)
    assert made == [("pytest", "--numprocesses=0", *argv)]


def test_all_tests_run_after_lint_and_types(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    made: list[str] = []
    monkeypatch.setattr(tasks, "call", lambda *arguments: made.append(" ".join(arguments)))
    tasks.test(project, path="", k=None)
    assert made == [
        "ruff check --quiet .",
        "ruff format --quiet --check .",
        "mypy",
        "pytest --numprocesses=4",
    ]


def test_the_tasks_import_nothing_that_takes_time(root: Path) -> None:
    """`invoke --list` answers at once."""
    code = "import sys, tasks; print(*sorted(set(sys.argv) & sys.modules.keys()))"
    slow = ["boto3", "hcl2", "jinja2", "moto", "pydantic", "rich", "fleetform.workflow.project"]
    done = subprocess.run(
        [sys.executable, "-c", code, *slow], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"


def test_a_file_that_only_terraform_can_read_is_reported_and_left_to_the_plan(project: Project) -> None:
    small_project.write(
        project, "envs/tiny/services/extra.tf", 'output "größe" {\n  value = local.größe\n}\n'
    )
    assert invoke(project, "check", "--env", "tiny") == Ended(
        0,
        f"no findings{OPEN}\n",
        "warning: envs/tiny/services/extra.tf:2:19: the policy cannot parse this file from here on: its"
        " resources"
        " are checked only on a plan; run `invoke check --env tiny --plan`\n",
    )


def test_a_service_that_is_not_built_is_reported_before_any_step(project: Project) -> None:
    message = "tiny has no service `webb` with `build`; none is defined here\n"
    assert invoke(project, "images", "--env", "tiny", "--service", "webb") == Ended(2, "", message)
