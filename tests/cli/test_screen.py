"""What is shown while something runs, in a log and in a terminal."""

import io
import re

import pytest
from rich.console import Console
from rich.text import Text

from fleetform.aws.verification import ServiceStatus
from fleetform.base.errors import ProgramError
from fleetform.cli.screen import Board, Column, Screen, show_services


@pytest.fixture
def log() -> io.StringIO:
    """A log file, where rich believes in forty columns."""
    return io.StringIO()


@pytest.fixture
def screen(log: io.StringIO) -> Screen:
    return Screen(Console(file=log, width=40, highlight=False, force_terminal=False))


def terminal(*, no_color: bool) -> tuple[Screen, io.StringIO]:
    """A screen that is a terminal, and what it shows."""
    shown = io.StringIO()
    console = Console(
        file=shown, width=80, highlight=False, force_terminal=True, no_color=no_color, color_system="standard"
    )
    return Screen(console), shown


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d s", "0.0 s", text)


def test_a_step_is_one_line_in_a_log_with_its_note_and_time(screen: Screen, log: io.StringIO) -> None:
    with screen.step("Plan") as step:
        step.show("aws_vpc.this: Refreshing state...")
        step.note = "3 to add"
    assert without_times(log.getvalue()) == "✓ Plan: 3 to add 0.0 s\n"


def test_steps_are_kept_with_their_time(screen: Screen) -> None:
    for title in ("Render", "Plan"):
        with screen.step(title):
            pass
    assert [(step.title, step.note, 0 < step.seconds < 1) for step in screen.steps] == [
        ("Render", "", True),
        ("Plan", "", True),
    ]


def test_a_program_that_fails_in_a_step_is_shown_with_its_output(screen: Screen, log: io.StringIO) -> None:
    output = "Error: [red]no\n  such thing " + "x" * 50
    with pytest.raises(ProgramError, match=r"^it failed$"), screen.step("Plan"):
        raise ProgramError("it failed", output)
    assert log.getvalue() == f"✗ Plan\n{output}\n"
    assert screen.steps == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_step_that_ends_otherwise_is_marked_and_the_error_passed_on(
    screen: Screen, log: io.StringIO, error: type[BaseException]
) -> None:
    with pytest.raises(error), screen.step("Plan"):
        raise error
    assert log.getvalue() == "✗ Plan\n"


def test_markup_in_titles_and_notes_is_shown_as_it_is(screen: Screen, log: io.StringIO) -> None:
    with screen.step("Plan [red]") as step:
        step.note = "[/] [bold]x"
    assert without_times(log.getvalue()) == "✓ Plan [red]: [/] [bold]x 0.0 s\n"


def test_a_line_is_printed_as_it_is_however_long(screen: Screen, log: io.StringIO) -> None:
    text = "[red]web[/red] " + "x" * 60
    screen.line(text, "bold")
    assert log.getvalue() == text + "\n"


def test_a_table_in_a_log_is_not_cut(screen: Screen, log: io.StringIO) -> None:
    screen.table(("service", "n"), [["w" * 60, "1"], ["[red]", "12"]], right=("n",))
    assert [line.rstrip() for line in log.getvalue().splitlines()] == [
        "service" + " " * 56 + "n",
        "w" * 60 + "   1",
        "[red]" + " " * 57 + "12",
    ]


def test_a_narrow_table_drops_spare_columns_and_wraps_all_but_whole_ones() -> None:
    shown = io.StringIO()
    screen = Screen(Console(file=shown, width=44, highlight=False, force_terminal=True, no_color=True))
    screen.table(
        (Column("started", is_whole=True), "who", Column("commit", is_spare=True), "stacks"),
        [["2026-12-01T00:24:03.000Z", "jane@host", "abcdefabcdef", "services failed"]],
    )
    plain = Text.from_ansi(shown.getvalue()).plain
    assert [line.rstrip() for line in plain.splitlines()] == [
        "started                   who      stacks",
        "2026-12-01T00:24:03.000Z  jane@ho  services",
        "                          st       failed",
    ]


def test_services_are_shown_in_a_table(screen: Screen, log: io.StringIO) -> None:
    show_services(
        screen,
        [
            ServiceStatus("web", "web.test.internal", 80, ("orders", "stock"), 1, 2, 1),
            ServiceStatus("worker", "", None, (), 1, 1, 0),
        ],
    )
    assert [line.rstrip() for line in log.getvalue().splitlines()] == [
        "service  DNS name           port  calls          tasks",
        "web      web.test.internal    80  orders, stock    1/2",
        "worker   -                     -  -                1/1",
    ]


@pytest.mark.parametrize(("no_color", "printed"), [(True, "a [b] c\n"), (False, "a \x1b[36m[b]\x1b[0m c\n")])
def test_each_part_of_a_line_has_its_style(no_color: bool, printed: str) -> None:  # noqa: FBT001
    screen, shown = terminal(no_color=no_color)
    screen.parts(("a ", ""), ("[b]", "cyan"), (" c", ""))
    assert shown.getvalue() == printed


@pytest.mark.parametrize("no_color", [True, False])
def test_colours_are_shown_in_a_terminal_that_wants_them(no_color: bool) -> None:  # noqa: FBT001
    screen, shown = terminal(no_color=no_color)
    with screen.step("Plan"):
        pass
    assert screen.color == (not no_color)
    assert ("\x1b[32m" in shown.getvalue()) == (not no_color)


def test_the_variable_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen(Console(file=io.StringIO(), force_terminal=True)).color


def test_a_log_has_no_colours(screen: Screen) -> None:
    assert not screen.color


def test_in_a_terminal_the_last_line_of_the_program_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen, shown = terminal(no_color=True)
    with screen.step("Plan") as step:
        step.show("\x1b[1maws_vpc.this: [red] Creating...\x1b[0m" + "x" * 100)
    moving = Text.from_ansi(shown.getvalue().split("\n", maxsplit=1)[0]).plain
    assert moving == "⠋ Plan  aws_vpc.this: [red] Creating..." + "x" * 39


def board(*, is_terminal: bool) -> tuple[Board, io.StringIO]:
    """A board of two stacks, and what it shows."""
    shown = io.StringIO()
    console = Console(
        file=shown,
        width=70,
        highlight=False,
        force_terminal=is_terminal,
        no_color=True,
        color_system="standard",
    )
    return Board(["foundation", "web"], console), shown


def test_a_board_in_a_log_has_a_line_for_each_beginning_and_each_end() -> None:
    made, shown = board(is_terminal=False)
    with made:
        made.begin("web", "plan")
        made.begin("foundation", "plan")
        made.progress("web", "aws_vpc.this: Refreshing state...")
        made.end("web", "3 to add")
        made.end("foundation", "failed", succeeded=False)
    assert shown.getvalue() == (
        "web: plan\nfoundation: plan\nweb: plan: 3 to add (0 s)\nfoundation: plan: failed (0 s)\n"
    )


def test_a_board_on_a_terminal_has_a_line_for_each_stack_that_stays() -> None:
    made, shown = board(is_terminal=True)
    with made:
        made.begin("web", "plan")
        made.progress("web", "\x1b[1maws_vpc.this: Refreshing [state]...\x1b[0m")
        made.begin("foundation", "apply")
        made.end("foundation", "39 added, 0 changed, 0 destroyed")
    last = Text.from_ansi(shown.getvalue()).plain.splitlines()[-2:]
    assert [line.rstrip() for line in last] == [
        "✓  foundation  apply      0 s  39 added, 0 changed, 0 destroyed",
        "   web         plan       0 s  aws_vpc.this: Refreshing [state]...",
    ]


def test_a_line_of_a_board_is_cut_where_the_terminal_ends() -> None:
    made, shown = board(is_terminal=True)
    with made:
        made.begin("web", "plan")
        made.progress("web", "x" * 200)
    assert max(len(line) for line in Text.from_ansi(shown.getvalue()).plain.splitlines()) <= 70
