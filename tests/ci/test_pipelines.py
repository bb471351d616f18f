"""What definitions of pipelines say.

To the programs that check them, and of the names that they are made of.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import tasks
from fleetform.base.errors import InputError
from fleetform.ci.pipelines import ACTIONS, PROVIDERS, EnvironmentInPipeline, Provider, apply_order, pipeline
from fleetform.terraform.plan.markdown import MARK, comment
from fleetform.terraform.plan.models import StackPlan
from tests.ci import ENVIRONMENTS, checked, golden, made, program
from tests.conftest import ROOT
from tests.generated import Generated

GITHUB, GITLAB, ATLANTIS = (PROVIDERS[name] for name in ("github", "gitlab", "atlantis"))
WORKFLOWS = [ROOT / GITHUB.file, golden(GITHUB)]

# The keys that Atlantis 0.47 knows, by where they are; it refuses others: runatlantis/atlantis,
# server/core/config/raw: RepoCfg (repo_cfg.go), Project (project.go), Autoplan (autoplan.go), Workflow
# (workflow.go), Stage (stage.go).
ATLANTIS_KEYS = {
    "top": {"version", "projects", "workflows", "policies", "autodiscover", "automerge", "parallel_apply"}
    | {"parallel_plan", "delete_source_branch_on_merge", "emoji_reaction", "allowed_regexp_prefixes"}
    | {"abort_on_execution_order_fail", "repo_locks", "silence_pr_comments"},
    "project": {
        "name",
        "branch",
        "dir",
        "workspace",
        "workflow",
        "terraform_distribution",
        "terraform_version",
    }
    | {"autoplan", "plan_requirements", "apply_requirements", "import_requirements", "depends_on"}
    | {"delete_source_branch_on_merge", "repo_locking", "repo_locks", "execution_order_group", "policy_check"}
    | {"custom_policy_check", "silence_pr_comments"},
    "autoplan": {"when_modified", "enabled"},
    "workflow": {"apply", "plan", "policy_check", "import", "state_rm"},
    "stage": {"steps"},
}
# Steps that Atlantis has built in, and those of one key: step.go.
ATLANTIS_STEPS = {"init", "plan", "apply", "run"}


ORDER: dict[str, tuple[str, ...]] = {"a": ("d", "b"), "b": (), "c": ("a",), "d": ("b",)}


def parsed(provider: Provider) -> Any:  # noqa: ANN401 - whatever its schema says
    """A definition as YAML 1.1 reads it, the version that takes the most for something else than text."""
    return yaml.safe_load(made(provider))


def jobs() -> dict[str, Any]:
    """GitHub's jobs."""
    return dict(parsed(GITHUB)["jobs"])


def steps() -> Iterator[dict[str, Any]]:
    """The steps of all jobs."""
    for job in jobs().values():
        yield from job["steps"]


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_definition_is_what_it_was(provider: Provider, generated: Generated) -> None:
    generated.check(golden(provider), made(provider))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=["ours", "strange names"])
def test_actionlint_and_shellcheck_pass_the_workflow(workflow: Path) -> None:
    assert checked(program("actionlint"), f"-shellcheck={program('shellcheck')}", str(workflow)) == ""


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=["ours", "strange names"])
def test_zizmor_finds_nothing_that_is_insecure(workflow: Path) -> None:
    argv = ("--offline", "--no-progress", "--quiet", "--no-config", "--color=never", "--persona=pedantic")
    assert checked(program("zizmor"), *argv, str(workflow)) == "No findings to report. Good job!\n"


@pytest.mark.parametrize(
    ("provider", "schema"),
    [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")],
    ids=["github", "gitlab"],
)
def test_the_schema_accepts_the_definition(provider: Provider, schema: str) -> None:
    argv = (sys.executable, "-m", "check_jsonschema", f"--builtin-schema={schema}", str(golden(provider)))
    assert checked(*argv) == "ok -- validation done\n"


def test_atlantis_knows_every_key() -> None:
    definition = parsed(ATLANTIS)
    projects, workflows = definition["projects"], definition["workflows"]
    assert definition.keys() <= ATLANTIS_KEYS["top"]
    assert set().union(*projects) <= ATLANTIS_KEYS["project"]
    assert set().union(*(project["autoplan"] for project in projects)) <= ATLANTIS_KEYS["autoplan"]
    assert set().union(*workflows.values()) <= ATLANTIS_KEYS["workflow"]
    stages = [stage for workflow in workflows.values() for stage in workflow.values()]
    assert set().union(*stages) <= ATLANTIS_KEYS["stage"]
    found = [step for stage in stages for step in stage["steps"]]
    assert {key for step in found for key in ([step] if isinstance(step, str) else step)} <= ATLANTIS_STEPS


def test_atlantis_projects_name_workflows_and_projects_that_come_before() -> None:
    definition = parsed(ATLANTIS)
    group = {project["name"]: project["execution_order_group"] for project in definition["projects"]}
    used = [project["workflow"] for project in definition["projects"]]
    assert used == ["on", "on", "null", "null/tasks", "null", "null"]
    assert definition["workflows"].keys() == {"on", "null", "null/tasks"}
    before = [
        (group[name], project["execution_order_group"])
        for project in definition["projects"]
        for name in project.get("depends_on", [])
    ]
    assert [pair for pair in before if pair[0] >= pair[1]] == []
    assert len(before) == 8


def test_names_stay_names() -> None:
    github, gitlab = parsed(GITHUB), parsed(GITLAB)
    assert [github["jobs"][job]["environment"] for job in ("apply-on", "apply-null")] == ["on", "null"]
    assert gitlab["plan:null"]["parallel"]["matrix"] == [{"STACK": ["foundation", "tasks", "true", "y"]}]
    assert gitlab["apply:on"]["environment"] == {"name": "on"}
    account = [step["with"]["allowed-account-ids"] for step in steps() if "aws" in step.get("uses", "")]
    assert account == ["000000000010"] * 4 + ["000000000123"] * 4


def test_environments_are_in_order_of_names_and_the_protected_come_last() -> None:
    assert [environment.name for environment in apply_order(ENVIRONMENTS)] == ["off", "on", "null"]
    assert jobs()["apply-on"]["needs"] == ["check"]
    assert jobs()["apply-null"]["needs"] == ["check", "apply-on"]
    assert parsed(GITLAB)["apply:null"]["needs"] == ["check", "apply:on"]


def test_an_environment_comes_after_those_that_it_names() -> None:
    a, b, c, d = (EnvironmentInPipeline(name, "", "", "", after=after) for name, after in ORDER.items())
    assert apply_order([a, b, c, d]) == [b, d, a, c]


def test_environments_that_wait_for_each_other_are_reported() -> None:
    waiting = [
        EnvironmentInPipeline(name, "", "", "", after=after)
        for name, after in (ORDER | {"d": ("c",)}).items()
    ]
    with pytest.raises(InputError) as caught:
        apply_order(waiting)
    assert str(caught.value) == "`applied_after`: a, c, d wait for each other; remove it from one of them"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (
            "version: 3\n[% if %]\n",
            "2:1: TemplateSyntaxError: Expected an expression, got 'end of statement block'",
        ),
        ("[= account =]\n", "1:1: UndefinedError: 'account' is undefined"),
        (None, "1:1: TemplateNotFound: 'ci/atlantis.yaml.j2' not found in search path: '{folder}'"),
    ],
    ids=["wrong", "undefined", "missing"],
)
def test_a_template_that_is_wrong_is_reported_with_its_place(
    tmp_path: Path, text: str | None, printed: str
) -> None:
    if text is not None:
        (tmp_path / "ci").mkdir()
        (tmp_path / "ci" / ATLANTIS.template).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        pipeline(ATLANTIS, [tmp_path], ENVIRONMENTS)
    expected = f"templates/ci/atlantis.yaml.j2:{printed.format(folder=tmp_path)}; fix the template"
    assert str(caught.value) == expected


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_every_command_is_a_task_with_these_flags(provider: Provider) -> None:
    commands = {match[0] for match in re.finditer(r"\./run [^|\n]*", made(provider))}
    assert commands
    for command in commands:
        _, name, *words = command.split()
        known = {f"--{name}" for argument in tasks.namespace[name].get_arguments() for name in argument.names}
        assert {word for word in words if word.startswith("--")} - known == set(), command


def test_the_emulators_environment_is_checked_and_nothing_else() -> None:
    commands = re.compile(r"\./run ([a-z]+) .*--env off")
    assert commands.findall(made(GITHUB)) == ["render", "check"]
    assert commands.findall(made(GITLAB)) == ["render", "check"]
    assert "off" not in made(ATLANTIS).split()


def test_a_job_may_do_no_more_than_it_has_to() -> None:
    read, role = {"contents": "read"}, {"contents": "read", "id-token": "write"}
    comments = {"actions": "read", "pull-requests": "write"}
    one = {"affected": read, "plan": role, "comment": comments, "apply": role, "drift": role}
    expected = {f"{job}-{env}": permissions for env in ("on", "null") for job, permissions in one.items()}
    assert parsed(GITHUB)["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs().items()} == {"check": read, **expected}


def test_actions_are_pinned_to_commits_and_their_versions_are_reported() -> None:
    used = {line.strip().removeprefix("- ") for line in made(GITHUB).splitlines() if "uses:" in line}
    assert used == {f"uses: {name}@{pin.commit} # {pin.tag}" for name, pin in ACTIONS.items()}
    assert [pin for pin in ACTIONS.values() if not re.fullmatch("[0-9a-f]{40}", pin.commit)] == []


def test_no_checkout_leaves_its_credentials_behind() -> None:
    kept = [
        step["with"].get("persist-credentials", True)
        for step in steps()
        if "checkout" in step.get("uses", "")
    ]
    assert kept == [False] * 9


def test_no_script_holds_what_github_puts_in() -> None:
    scripts = [step["run"] for step in steps() if "run" in step]
    assert len(scripts) == 24
    assert [script for script in scripts if "${{" in script] == []


def test_every_job_ends_in_time() -> None:
    assert {job["timeout-minutes"] for job in jobs().values()} == {5, 15, 30, 60}
    started = [job for job in parsed(GITLAB).values() if isinstance(job, dict) and "script" in job]
    assert {job.get("timeout") for job in started} == {"5m", "15m", "30m", "1h"}


# ── the comment, by the very script of the workflow

# As GitHub runs `shell: bash`.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
GH = """#!/bin/sh
printf '%s\\n' "$*" | head -n 1 >>calls
case $1-$2 in
    run-download) [ ! -d loaded ] || cp -r loaded plans ;;
    api---paginate) cat ids ;;
esac
[ "$1" != run ] || [ -d plans ]
"""
OURS = '.[] | select(.user.login == "github-actions[bot]" and (.body | startswith(env.MARK))) | .id'
NO_PLAN = "No plan: see [the run](https://run).\n"


def commented(
    folder: Path, stacks: str, *, ids: str = "", plans: dict[str, str] | None = None
) -> tuple[str, list[str]]:
    """The comment, and what GitHub is asked for.

    Ids are those of comments that are there, plans the stacks'.
    """
    for stack, text in (plans or {}).items():
        (folder / f"loaded/plan.on.{stack}").mkdir(parents=True)
        (folder / f"loaded/plan.on.{stack}/plan.md").write_text(text, encoding="utf-8")
    (folder / "ids").write_text(ids, encoding="utf-8")
    (folder / "gh").write_text(GH, encoding="utf-8")
    (folder / "gh").chmod(0o755)
    job = jobs()["comment-on"]
    variables = {
        "STACKS": stacks,
        "MARK": job["env"]["MARK"],
        "RUN": "https://run",
        "NUMBER": "7",
        "GH_REPO": "o/r",
    }
    for step in job["steps"][:2]:
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_RUN_ID": "1", **variables}
        subprocess.run([*BASH, step["run"]], cwd=folder, env=environment, check=True)
    printed = (folder / "calls").read_text(encoding="utf-8").splitlines()
    return (folder / "comment.md").read_text(encoding="utf-8"), printed


def test_a_plan_begins_as_the_comments_script_takes_it_to() -> None:
    lines = comment("on", [StackPlan("true")]).splitlines()
    assert lines[:3] == [MARK, "### Plan of <code>on</code>", ""]
    assert lines[3].startswith("| stack |")


def test_plans_are_put_together_and_a_comment_is_added(tmp_path: Path) -> None:
    plans = {
        "foundation": f"{MARK}\n### Plan of `on`\n\n| one |\n",
        "true": f"{MARK}\n### Plan of `on`\n\n| two |\n",
    }
    body, asked = commented(tmp_path, "foundation true", plans=plans)
    assert body == (
        "<!-- fleetform plan of on -->\n## Plan of on\n\n### foundation\n\n| one |\n\n### true\n\n| two |\n"
    )
    assert asked == [
        "run download 1 --pattern plan.on.* --dir plans",
        f"api --paginate repos/o/r/issues/7/comments --jq {OURS}",
        "pr comment 7 --body-file comment.md",
    ]


def test_the_comment_that_is_there_is_updated(tmp_path: Path) -> None:
    _, asked = commented(tmp_path, "true", ids="41\n42\n")
    assert asked[-1] == "api --silent --method PATCH repos/o/r/issues/comments/41 --field body=@comment.md"


def test_a_stack_without_a_plan_is_reported(tmp_path: Path) -> None:
    body, _ = commented(tmp_path, "true")
    assert body == f"<!-- fleetform plan of on -->\n## Plan of on\n\n### true\n\n{NO_PLAN}"


def test_what_is_more_than_github_takes_is_left_to_the_run(tmp_path: Path) -> None:
    long = f"{MARK}\n### Plan of `on`\n\n{'x' * 25_000}\n"
    body, _ = commented(tmp_path, "foundation true", plans={"foundation": long, "true": long})
    assert body == (
        f"<!-- fleetform plan of on -->\n## Plan of on\n\n### foundation\n\n{'x' * 25_000}\n"
        "\n### true\n\nToo long to show here: see [the run](https://run).\n"
    )


def test_where_nothing_is_affected_a_comment_is_only_updated(tmp_path: Path) -> None:
    body, asked = commented(tmp_path, "")
    assert body == "<!-- fleetform plan of on -->\n## Plan of on\n\nNo stack is affected.\n"
    assert len(asked) == 1


# ── the step before an apply, likewise


@pytest.mark.parametrize(
    ("newest", "printed"),
    [
        ("a1", ""),
        ("b2", "::notice::main is at b2 now, and its run applies everything; this run applies nothing.\n"),
    ],
)
def test_what_the_branch_has_left_behind_is_not_applied(tmp_path: Path, newest: str, printed: str) -> None:
    """A run that is started again, or approved late, does not take back what came after it."""
    (tmp_path / "gh").write_text(f"#!/bin/sh\necho {newest}\n", encoding="utf-8")
    (tmp_path / "gh").chmod(0o755)
    _, _, step, apply, *_ = jobs()["apply-on"]["steps"]
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_SHA": "a1",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REPOSITORY": "o/r",
    }
    argv = [*BASH, step["run"]]
    done = subprocess.run(argv, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == printed
    assert (tmp_path / "output").read_text(encoding="utf-8") == f"commit={newest}\n"
    assert apply["if"] == "steps.newest.outputs.commit == github.sha"


# ── and those after one that failed: nothing else tries them before they are needed

ERRORED = "envs/on/true/errored.tfstate"


@pytest.mark.parametrize(
    ("program", "script", "expected"),
    [
        ("aws", jobs()["apply-on"]["steps"][-1]["run"], f"s3 cp {ERRORED} s3://0-bucket/unsaved/7/{ERRORED}"),
        (".venv/bin/python", parsed(GITLAB)["apply:on"]["after_script"][0], f"{ERRORED} 0-bucket unsaved/7/"),
    ],
    ids=["github", "gitlab"],
)
def test_a_state_that_could_not_be_saved_is_kept(
    tmp_path: Path, program: str, script: str, expected: str
) -> None:
    for path in (program, ERRORED, "envs/on/true/main.tf", "envs/null/true/errored.tfstate"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch(mode=0o755)
    (tmp_path / program).write_text('#!/bin/sh\n[ "$1" != -c ] || shift 2\necho "$*"\n', encoding="utf-8")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_RUN_ID": "7", "CI_JOB_ID": "7"}
    done = subprocess.run(
        [*BASH, script], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{expected}\n"


def test_gitlabs_upload_puts_it_below_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    program = re.findall(r"-c '(.*?)'", parsed(GITLAB)["apply:on"]["after_script"][0])[0]
    uploads: list[tuple[str, ...]] = []
    monkeypatch.setattr(
        "boto3.client", lambda _: SimpleNamespace(upload_file=lambda *given: uploads.append(given))
    )
    monkeypatch.setattr(sys, "argv", ["-c", ERRORED, "0-bucket", "unsaved/7/"])
    exec(program, {})  # noqa: S102 - our own template
    assert uploads == [(ERRORED, "0-bucket", f"unsaved/7/{ERRORED}")]
