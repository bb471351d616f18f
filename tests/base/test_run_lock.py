"""Turns of real processes."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetform.base.errors import CheckFailedError, InputError, ProgramError
from fleetform.base.run_lock import Run, hold
from fleetform.cli.run_lock import hold_run_lock
from tests import small_project

HOLDER = """
import pathlib, sys
from fleetform.base.run_lock import hold
with hold(pathlib.Path(sys.argv[1]), "apply --env local", 0, print, print):
    print("holds", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has its turn until its standard input is closed."""
    argv = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        yield process


def unended(folder: Path) -> list[Run]:
    """The run before, if it did not end well, as the next turn is told."""
    found = list[Run]()
    with hold(folder, "invoke drift", 0, print, found.append):
        return found


def test_a_turn_that_ended_is_not_told_of(tmp_path: Path) -> None:
    assert [unended(tmp_path / "new"), unended(tmp_path / "new")] == [[], []]


@pytest.mark.parametrize("end", [CheckFailedError("drift"), InputError("not confirmed")])
def test_a_turn_that_says_no_has_ended_well(tmp_path: Path, end: Exception) -> None:
    with pytest.raises(type(end)), hold(tmp_path, "apply", 0, print, print):
        raise end
    assert unended(tmp_path) == []


@pytest.mark.parametrize("end", [KeyboardInterrupt(), ProgramError("`terraform` ended with exit code -9")])
def test_a_turn_in_which_a_program_may_have_been_killed_is_told_of(tmp_path: Path, end: BaseException) -> None:
    with pytest.raises(type(end)), hold(tmp_path, "apply", 0, print, print):
        raise end
    assert [found.task for found in unended(tmp_path)] == ["apply"]


def test_one_at_a_time_and_who_is_refused_hears_of_whom(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        told = list[str]()
        with pytest.raises(CheckFailedError) as caught, hold(tmp_path, "invoke drift", 0.01, told.append, print):
            pass
    other = str(caught.value).removesuffix(" still runs in this checkout after 0 s; run it again later")
    assert other.startswith(f"`apply --env local` (process {process.pid}, since 20")
    assert told == [f"waiting for {other}, which runs in this checkout"]


def test_who_waits_comes_next(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        told = list[str]()

        def tell(line: str) -> None:
            told.append(line)
            assert process.stdin is not None
            process.stdin.close()

        found = list[Run]()
        with hold(tmp_path, "invoke drift", 60, tell, found.append):
            assert len(told) == 1
            assert found == []


def test_who_was_killed_lets_the_next_one_in_and_is_told_of_once(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
    (found,) = unended(tmp_path)
    assert found == Run("apply --env local", process.pid, found.since)
    assert unended(tmp_path) == []


def test_who_was_killed_is_told_of_until_that_was_recovered_from(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)

    def fail(_before: Run) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hold(tmp_path, "invoke drift", 0, print, fail):
        pass
    assert [found.pid for found in unended(tmp_path)] == [process.pid]


def test_half_a_record_is_none(tmp_path: Path) -> None:
    (tmp_path / "run_lock.json").write_text('{"task": "inv', encoding="utf-8")
    assert unended(tmp_path) == []


@pytest.mark.parametrize(
    ("env", "here", "folder"),
    [
        ("local", False, "environments/local"),
        ("local", True, "environments/local"),
        ("tiny", False, "environments/tiny"),
        ("tiny", True, "emulated/tiny"),
    ],
)
def test_tasks_that_apply_to_the_same_place_take_turns(tmp_path: Path, env: str, here: bool, folder: str) -> None:  # noqa: FBT001 - a parameter
    project = small_project.make(tmp_path)
    with hold_run_lock(project, env, "up", here=here):
        record = json.loads((project.work / folder / "run_lock.json").read_text(encoding="utf-8"))
    assert record["task"] == f"up --env {env}"
