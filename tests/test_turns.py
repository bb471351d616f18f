"""Turns of real processes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetform.errors import CheckFailedError
from fleetform.turns import Turn, turn

HOLDER = """
import pathlib, sys
from fleetform.turns import turn
with turn(pathlib.Path(sys.argv[1]), "invoke apply --env local", 0, print) as killed:
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


def taken(folder: Path, patience: float = 0) -> tuple[Turn | None, list[str]]:
    """What a turn tells of the one before, and what was told while it was waited for."""
    told = list[str]()
    with turn(folder, "invoke drift", patience, told.append) as killed:
        return killed, told


def test_a_turn_that_ended_is_not_told_of(tmp_path: Path) -> None:
    assert [taken(tmp_path / "new"), taken(tmp_path / "new")] == [(None, []), (None, [])]


def test_a_turn_that_failed_has_ended_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), turn(tmp_path, "invoke apply", 0, print):
        raise ZeroDivisionError
    assert taken(tmp_path) == (None, [])


def test_one_at_a_time_and_who_is_refused_hears_of_whom(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        told = list[str]()
        with pytest.raises(CheckFailedError) as caught, turn(tmp_path, "invoke drift", 0.01, told.append):
            pass
    other = str(caught.value).removesuffix(" has its turn in this checkout, and still had after 0 s")
    assert other.startswith(f"`invoke apply --env local` (process {process.pid}, since 20")
    assert told == [f"waiting for {other}, which has its turn in this checkout"]


def test_who_waits_comes_next(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        told = list[str]()

        def tell(line: str) -> None:
            told.append(line)
            assert process.stdin is not None
            process.stdin.close()

        with turn(tmp_path, "invoke drift", 60, tell) as killed:
            assert killed is None
    assert len(told) == 1


def test_who_was_killed_lets_the_next_one_in_and_is_told_of(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
    killed, told = taken(tmp_path)
    assert killed == Turn("invoke apply --env local", process.pid, killed.since if killed else "")
    assert told == []


def test_half_a_record_is_none(tmp_path: Path) -> None:
    (tmp_path / "turn.json").write_text('{"task": "inv', encoding="utf-8")
    assert taken(tmp_path) == (None, [])
