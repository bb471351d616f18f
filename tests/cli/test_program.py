"""The program: how tasks, flags and values are read, and what is printed about those that cannot be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleetform import __version__
from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.base.program_name import VARIABLE
from fleetform.cli.adapter import Command, Group
from fleetform.cli.flags import choice, choices, names, number, option, switch, word
from fleetform.cli.program import FleetformProgram


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True)
class Calls:
    """A program whose tasks note how they are called."""

    program: FleetformProgram
    capsys: pytest.CaptureFixture[str]
    made: list[tuple[str, dict[str, Any]]]

    def run(self, *arguments: str) -> Ended:
        """Run a command line."""
        code: object = 0
        try:
            self.program.run(["run", *arguments])
        except SystemExit as ended:
            code = ended.code
        captured = self.capsys.readouterr()
        assert isinstance(code, int)
        return Ended(code, captured.out, captured.err)


@pytest.fixture
def calls(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setenv(VARIABLE, "./run")
    monkeypatch.setenv("COLUMNS", "80")
    made: list[tuple[str, dict[str, Any]]] = []

    def noting(name: str) -> Callable[..., None]:
        return lambda _project, **values: made.append((name, values))

    plan = Command(
        "plan",
        "Show the changes.\n\nA second paragraph.",
        noting("plan"),
        (
            option("env", "Environment.", "NAME", short="e", default="local"),
            option(
                "stack",
                "Only this stack. Repeat it for several.",
                "NAME",
                repeated=True,
                parameter="stack_names",
            ),
            option("jobs", "Stacks at a time.", "N", number(1)),
            option("form", "How it is printed.", "FORM", choice("text", "json"), default="text"),
            option("fail-on", "What fails it.", "WORDS", choices("add", "change"), default=()),
            option("calls", "Names.", "NAMES", names, default=()),
            switch("json", "Print JSON.", "j", parameter="as_json"),
        ),
    )
    explain = Command(
        "explain",
        "Explain a key.",
        noting("explain"),
        (word("key", "The key.", required=False), plan.flags[0]),
    )
    new = Command(
        "new-env",
        "Create an environment.",
        noting("new-env"),
        (word("name", "Its name."), word("like", "From.")),
    )
    start = Command("emulator.start", "Start the emulator.", noting("emulator.start"))
    groups = Group("Catalog", (explain, new)), Group("Terraform", (plan, start))
    return Calls(FleetformProgram(tmp_path, groups), capsys, made)


DEFAULTS: dict[str, Any] = {
    "env": "local",
    "stack_names": (),
    "jobs": None,
    "form": "text",
    "fail_on": (),
    "calls": (),
    "as_json": False,
}


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], {}),
        (["--env", "prod"], {"env": "prod"}),
        (["--env=prod"], {"env": "prod"}),
        (["-e", "prod", "-j"], {"env": "prod", "as_json": True}),
        (["-eprod"], {"env": "prod"}),
        (["--stack", "a", "--stack", "b"], {"stack_names": ("a", "b")}),
        (["--jobs", "3"], {"jobs": 3}),
        (["--form", "json"], {"form": "json"}),
        (["--fail-on", "add, change"], {"fail_on": ("add", "change")}),
        (["--calls", "a,,b "], {"calls": ("a", "b")}),
    ],
)
def test_flags_are_read(calls: Calls, arguments: Sequence[str], given: dict[str, Any]) -> None:
    assert calls.run("plan", *arguments) == Ended(0)
    assert calls.made == [("plan", DEFAULTS | given)]


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["explain"], ""),
        (["explain", "web"], "web"),
        (["explain", "--env", "x", "web"], "web"),
        (["explain", "--key=web"], "web"),
    ],
)
def test_a_word_may_be_optional(calls: Calls, arguments: Sequence[str], key: str) -> None:
    assert calls.run(*arguments) == Ended(0)
    assert [values["key"] for _, values in calls.made] == [key]


def test_words_are_given_in_order_or_by_name(calls: Calls) -> None:
    for arguments in (["a", "b"], ["a", "--like", "b"], ["--like", "b", "--name", "a"]):
        calls.run("new-env", *arguments)
    assert calls.made == [("new-env", {"name": "a", "like": "b"})] * 3


def test_tasks_run_one_after_the_other(calls: Calls) -> None:
    assert calls.run("new-env", "a", "b", "plan", "emulator.start") == Ended(0)
    assert [name for name, _ in calls.made] == ["new-env", "plan", "emulator.start"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plna"], "unknown task `plna`; did you mean `plan`?"),
        (["xyz"], "unknown task `xyz`; `./run --list` shows all tasks"),
        (["\033[1mx"], "unknown task `\\x1b[1mx`; `./run --list` shows all tasks"),
        (["--hlep"], "unknown option `--hlep`; did you mean `--help`?"),
        (["plan", "--evn", "x"], "unknown flag `--evn` of `plan`; did you mean `--env`?"),
        (["plan", "x"], "unexpected `x` after `plan`; `./run plan --help` shows its flags"),
        (["plan", "explian"], "unexpected `explian` after `plan`; did you mean `explain`?"),
        (["plan", "--env"], "`--env` needs a value; `./run plan --help` shows its flags"),
        (["plan", "--jobs", "0"], "--jobs: cannot use `0`; give a whole number, 1 or more"),
        (["plan", "--jobs", "-1"], "--jobs: cannot use `-1`; give a whole number, 1 or more"),
        (["plan", "--jobs", "two"], "--jobs: cannot use `two`; give a whole number, 1 or more"),
        (
            ["plan", "--jobs", "9" * 5000],
            f"--jobs: cannot use `{'9' * 5000}`; give a whole number, 1 or more",
        ),
        (["plan", "--form", "jsno"], "--form: unknown value `jsno`; did you mean `json`?"),
        (["plan", "--fail-on", "add,xyz"], "--fail-on: unknown value `xyz`; known: add, change"),
        (["new-env", "a"], "`new-env` needs LIKE; usage: ./run new-env NAME LIKE"),
        (["new-env"], "`new-env` needs NAME and LIKE; usage: ./run new-env NAME LIKE"),
        (["new-env", "--nmae", "a"], "unknown flag `--nmae` of `new-env`; did you mean `--name`?"),
        (["--help", "plna"], "unknown task `plna`; did you mean `plan`?"),
        (["--list-depth", "x"], "invalid literal for int() with base 10: 'x'"),
        (["--list", "nowhere"], "Sub-collection 'nowhere' not found!"),
    ],
)
def test_what_cannot_be_read_is_wrong_input(calls: Calls, arguments: Sequence[str], message: str) -> None:
    assert calls.run(*arguments) == Ended(2, stderr=f"{message}\n")


def test_no_task_runs_if_a_later_one_cannot_be_read(calls: Calls) -> None:
    assert calls.run("plan", "explain", "web", "--evn").code == 2
    assert calls.made == []


LIST = """\
Catalog
  explain         Explain a key.
  new-env         Create an environment.

Terraform
  plan            Show the changes.
  emulator.start  Start the emulator.
"""


def test_the_list_is_in_groups(calls: Calls) -> None:
    assert calls.run("--list") == Ended(0, LIST)


def test_the_list_of_a_collection_has_only_its_tasks(calls: Calls) -> None:
    assert calls.run("--list", "emulator") == Ended(0, "Terraform\n  emulator.start  Start the emulator.\n")


def test_a_task_replaces_one_of_its_name_in_an_earlier_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[tuple[str, dict[str, Any]]] = []
    earlier, later = (
        Command("test", f"Run {which} tests.", lambda _, which=which: made.append((which, {})))
        for which in ("their", "our")
    )
    plan = Command("plan", "Plan.", lambda _: None)
    groups = Group("Product", (plan, earlier)), Group("Develop", (later,))
    calls = Calls(FleetformProgram(tmp_path, groups), capsys, made)
    assert calls.run("--list") == Ended(0, "Product\n  plan  Plan.\n\nDevelop\n  test  Run our tests.\n")
    assert calls.run("test") == Ended(0)
    assert made == [("our", {})]


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_the_help_has_the_list(calls: Calls, arguments: Sequence[str]) -> None:
    assert calls.run(*arguments) == Ended(
        0,
        f"""\
Usage: ./run TASK [FLAGS]

  -h, --help [TASK]  Show how to use the program or a task.
  -l, --list         List the tasks.
  -V, --version      Show the version.

{LIST}
`./run TASK --help` shows the flags of a task.
""",
    )


@pytest.mark.parametrize("arguments", [["plan", "--help"], ["--help", "plan"], ["plan", "-e", "x", "-h"]])
def test_the_help_of_a_task_fits_the_terminal(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert calls.run(*arguments) == Ended(
        0,
        """\
Usage: ./run plan [FLAGS]

Show the changes.

A second paragraph.

Flags:
  -e, --env NAME       Environment.
      --stack NAME     Only this stack. Repeat it
                       for several.
      --jobs N         Stacks at a time.
      --form FORM      How it is printed.
      --fail-on WORDS  What fails it.
      --calls NAMES    Names.
  -j, --json           Print JSON.
""",
    )


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_of_a_task_with_words_needs_none(calls: Calls, flag: str) -> None:
    text = (
        "Usage: ./run new-env NAME LIKE\n\nCreate an environment.\n\nFlags:\n  NAME  Its name.\n  LIKE "
        " From.\n"
    )
    assert calls.run("new-env", flag) == Ended(0, text)


def test_the_version_is_ours(calls: Calls) -> None:
    assert calls.run("--version") == Ended(0, f"fleetform {__version__}\n")


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (CheckFailedError("stale"), Ended(1, stderr="stale\n")),
        (InputError("wrong"), Ended(2, stderr="wrong\n")),
        (ProgramError("broken"), Ended(3, stderr="broken\n")),
        (
            OSError(28, "No space left on device", "x"),
            Ended(
                3, stderr="[Errno 28] No space left on device: 'x'; free some disk space, then run it again\n"
            ),
        ),
        (KeyboardInterrupt(), Ended(130, stderr="interrupted\n")),
        (KeyboardInterrupt("interrupted; `x` continues"), Ended(130, stderr="interrupted; `x` continues\n")),
    ],
)
def test_errors_are_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: BaseException, ended: Ended
) -> None:
    def fail(_project: object) -> None:
        raise error

    program = FleetformProgram(tmp_path, [Group("All", (Command("fail", "Fail.", fail),))])
    assert Calls(program, capsys, []).run("fail") == ended


def test_a_function_is_found_by_its_name() -> None:
    assert Command("x", "X.", "os.path:join").function().__qualname__ == "join"
