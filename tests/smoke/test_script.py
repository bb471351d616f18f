"""The script that runs inside a caller, for real, against callees on loopback."""

import ast
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fleetform.smoke.probe import Answer, Target, answers, probe_request
from tests.smoke.callees import Callees


def asked(*targets: Target) -> tuple[Answer, ...]:
    """What the script says, without the times, which differ."""
    question = probe_request(targets)
    done = subprocess.run(
        [sys.executable, *question.argv[1:]], input=question.stdin, capture_output=True, text=True, check=True
    )
    return tuple(replace(answer, milliseconds=0) for answer in answers(targets, done.stdout))


def target(port: int, path: str | None = "/") -> Target:
    return Target("x", None, ("127.0.0.1",), port, path)


def answer(*, connected: bool = False, status: int | None = None, error: str = "") -> Answer:
    return Answer("x", (), connected, status, error, 0)


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/bad", 500), ("/elsewhere", 302)])
def test_the_status_of_the_health_path_is_reported(callees: Callees, path: str, status: int) -> None:
    assert asked(target(callees.http, path)) == (answer(connected=True, status=status),)


def test_without_a_path_a_connection_is_all(callees: Callees) -> None:
    assert asked(target(callees.silent, None)) == (answer(connected=True),)


def test_a_callee_that_never_answers_is_reported(callees: Callees) -> None:
    assert asked(target(callees.silent)) == (answer(connected=True, error="HTTP: timed out"),)


def test_a_callee_that_does_not_speak_http_is_reported(callees: Callees) -> None:
    assert asked(target(callees.chatter)) == (answer(connected=True, error="HTTP: no HTTP"),)


def test_a_closed_port_refuses(callees: Callees) -> None:
    assert asked(target(callees.closed)) == (answer(error="connection refused"),)


def test_what_vanishes_times_out_after_two_seconds(callees: Callees) -> None:
    question = probe_request([target(callees.hole)])
    done = subprocess.run(
        [sys.executable, *question.argv[1:]], input=question.stdin, capture_output=True, text=True, check=True
    )
    (found,) = answers([target(callees.hole)], done.stdout)
    assert replace(found, milliseconds=0) == answer(error="timed out")
    assert 2000 <= found.milliseconds < 10_000


def test_all_targets_are_asked_side_by_side(callees: Callees) -> None:
    started = time.monotonic()
    found = asked(*[target(callees.hole)] * 20, *[target(callees.silent)] * 20)
    assert time.monotonic() - started < 30
    assert found == (
        *[answer(error="timed out")] * 20,
        *[answer(connected=True, error="HTTP: timed out")] * 20,
    )


def test_a_name_is_resolved(callees: Callees) -> None:
    wanted = Target("x", "localhost", (), callees.http, "/")
    (found,) = asked(wanted)
    assert "127.0.0.1" in found.resolved
    assert found.connected is True


@pytest.mark.parametrize("host", ["nowhere.invalid", "\x01", "a" * 64, ".."])
def test_a_name_that_does_not_resolve_is_reported(host: str) -> None:
    assert asked(Target("x", host, (), 80, "/"))[0].error in {"DNS: no address", "DNS: no answer"}


def test_addresses_are_tried_though_the_name_leads_nowhere(callees: Callees) -> None:
    (found,) = asked(Target("x", "\x01", ("127.0.0.1",), callees.http))
    assert found == answer(connected=True, error="DNS: no address")


def test_one_address_that_connects_is_enough_and_the_others_errors_are_reported(callees: Callees) -> None:
    """All of 127.0.0.0/8 is this machine, and the server listens on one address of it."""
    wanted = Target("x", None, ("127.0.0.1", "127.0.0.2"), callees.http, "/")
    assert asked(wanted) == (answer(connected=True, status=200, error="127.0.0.2: connection refused"),)


def test_no_targets_give_no_answers() -> None:
    assert asked() == ()


def test_it_reads_nothing_of_the_folder_that_it_runs_in(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('mine')")
    question = probe_request([])
    argv = [sys.executable, *question.argv[1:]]
    done = subprocess.run(
        argv, input=question.stdin, capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == "fleetform-smoke []\n"


def test_it_is_of_the_grammar_of_python_3_6() -> None:
    source = probe_request([]).argv[-1]
    assert ast.unparse(ast.parse(source, feature_version=(3, 6))) == ast.unparse(ast.parse(source))
