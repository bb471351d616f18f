"""The run lock, held by real processes."""

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
    """Start a process that holds the run lock until its standard input is closed."""
    argv = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        yield process


def unfinished_runs(folder: Path) -> list[Run]:
    """Return the previous run if it did not end well, as the next run receives it."""
    runs = list[Run]()
    with hold(folder, "invoke drift", 0, print, runs.append):
        return runs


def test_a_run_that_ended_well_is_not_reported(tmp_path: Path) -> None:
    assert [unfinished_runs(tmp_path / "new"), unfinished_runs(tmp_path / "new")] == [[], []]


@pytest.mark.parametrize("end", [CheckFailedError("drift"), InputError("not confirmed")])
def test_a_failed_check_ends_a_run_well(tmp_path: Path, end: Exception) -> None:
    with pytest.raises(type(end)), hold(tmp_path, "apply", 0, print, print):
        raise end
    assert unfinished_runs(tmp_path) == []


@pytest.mark.parametrize("end", [KeyboardInterrupt(), ProgramError("`terraform` ended with exit code -9")])
def test_a_run_whose_program_may_have_been_killed_is_reported(tmp_path: Path, end: BaseException) -> None:
    with pytest.raises(type(end)), hold(tmp_path, "apply", 0, print, print):
        raise end
    assert [run.task for run in unfinished_runs(tmp_path)] == ["apply"]


def test_a_refused_run_shows_the_holder_of_the_lock(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        lines = list[str]()
        with (
            pytest.raises(CheckFailedError) as caught,
            hold(tmp_path, "invoke drift", 0.01, lines.append, print),
        ):
            pass
    other = str(caught.value).removesuffix(" still runs in this checkout after 0 s; run it again later")
    assert other.startswith(f"`apply --env local` (process {process.pid}, since 20")
    assert lines == [f"waiting for {other}, which runs in this checkout"]


def test_a_waiting_run_is_next(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        lines = list[str]()

        def report(line: str) -> None:
            lines.append(line)
            assert process.stdin is not None
            process.stdin.close()

        runs = list[Run]()
        with hold(tmp_path, "invoke drift", 60, report, runs.append):
            assert len(lines) == 1
            assert runs == []


def test_a_killed_run_frees_the_lock_and_is_reported_once(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
    (run,) = unfinished_runs(tmp_path)
    assert run == Run("apply --env local", process.pid, run.since)
    assert unfinished_runs(tmp_path) == []


def test_a_killed_run_is_reported_until_recovery_succeeds(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)

    def fail(_before: Run) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hold(tmp_path, "invoke drift", 0, print, fail):
        pass
    assert [run.pid for run in unfinished_runs(tmp_path)] == [process.pid]


def test_an_incomplete_record_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "run_lock.json").write_text('{"task": "inv', encoding="utf-8")
    assert unfinished_runs(tmp_path) == []


@pytest.mark.parametrize(
    ("env", "here", "folder"),
    [
        ("local", False, "environments/local"),
        ("local", True, "environments/local"),
        ("tiny", False, "environments/tiny"),
        ("tiny", True, "emulated/tiny"),
    ],
)
def test_tasks_that_apply_to_the_same_place_share_a_lock(
    tmp_path: Path,
    env: str,
    here: bool,  # noqa: FBT001 - a parameter
    folder: str,
) -> None:
    project = small_project.make(tmp_path)
    with hold_run_lock(project, env, "up", here=here):
        record = json.loads((project.work / folder / "run_lock.json").read_text(encoding="utf-8"))
    assert record["task"] == f"up --env {env}"
