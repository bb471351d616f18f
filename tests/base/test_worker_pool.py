"""Work in several processes has the same result as in one."""

import os
import signal
import subprocess
import sys
from pathlib import Path, PurePath

import pytest

from fleetform.base.errors import CheckFailedError, Position, ProgramError
from fleetform.base.worker_pool import map_in_processes
from fleetform.hcl.parsing import UnreadableError

ERRORS = [
    CheckFailedError("modules/web: the module calls itself"),
    UnreadableError(Position(PurePath("main.tf"), 2, 3), "deep"),
    KeyError("x"),
]


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.parametrize("many", [1, 10_000])
@pytest.mark.parametrize("items", [[], [1], list(range(101, 0, -1))])
def test_results_are_in_the_order_of_the_items(items: list[int], many: int) -> None:
    assert map_in_processes(lambda item: item * 2, items, many) == [item * 2 for item in items]


@pytest.mark.parametrize(("many", "own"), [(1, False), (10_000, True)])
def test_processes_are_started_for_enough_items(many: int, own: bool) -> None:  # noqa: FBT001 - a case
    assert (set(map_in_processes(lambda _: os.getpid(), range(50), many)) == {os.getpid()}) is own


@pytest.mark.parametrize("many", [1, 10_000])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_raised_unchanged(error: Exception, many: int) -> None:
    def fail(_: int) -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        map_in_processes(fail, range(50), many)
    assert str(raised.value) == str(error)
    assert vars(raised.value) == vars(error)


def test_a_killed_process_is_reported() -> None:
    with pytest.raises(ProgramError) as raised:
        map_in_processes(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(50), 1)
    assert str(raised.value) == "a worker process was killed, possibly out of memory; run the command again"


def test_only_the_caller_handles_ctrl_c() -> None:
    assert map_in_processes(lambda _: os.kill(os.getpid(), signal.SIGINT), range(50), 1) == [None] * 50


ASLEEP = """
import os, sys, time
os.cpu_count = lambda: 3
from fleetform.base.worker_pool import map_in_processes
map_in_processes(lambda _: print(os.getpid(), flush=True) or time.sleep(600), range(3), 1)
"""


def test_processes_end_with_their_caller(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASLEEP], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        pids = [int(process.stdout.readline()) for _ in range(3)]
        assert process.pid not in pids
        process.kill()
        try:
            rest, _ = process.communicate(timeout=30)  # until the last that could write has ended
        except subprocess.TimeoutExpired:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            raise
        assert rest == ""
