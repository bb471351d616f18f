"""What the agent replaces, and its process; the engine is a fake."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.local_runtime import agent as agents
from fleetform.local_runtime.agent import (
    Agent,
    Health,
    Replacement,
    agent_paused,
    agent_running,
    replacements,
    start_agent,
    stop_agent,
)
from fleetform.local_runtime.inspection import Check, Container, containers
from fleetform.local_runtime.runner import Runner
from tests.local_runtime.fake_programs import PROJECT, FakePrograms, facts

LATER = "2026-01-02T03:04:06Z"
REPLACES = ("stop", "start")


@pytest.fixture
def docker(fake_programs: FakePrograms) -> Runner:
    fake_programs.install("docker")
    return Runner("docker", (), dict(os.environ))


@pytest.fixture
def podman(fake_programs: FakePrograms) -> Runner:
    fake_programs.install("podman")
    return Runner("podman", (), dict(os.environ))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose agent ends with the test."""
    yield tmp_path / "work"
    stop_agent(tmp_path / "work")


def found(fake_programs: FakePrograms, runner: Runner) -> tuple[Container, ...]:
    """The containers that the fake has."""
    there = containers(runner, PROJECT)
    fake_programs.forget()
    return there


def engine_calls(fake_programs: FakePrograms) -> list[list[str]]:
    """The engine's commands to stop and to start."""
    return [call[1:] for call in fake_programs.calls() if call[1] in REPLACES]


def test_what_is_healthy_stays(fake_programs: FakePrograms, docker: Runner) -> None:
    fake_programs.have(
        "docker", facts("web-1", health="healthy"), facts("stock-1"), facts("stock-1-proxy", started=LATER)
    )
    assert replacements(found(fake_programs, docker), set()) == []


def test_a_task_with_an_unhealthy_essential_container_goes_as_a_whole(
    fake_programs: FakePrograms, docker: Runner
) -> None:
    fake_programs.have(
        "docker", facts("web-1"), facts("web-1-a"), facts("web-1-proxy"), facts("web-2"), facts("web-10")
    )
    names = ("shop-local-web-1", "shop-local-web-1-a", "shop-local-web-1-proxy")
    assert replacements(found(fake_programs, docker), {"shop-local-web-1-proxy"}) == [
        Replacement(names, "shop-local-web-1-proxy unhealthy")
    ]


def test_an_unhealthy_container_that_its_task_can_do_without_stays(
    fake_programs: FakePrograms, docker: Runner
) -> None:
    fake_programs.have("docker", facts("web-1"), facts("web-1-proxy", restart=""))
    assert replacements(found(fake_programs, docker), {"shop-local-web-1-proxy"}) == []


def test_one_that_has_done_its_work_is_not_started_again(fake_programs: FakePrograms, docker: Runner) -> None:
    done = facts("web-1-init", restart="")
    done["State"]["Status"] = "exited"
    fake_programs.have("docker", facts("web-1", started=LATER), done)
    there = found(fake_programs, docker)
    assert replacements(there, set()) == []
    assert replacements(there, {"shop-local-web-1"}) == [
        Replacement(("shop-local-web-1",), "shop-local-web-1 unhealthy")
    ]


def test_those_that_share_a_removed_network_are_replaced(fake_programs: FakePrograms, docker: Runner) -> None:
    fake_programs.have(
        "docker", facts("web-1", started=LATER), facts("web-1-proxy"), facts("web-1-b", started=LATER)
    )
    assert replacements(found(fake_programs, docker), set()) == [
        Replacement(("shop-local-web-1-proxy",), "shop-local-web-1 was restarted")
    ]


def test_what_docker_finds_unhealthy_is_replaced_and_reported(
    fake_programs: FakePrograms, docker: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_programs.have("docker", facts("stock-1", health="healthy"), facts("web-1", health="unhealthy"))
    assert Agent(docker, PROJECT).replace_unhealthy()
    assert engine_calls(fake_programs) == [
        ["stop", "-t", "0", "shop-local-web-1"],
        ["start", "shop-local-web-1"],
    ]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.partition("Z ")[2] == "replaced shop-local-web-1: shop-local-web-1 unhealthy"


def test_what_has_ended_is_not_started_again_though_docker_calls_it_unhealthy(
    fake_programs: FakePrograms, docker: Runner
) -> None:
    ended = facts("web-1", health="unhealthy")
    ended["State"]["Status"] = "exited"
    fake_programs.have("docker", ended)
    assert Agent(docker, PROJECT).replace_unhealthy()
    assert engine_calls(fake_programs) == []


@pytest.mark.parametrize("error", [None, ProgramError("compose failed")])
def test_while_compose_works_no_agent_stops_and_starts_containers(
    folder: Path, docker: Runner, error: ProgramError | None
) -> None:
    start_agent(folder, docker, PROJECT)
    running = []
    with contextlib.suppress(ProgramError), agent_paused(folder, docker, PROJECT):
        running.append(agent_running(folder))
        if error:
            raise error
    assert running == [None]
    assert agent_running(folder) is not None


def test_podmans_health_is_checked_while_compose_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, folder: Path, podman: Runner
) -> None:
    monkeypatch.setattr(agents, "_SYSTEMD", folder / "nowhere")
    start_agent(folder, podman, PROJECT)
    earlier = agent_running(folder)
    with agent_paused(folder, podman, PROJECT):
        within = agent_running(folder)
    assert within not in {None, earlier}
    assert agent_running(folder) == within


def test_where_no_container_is_there_is_nothing_to_see(docker: Runner) -> None:
    assert not Agent(docker, PROJECT).replace_unhealthy()


CHECK = Check(argv=("true",), interval=0, timeout=60, retries=2, start_period=0)


@pytest.fixture
def container(fake_programs: FakePrograms, podman: Runner) -> Container:
    """A container of Podman's."""
    fake_programs.have("podman", facts("web-1"))
    return found(fake_programs, podman)[0]


def outcome(health: Health, container: Container) -> bool:
    """Whether a container is unhealthy after one more check that has ended."""
    health.update(container)
    assert health.run
    health.run.wait()
    health.update(container)
    return health.unhealthy


def test_so_many_failures_in_a_row_make_podmans_container_unhealthy(
    fake_programs: FakePrograms, podman: Runner, container: Container
) -> None:
    health = Health(podman, CHECK)
    outcomes = []
    for code in (1, 0, 1, 125):
        fake_programs.answer("podman healthcheck", f"sys.exit({code})")
        outcomes.append(outcome(health, container))
    assert outcomes == [False, False, False, True]


def test_failures_while_it_starts_do_not_count(
    fake_programs: FakePrograms, podman: Runner, container: Container
) -> None:
    fake_programs.answer("podman healthcheck", "sys.exit(1)")
    health = Health(podman, replace(CHECK, retries=1, start_period=60))
    young = replace(container, started=datetime.now(UTC))
    assert [outcome(health, young), outcome(health, container)] == [False, True]


def test_a_check_that_takes_too_long_is_ended_and_has_failed(
    fake_programs: FakePrograms, podman: Runner, container: Container
) -> None:
    fake_programs.answer("podman healthcheck", "import time; time.sleep(60)")
    health = Health(podman, replace(CHECK, timeout=0, retries=1))
    health.update(container)
    process = health.run
    health.update(container)
    assert process
    assert health.unhealthy is True
    assert health.run is None
    assert process.returncode == -9


def test_a_check_is_not_repeated_before_its_interval(
    fake_programs: FakePrograms, podman: Runner, container: Container
) -> None:
    health = Health(podman, replace(CHECK, interval=60))
    outcome(health, container)
    health.update(container)
    assert fake_programs.calls() == [["podman", "healthcheck", "run", "shop-local-web-1"]]


@pytest.fixture
def unchecked(fake_programs: FakePrograms) -> None:
    """A container whose check the agent has to do.

    Each round of the agent's is longer than a check.
    """
    web = facts("web-1", health="starting")
    web["Config"]["Healthcheck"] = {"Test": ["CMD", "true"], "Interval": 1, "Retries": 1}
    fake_programs.have("podman", web)
    fake_programs.answer("podman healthcheck", "sys.exit(1)")


def rounds(agent: Agent, fake_programs: FakePrograms) -> list[list[str]]:
    """The engine's commands in rounds enough for a check to begin, to end and to have failed."""
    agent.replace_unhealthy()
    for health in agent.health.values():
        assert health.run
        health.run.wait()
    agent.replace_unhealthy()
    agent.close()
    return engine_calls(fake_programs)


@pytest.mark.usefixtures("unchecked")
def test_podmans_containers_are_checked_without_systemd(
    fake_programs: FakePrograms, podman: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetform.local_runtime.agent._SYSTEMD", tmp_path / "none")
    assert rounds(Agent(podman, PROJECT), fake_programs) == [
        ["stop", "-t", "0", "shop-local-web-1"],
        ["start", "shop-local-web-1"],
    ]


@pytest.mark.usefixtures("unchecked")
def test_podman_checks_them_itself_where_there_is(
    fake_programs: FakePrograms, podman: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetform.local_runtime.agent._SYSTEMD", tmp_path)
    assert rounds(Agent(podman, PROJECT), fake_programs) == []


def test_an_agent_runs_in_the_background_and_a_new_one_takes_its_place(docker: Runner, folder: Path) -> None:
    start_agent(folder, docker, PROJECT)
    first = agent_running(folder)
    start_agent(folder, docker, PROJECT)
    second = agent_running(folder)
    assert first
    assert second
    assert first != second == os.getsid(second)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_stopping_it_leaves_only_the_log(docker: Runner, folder: Path) -> None:
    start_agent(folder, docker, PROJECT)
    assert stop_agent(folder)
    assert not stop_agent(folder)
    assert agent_running(folder) is None
    assert [file.name for file in folder.iterdir()] == ["agent.log"]


def test_stopping_what_was_never_started_does_nothing(tmp_path: Path) -> None:
    assert not stop_agent(tmp_path / "never made")
    assert agent_running(tmp_path) is None


def test_a_record_without_a_process_is_not_an_agent(tmp_path: Path) -> None:
    """The process that it names has nothing to do with it."""
    (tmp_path / "agent.pid").write_text(str(os.getpid()))
    assert agent_running(tmp_path) is None
    assert not stop_agent(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_ends_by_itself_once_the_containers_are_removed(
    fake_programs: FakePrograms, docker: Runner, folder: Path
) -> None:
    """The engine has a container until it is asked for the second time."""
    fake_programs.have("docker", facts("web-1"))
    fake_programs.answer(
        "docker container ls",
        "print('id0') if (folder / 'calls').read_text().count('\"ls\"') == 1 else None",
    )
    folder.mkdir()
    argv = [sys.executable, "-m", "fleetform.local_runtime.agent", f"--folder={folder}", "--engine=docker"]
    done = subprocess.run(
        [*argv, f"--project={PROJECT}"],
        cwd=Path(__file__).parents[2],
        env=docker.variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout == "ready\n"
    assert done.stderr == ""
    assert agent_running(folder) is None
    assert [call[2] for call in fake_programs.calls()] == ["ls", "inspect", "ls"]


def test_an_engine_that_goes_away_is_reported_once(
    fake_programs: FakePrograms,
    docker: Runner,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It stays away for two rounds; then the containers are there, and gone."""
    monkeypatch.setattr("fleetform.local_runtime.agent._ROUND_SECONDS", 0)
    fake_programs.say("docker container inspect", json.dumps([facts("web-1")]))
    fake_programs.answer(
        "docker container ls",
        """\
rounds = (folder / 'calls').read_text().count('"ls"')
if rounds < 3:
    sys.exit('no daemon')
print('id0' if rounds == 3 else '')
""",
    )
    Agent(docker, PROJECT).watch(threading.Event())
    (line,) = capsys.readouterr().err.splitlines()
    assert line.partition("Z ")[2] == (
        "`docker container ls --quiet --all --filter=label=fleetform.environment=shop-local` ended with"
        " exit code 1:"
        " no daemon"
    )


def test_it_does_not_wait_for_ever_for_containers(docker: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetform.local_runtime.agent._ROUND_SECONDS", 0)
    monkeypatch.setattr("fleetform.local_runtime.agent._TIMEOUT_SECONDS", 0.5)
    Agent(docker, PROJECT).watch(threading.Event())


def test_one_that_does_not_start_is_reported_with_its_log(
    docker: Runner, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'a broken Python' >&2\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(ProgramError) as caught:
        start_agent(folder, docker, PROJECT)
    assert str(caught.value) == f"the agent did not start; the end of {folder}/agent.log:\na broken Python"
