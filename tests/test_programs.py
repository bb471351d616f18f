"""Running real, small programs."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleetform.errors import ProgramError
from fleetform.programs import Crew, Result, run


def python(code: str, *arguments: str) -> list[str]:
    """The argument vector of a small program."""
    return [sys.executable, "-u", "-c", code, *arguments]


def test_output_and_errors_are_returned_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "logs/program.log"
    result = run(python("import sys; print('one'); print('two é', file=sys.stderr); print()"), os.environ, log)
    assert result == Result(0, ("one", "two é", ""))
    assert log.read_text(encoding="utf-8") == "one\ntwo é\n\n"


def test_each_line_is_passed_on_as_it_comes(tmp_path: Path) -> None:
    """The program goes on only when its first line has been received."""
    answer = tmp_path / "answer"
    os.mkfifo(answer)
    received = []

    def receive(line: str) -> None:
        received.append(line)
        if line == "question":
            answer.write_text("answer", encoding="utf-8")

    code = "import pathlib, sys; print('question'); print(pathlib.Path(sys.argv[1]).read_text())"
    run(python(code, str(answer)), os.environ, tmp_path / "log", receive)
    assert received == ["question", "answer"]


def test_a_last_line_without_a_line_break_is_a_line(tmp_path: Path) -> None:
    assert run(python("print('end', end='')"), os.environ, tmp_path / "log").lines == ("end",)


def test_bytes_that_are_not_utf_8_are_replaced(tmp_path: Path) -> None:
    code = r"import os; os.write(1, b'a\xffb\n')"
    assert run(python(code), os.environ, tmp_path / "log").lines == ("a\ufffdb",)


def test_a_program_gets_just_the_variables_that_it_is_given(tmp_path: Path) -> None:
    code = "import os; print(os.environ.get('GIVEN'), os.environ.get('HOME'))"
    assert run(python(code), {"GIVEN": "this"}, tmp_path / "log").lines == ("this None",)


def test_a_program_cannot_ask(tmp_path: Path) -> None:
    assert run(python("import sys; print(repr(sys.stdin.read()))"), os.environ, tmp_path / "log").lines == ("''",)


def test_a_second_run_replaces_the_log(tmp_path: Path) -> None:
    for text in ("first", "second"):
        run(python(f"print('{text}')"), os.environ, tmp_path / "log")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "second\n"


@pytest.mark.parametrize("code", [0, 2])
def test_an_accepted_code_is_returned(tmp_path: Path, code: int) -> None:
    argv = python(f"raise SystemExit({code})")
    assert run(argv, os.environ, tmp_path / "log", accepted=(0, 2)) == Result(code, ())


@pytest.mark.parametrize(("code", "shown"), [("raise SystemExit(1)", "1"), ("os.kill(os.getpid(), 9)", "-9")])
def test_every_other_code_is_an_error_with_the_programs_output(tmp_path: Path, code: str, shown: str) -> None:
    argv = python(f"import os; print('one'); print('two'); {code}")
    with pytest.raises(ProgramError) as caught:
        run(argv, os.environ, tmp_path / "log", accepted=(0, 2))
    assert (str(caught.value), caught.value.output, caught.value.exit_code) == (
        f"`{' '.join(argv)}` ended with exit code {shown}; its output is in {tmp_path}/log",
        "one\ntwo",
        3,
    )


def test_a_program_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        run([f"{tmp_path}/none"], os.environ, tmp_path / "log")
    assert str(caught.value) == f"cannot run {tmp_path}/none: No such file or directory; check the installation"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_session_is_passed_on_and_the_programs_own_end_waited_for(
    tmp_path: Path, number: signal.Signals
) -> None:
    """A second one, too: what it means is the program's own business."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    program = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, lambda *_: print("program: interrupted"))
print("program: begins")
pathlib.Path(sys.argv[1]).read_text()
print("program: saved its state")
"""
    runner = f"""
import os, pathlib, sys
from fleetform.programs import run
log = pathlib.Path({str(tmp_path)!r}, "log")
try:
    run([sys.executable, "-u", "-c", {program!r}, {str(gate)!r}], os.environ, log, print)
except KeyboardInterrupt:
    print("runner: interrupted")
"""
    with subprocess.Popen(python(runner), stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        for _ in range(2):
            os.killpg(process.pid, number)
            lines.append(process.stdout.readline())
        gate.write_text("open", encoding="utf-8")
        lines += process.stdout.readlines()
    assert (lines, process.returncode) == (
        [
            "program: begins\n",
            *["program: interrupted\n"] * 2,
            "program: saved its state\n",
            "runner: interrupted\n",
        ],
        0,
    )
    assert (tmp_path / "log").read_text(encoding="utf-8") == "".join(lines[:4])


def test_whoever_is_told_counts_the_interrupts(tmp_path: Path) -> None:
    told = list[int]()
    crew = Crew(told=told.append)
    crew.interrupt()
    crew.interrupt()
    with pytest.raises(KeyboardInterrupt):
        crew.run(python(""), os.environ, tmp_path / "log")
    assert told == [1, 2]


def test_a_crews_program_reads_what_it_is_given_and_adds_to_the_log(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read())"
    crew, received = Crew(), list[str]()
    results = [
        crew.run(python(code), os.environ, tmp_path / "log", received.append, text) for text in ("first", "second")
    ]
    assert results == [Result(0, ("first",)), Result(0, ("second",))]
    assert (received, (tmp_path / "log").read_text(encoding="utf-8")) == (["first", "second"], "first\nsecond\n")


def test_a_crews_program_need_not_read_what_it_is_given(tmp_path: Path) -> None:
    assert Crew().run(python(""), os.environ, tmp_path / "log", stdin="x" * 1_000_000) == Result(0, ())


def test_a_crews_program_that_fails_is_an_error_with_its_output(tmp_path: Path) -> None:
    argv = python("print('one'); raise SystemExit(2)")
    with pytest.raises(ProgramError) as caught:
        Crew().run(argv, os.environ, tmp_path / "log")
    assert (str(caught.value), caught.value.output) == (
        f"`{' '.join(argv)}` ended with exit code 2; its output is in {tmp_path}/log",
        "one",
    )


@pytest.mark.parametrize("interrupts", [1, 2])
def test_a_crew_is_interrupted_together_and_killed_the_second_time(tmp_path: Path, interrupts: int) -> None:
    """Each program says when it waits; for the second interrupt it does not heed the first."""
    heed = "signal.SIG_DFL" if interrupts == 1 else "lambda *_: print('not yet')"
    code = f"import signal, time; signal.signal(signal.SIGINT, {heed}); print('waits')\nwhile True: time.sleep(0.05)"
    crew, waiting, last = Crew(), threading.Semaphore(0), threading.Semaphore(0)

    def receive(line: str) -> None:
        (waiting if line == "waits" else last).release()

    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(crew.run, python(code), os.environ, tmp_path / name, receive) for name in "ab"]
        for _ in futures:
            waiting.acquire()
        crew.interrupt()
        if interrupts > 1:
            for _ in futures:
                last.acquire()
            crew.interrupt()
    assert [type(future.exception()) for future in futures] == [KeyboardInterrupt, KeyboardInterrupt]


def test_an_interrupted_crew_starts_nothing(tmp_path: Path) -> None:
    crew = Crew()
    crew.interrupt()
    with pytest.raises(KeyboardInterrupt):
        crew.run(python("print('begins')"), os.environ, tmp_path / "log")
    assert not (tmp_path / "log").exists()
