"""Running real, small programs."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.base.processes import ProcessGroup, Result, run


def python(code: str, *arguments: str) -> list[str]:
    """Return the argument vector of a small program."""
    return [sys.executable, "-u", "-c", code, *arguments]


def test_output_and_errors_are_returned_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "logs/program.log"
    result = run(
        python("import sys; print('one'); print('two é', file=sys.stderr); print()"), os.environ, log
    )
    assert result == Result(0, ("one", "two é", ""))
    assert log.read_text(encoding="utf-8") == "one\ntwo é\n\n"


def test_each_line_is_passed_on_as_it_comes(tmp_path: Path) -> None:
    """The program continues only when its first line has been received."""
    answer = tmp_path / "answer"
    os.mkfifo(answer)
    received = list[str]()

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


def test_a_program_gets_only_its_variables(tmp_path: Path) -> None:
    code = "import os; print(os.environ.get('GIVEN'), os.environ.get('HOME'))"
    assert run(python(code), {"GIVEN": "this"}, tmp_path / "log").lines == ("this None",)


def test_a_program_has_no_standard_input(tmp_path: Path) -> None:
    assert run(python("import sys; print(repr(sys.stdin.read()))"), os.environ, tmp_path / "log").lines == (
        "''",
    )


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
    assert (
        str(caught.value)
        == f"`{' '.join(argv)}` ended with exit code {shown}; its output is in {tmp_path}/log"
    )
    assert caught.value.output == "one\ntwo"
    assert caught.value.exit_code == 3


def test_a_missing_program_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        run([f"{tmp_path}/none"], os.environ, tmp_path / "log")
    assert (
        str(caught.value) == f"cannot run {tmp_path}/none: No such file or directory; check the installation"
    )


PATIENT = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: print("program: interrupted"))
print("program: begins", os.getpid())
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)  # a call that blocks for ever may begin just after a signal, and keep its handler from\
 running
print("program: saved its state")
"""
"""Ends when the gate exists."""

FIRST = "waiting for {name} to finish what it has started; press Ctrl-C again to end it at once\n"
SECOND = "{name} ends at once; its last changes may be lost\n"


@dataclass(frozen=True)
class Runner:
    """A process that runs a patient program.

    Attributes:
        process: The process, in a session of its own; it prints what its program does.
        program: The program's process id.
        gate: Lets the program end.
        log: Its log.
    """

    process: subprocess.Popen[str]
    program: int
    gate: Path
    log: Path

    def line(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def rest(self) -> list[str]:
        """Open the gate, and return the remaining lines."""
        self.gate.write_text("open", encoding="utf-8")
        assert self.process.stdout is not None
        return self.process.stdout.readlines()

    def messages(self) -> str:
        """Return standard error, without empty lines."""
        assert self.process.stderr is not None
        return "".join(line for line in self.process.stderr if line.strip())


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner whose program has begun."""
    gate, log = tmp_path / "gate", tmp_path / "log"
    code = f"""
import os, pathlib, signal, sys
from fleetform.base.processes import run
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, for example, runs the tests with it ignored
try:
    run([sys.executable, "-u", "-c", {PATIENT!r}, {str(gate)!r}], os.environ, pathlib.Path({str(log)!r}),\
 print)
except KeyboardInterrupt:
    print("runner: interrupted")
"""
    with subprocess.Popen(
        python(code), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        begins, pid = process.stdout.readline().rsplit(maxsplit=1)
        assert begins == "program: begins"
        yield Runner(process, int(pid), gate, log)


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        ([signal.SIGINT], 1),
        ([signal.SIGINT] * 2, 2),
        ([signal.SIGTERM], 1),
        ([signal.SIGTERM] * 2, 1),
        ([signal.SIGHUP, signal.SIGTERM, signal.SIGINT], 2),
    ],
)
def test_ctrl_c_is_passed_on_and_the_program_ends_by_itself(
    runner: Runner, sent: list[int], passed_on: int
) -> None:
    """As a terminal does, the test interrupts the whole process group.

    A request to end is passed on as a Ctrl-C.
    """
    received = list[str]()
    for count, number in enumerate(sent, start=1):
        os.killpg(runner.process.pid, number)
        if count == 1 or (number == signal.SIGINT and len(received) < passed_on):
            received.append(runner.line())
    received += runner.rest()
    name = Path(sys.executable).name
    assert received == [
        *["program: interrupted\n"] * passed_on,
        "program: saved its state\n",
        "runner: interrupted\n",
    ]
    assert runner.messages() == "".join([FIRST, SECOND][:passed_on]).format(name=name)
    assert runner.process.wait() == 0


def test_a_program_continues_when_its_runner_is_killed(runner: Runner) -> None:
    runner.process.kill()
    runner.process.wait()
    runner.gate.write_text("open", encoding="utf-8")
    deadline = time.monotonic() + 60
    while (
        not runner.log.read_text(encoding="utf-8").endswith("saved its state\n")
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    assert runner.log.read_text(encoding="utf-8") == (
        f"program: begins {runner.program}\nprogram: saved its state\n"
    )


def test_a_callback_receives_the_number_of_the_interrupt(tmp_path: Path) -> None:
    counts = list[int]()
    group = ProcessGroup(on_interrupt=counts.append)
    group.interrupt()
    group.interrupt()
    with pytest.raises(KeyboardInterrupt):
        group.run(python(""), os.environ, tmp_path / "log")
    assert counts == [1, 2]


def test_a_program_of_a_group_reads_its_input_and_appends_to_the_log(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read())"
    group, received = ProcessGroup(), list[str]()
    results = [
        group.run(python(code), os.environ, tmp_path / "log", received.append, text)
        for text in ("first", "second")
    ]
    assert results == [Result(0, ("first",)), Result(0, ("second",))]
    assert received == ["first", "second"]
    assert (tmp_path / "log").read_text(encoding="utf-8") == "first\nsecond\n"


def test_a_program_of_a_group_need_not_read_its_input(tmp_path: Path) -> None:
    assert ProcessGroup().run(python(""), os.environ, tmp_path / "log", stdin="x" * 1_000_000) == Result(
        0, ()
    )


def test_a_program_of_a_group_that_fails_is_an_error_with_its_output(tmp_path: Path) -> None:
    argv = python("print('one'); raise SystemExit(2)")
    with pytest.raises(ProgramError) as caught:
        ProcessGroup().run(argv, os.environ, tmp_path / "log")
    assert str(caught.value) == f"`{' '.join(argv)}` ended with exit code 2; its output is in {tmp_path}/log"
    assert caught.value.output == "one"


@pytest.mark.parametrize("interrupts", [1, 2])
def test_a_group_is_interrupted_together_and_killed_the_second_time(tmp_path: Path, interrupts: int) -> None:
    """Each program prints when it waits; with two interrupts, it ignores the first."""
    heed = "signal.SIG_DFL" if interrupts == 1 else "lambda *_: print('not yet')"
    code = (
        f"import signal, time; signal.signal(signal.SIGINT, {heed}); print('waits')\nwhile True:"
        " time.sleep(0.05)"
    )
    group, waiting, last = ProcessGroup(), threading.Semaphore(0), threading.Semaphore(0)

    def receive(line: str) -> None:
        (waiting if line == "waits" else last).release()

    with ThreadPoolExecutor() as pool:
        futures = [
            pool.submit(group.run, python(code), os.environ, tmp_path / name, receive) for name in "ab"
        ]
        for _ in futures:
            waiting.acquire()
        group.interrupt()
        if interrupts > 1:
            for _ in futures:
                last.acquire()
            group.interrupt()
    assert [type(future.exception()) for future in futures] == [KeyboardInterrupt, KeyboardInterrupt]


def test_an_interrupted_group_starts_nothing(tmp_path: Path) -> None:
    group = ProcessGroup()
    group.interrupt()
    with pytest.raises(KeyboardInterrupt):
        group.run(python("print('begins')"), os.environ, tmp_path / "log")
    assert (tmp_path / "log").read_text(encoding="utf-8") == ""
