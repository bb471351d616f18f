"""What the engine and Compose are told, and what is made of their answers; stand-ins are told it."""

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetform.compose.runner import (
    Check,
    Container,
    Execution,
    Project,
    Runner,
    beside,
    check_health,
    close_runner,
    containers,
    down,
    execute,
    find_runner,
    logs_argv,
    replace,
    up,
)
from fleetform.errors import InputError, ProgramError
from tests.compose.stand_in import IMAGE, StandIn, facts

NO_DAEMON = "sys.exit('Cannot connect to the Docker daemon at unix:///x.')"
NO_PLUGIN = "sys.exit(\"docker: 'compose' is not a docker command.\")"
INSTALL = (
    "install and start Docker with Compose (on Debian: apt-get install docker.io docker-compose),"
    " or Podman with Compose (on Debian: apt-get install podman netavark aardvark-dns docker-compose)"
)
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def runner(stand_in: StandIn) -> Runner:
    """Docker with a `docker-compose`."""
    stand_in.install("docker", "docker-compose")
    return Runner("docker", ("docker-compose",), os.environ)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project("shop-local", tmp_path / "compose.yaml", tmp_path / "compose.log")


def test_docker_with_its_plugin_is_found_first(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.install("docker", "docker-compose", "podman")
    stand_in.say("docker compose version", "v2.27.0")
    assert find_runner(None, tmp_path) == Runner("docker", ("docker", "compose"), dict(os.environ))


def test_docker_without_the_plugin_takes_the_program(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.install("docker", "docker-compose")
    stand_in.answer("docker compose", NO_PLUGIN)
    stand_in.say("docker-compose version", "1.29.2")
    assert find_runner("docker", tmp_path).compose == ("docker-compose",)


def test_what_would_mislead_compose_is_taken_from_its_environment(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.install("docker")
    stand_in.say("docker compose version", "2.27.0")
    before = dict(os.environ)
    for name in ("COMPOSE_ENV_FILES", "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"):
        monkeypatch.setenv(name, "another")
    assert find_runner(None, tmp_path).variables == before


def test_a_compose_that_is_too_old_is_not_taken(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.install("docker", "docker-compose")
    stand_in.answer("docker compose", NO_PLUGIN)
    stand_in.say("docker-compose version", "1.25.0")
    with pytest.raises(ProgramError) as caught:
        find_runner("docker", tmp_path)
    assert str(caught.value) == (
        "docker cannot run containers (docker: works, but there is no Compose: neither `docker compose` nor"
        f" `docker-compose`, `docker-compose` is 1.25.0 and 1.29 is needed); {INSTALL}"
    )


def test_where_nothing_works_one_message_says_what_each_lacks(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.install("docker")
    stand_in.answer("docker version", NO_DAEMON)
    with pytest.raises(ProgramError) as caught:
        find_runner(None, tmp_path)
    assert str(caught.value) == (
        "nothing here can run containers (docker: Cannot connect to the Docker daemon at unix:///x;"
        f" podman: not on PATH); {INSTALL}"
    )


@pytest.mark.parametrize("name", ["buildah", "containerd"])
def test_an_engine_that_runs_nothing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        find_runner(name, tmp_path)
    assert str(caught.value) == f"--engine {name}: containers run in docker or podman"


def test_compose_is_led_to_podmans_api_and_to_no_docker(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.install("podman", "docker-compose")
    stand_in.say("podman info", "/nowhere/podman.sock")
    stand_in.say("docker-compose version", "1.29.2")
    before = dict(os.environ)
    for name in ("DOCKER_CERT_PATH", "DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_TLS", "DOCKER_TLS_VERIFY"):
        monkeypatch.setenv(name, "another")
    try:
        found = find_runner(None, tmp_path)
        socket = (tmp_path / "podman.socket").read_text()
        assert found == Runner("podman", ("docker-compose",), {**before, "DOCKER_HOST": f"unix://{socket}"})
    finally:
        close_runner(tmp_path)


def test_up_starts_and_builds_nothing_with_secrets_in_the_environment_alone(
    stand_in: StandIn, runner: Runner, project: Project
) -> None:
    stand_in.answer("docker-compose", "print(os.environ['WEB_TOKEN'])")
    lines: list[str] = []
    up(runner, project, {"WEB_TOKEN": "secret"}, lines.append)
    assert (lines, project.log.read_text()) == (["secret"], "secret\n")
    options = ["--ansi=never", "--project-name=shop-local", f"--file={project.file}"]
    assert stand_in.calls() == [
        ["docker-compose", *options, "up", "--detach", "--remove-orphans", "--no-build"],
    ]


def test_up_that_fails_tells_where_its_output_is(stand_in: StandIn, runner: Runner, project: Project) -> None:
    stand_in.answer("docker-compose", "sys.exit('no such image')")
    with pytest.raises(ProgramError) as caught:
        up(runner, project, {})
    assert (str(caught.value).partition(" up ")[2], caught.value.output) == (
        f"--detach --remove-orphans --no-build` ended with exit code 1; its output is in {project.log}",
        "no such image",
    )


@pytest.mark.parametrize(("engine", "more"), [("docker", []), ("podman", ["--depend"])])
def test_down_stops_what_runs_and_removes_all_that_is_left(
    stand_in: StandIn, project: Project, engine: str, more: list[str]
) -> None:
    stand_in.install(engine)
    stand_in.answer(f"{engine} container ls", "print('c1\\nc2' if '--all' in words else 'shop-local-web-1')")
    stand_in.say(f"{engine} network ls", "n1")
    stand_in.say(f"{engine} volume ls", "v1\nv2")
    down(Runner(engine, (), os.environ), project)
    assert [call[1:] for call in stand_in.calls() if "ls" not in call] == [
        ["stop", "shop-local-web-1"],
        ["container", "rm", "--force", "--volumes", *more, "c1", "c2"],
        ["network", "rm", "n1"],
        ["volume", "rm", "v1", "v2"],
    ]


def test_down_of_what_is_not_there_only_looks(stand_in: StandIn, runner: Runner, project: Project) -> None:
    down(runner, project)
    ours, composes = ("--filter=label=fleetform.environment=", "--filter=label=com.docker.compose.project=")
    assert stand_in.calls() == [
        ["docker", "container", "ls", "--format={{.Names}}", f"{ours}shop-local"],
        ["docker", "container", "ls", "--quiet", "--all", f"{ours}shop-local"],
        ["docker", "network", "ls", "--quiet", f"{composes}shop-local"],
        ["docker", "volume", "ls", "--quiet", f"{composes}shop-local"],
    ]


def test_containers_are_read_with_one_inspect(stand_in: StandIn, runner: Runner) -> None:
    web = facts("web-1", health="starting", started="2026-01-02T03:04:05.000000000Z")
    web["Config"]["Healthcheck"] = {
        "Test": ["CMD", "true"],
        "Interval": 5_000_000_000,
        "Timeout": 500_000_000,
        "Retries": 2,
        "StartPeriod": 10_000_000_000,
    }
    web["NetworkSettings"] = {
        "Networks": {"shop-local_web--stock": {"IPAddress": "198.18.0.3"}, "other": {"IPAddress": "10.0.0.1"}},
        "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": None},
    }
    stand_in.have("docker", web, facts("stock-2", restart=""))
    stock = Container(
        name="shop-local-stock-2",
        service="stock",
        task=2,
        container="stock",
        state="running",
        health="none",
        addresses={},
        published=(),
        image=IMAGE,
        essential=False,
        started=STARTED,
        check=None,
    )
    assert containers(runner, "shop-local") == (
        stock,
        dataclasses.replace(
            stock,
            name="shop-local-web-1",
            service="web",
            task=1,
            container="web",
            health="starting",
            addresses={"other": "10.0.0.1", "web--stock": "198.18.0.3"},
            published=(8080,),
            essential=True,
            check=Check(("true",), 5.0, 0.5, 2, 10.0),
        ),
    )
    assert [call[1:] for call in stand_in.calls()] == [
        ["container", "ls", "--quiet", "--all", "--filter=label=fleetform.environment=shop-local"],
        ["container", "inspect", "id0", "id1"],
    ]


def test_podmans_words_for_a_container_without_a_check_and_without_an_address_are_understood(
    stand_in: StandIn, runner: Runner
) -> None:
    never = facts("web-1", started="0001-01-01T00:00:00Z")
    never["State"] |= {"Status": "created", "Health": {"Status": "", "FailingStreak": 0, "Log": None}}
    never["NetworkSettings"] = {"Networks": {"shop-local_a": {"IPAddress": ""}}, "Ports": {}}
    never["Config"]["Healthcheck"] = {"Test": ["NONE"]}
    stand_in.have("docker", never)
    (container,) = containers(runner, "shop-local")
    assert (container.state, container.health, container.addresses, container.check) == ("created", "none", {}, None)


def test_a_container_in_anothers_network_has_none_of_its_own(stand_in: StandIn, runner: Runner) -> None:
    proxy = facts("web-1-proxy")
    proxy["HostConfig"]["NetworkMode"] = "container:0123456789ab"
    proxy["NetworkSettings"] = {
        "Networks": {"shop-local_web--stock": {"IPAddress": "198.18.0.3"}},
        "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
    }
    stand_in.have("docker", proxy)
    (container,) = containers(runner, "shop-local")
    assert (container.addresses, container.published) == ({}, ())


def test_what_a_check_leaves_open_is_the_engines_default(stand_in: StandIn, runner: Runner) -> None:
    web = facts("web-1")
    web["Config"]["Healthcheck"] = {"Test": ["CMD-SHELL", "true"]}
    stand_in.have("docker", web)
    assert containers(runner, "shop-local")[0].check == Check(("/bin/sh", "-c", "true"), 30, 30, 3, 0)


def test_one_that_is_gone_before_it_is_inspected_is_left_out(stand_in: StandIn, runner: Runner) -> None:
    stand_in.say("docker container ls", "id0\nid1")
    stand_in.answer("docker container inspect", "print('[]'); sys.exit('No such container: id1')")
    assert containers(runner, "shop-local") == ()


def test_a_project_without_containers_is_not_inspected(stand_in: StandIn, runner: Runner) -> None:
    assert (containers(runner, "shop-local"), len(stand_in.calls())) == ((), 1)


def test_an_engine_that_does_not_answer_is_told(stand_in: StandIn, runner: Runner) -> None:
    stand_in.answer("docker container ls", NO_DAEMON)
    with pytest.raises(ProgramError) as caught:
        containers(runner, "shop-local")
    assert str(caught.value) == (
        "`docker container ls --quiet --all --filter=label=fleetform.environment=shop-local` ended with exit code 1:\n"
        "Cannot connect to the Docker daemon at unix:///x."
    )


def test_a_program_is_run_in_a_container(stand_in: StandIn, runner: Runner) -> None:
    stand_in.answer("docker exec", "print(sys.stdin.read()); sys.stderr.write('oh'); sys.exit(7)")
    assert execute(runner, "shop-local-web-1", ["python3", "-"], "code") == Execution(7, "code\n", "oh")
    assert stand_in.calls() == [["docker", "exec", "--interactive", "shop-local-web-1", "python3", "-"]]


def test_a_program_that_takes_too_long_is_given_up(stand_in: StandIn, runner: Runner) -> None:
    stand_in.answer("docker exec", "import time; time.sleep(60)")
    with pytest.raises(ProgramError) as caught:
        execute(runner, "shop-local-web-1", ["python3", "-"], timeout=0.5)
    assert str(caught.value) == "`docker exec --interactive shop-local-web-1 ...` has not ended after 0.5 s"


def test_a_program_of_another_image_is_run_in_a_containers_network(stand_in: StandIn, runner: Runner) -> None:
    stand_in.answer("docker run", "print(sys.stdin.read())")
    assert beside(runner, "shop-local-web-1", IMAGE, ["python3", "-"], "code") == Execution(0, "code\n", "")
    ((*begin, name, network, entrypoint, image, argument),) = stand_in.calls()
    assert begin == ["docker", "run", "--rm", "--interactive"]
    assert name.startswith("--name=fleetform-")
    assert (network, entrypoint, image, argument) == (
        "--network=container:shop-local-web-1",
        "--entrypoint=python3",
        IMAGE,
        "-",
    )


def test_a_container_beside_another_that_takes_too_long_is_killed(stand_in: StandIn, runner: Runner) -> None:
    stand_in.answer("docker run", "import time; time.sleep(60)")
    with pytest.raises(ProgramError):
        beside(runner, "shop-local-web-1", IMAGE, ["python3", "-"], timeout=0.5)
    ran, killed = stand_in.calls()
    assert killed == ["docker", "kill", ran[4].removeprefix("--name=")]


def test_logs_are_those_of_the_services_containers(stand_in: StandIn, runner: Runner, project: Project) -> None:
    stand_in.have("docker", facts("web-1"), facts("stock-1"), facts("stock-2"), facts("stock-1-proxy"))
    begin = ["docker-compose", "--ansi=never", "--project-name=shop-local", f"--file={project.file}"]
    begin += ["logs", "--no-color"]
    assert logs_argv(runner, project, ["stock"], follow=True, tail=5) == [
        *begin,
        "--follow",
        "--tail=5",
        "stock-1",
        "stock-1-proxy",
        "stock-2",
    ]
    assert logs_argv(runner, project) == [*begin, "stock-1", "stock-1-proxy", "stock-2", "web-1"]


@pytest.mark.parametrize(("services", "what"), [(["web", "cart"], "cart"), ([], "shop-local")])
def test_logs_of_what_does_not_run_are_refused(
    stand_in: StandIn, runner: Runner, project: Project, services: list[str], what: str
) -> None:
    if services:
        stand_in.have("docker", facts("web-1"))
    with pytest.raises(InputError) as caught:
        logs_argv(runner, project, services)
    assert str(caught.value) == f"no container of {what} is there; `invoke up` starts what is not"


def test_containers_are_replaced_all_ended_at_once_and_started_in_order(stand_in: StandIn, runner: Runner) -> None:
    replace(runner, "web-1", "web-1-proxy")
    assert [call[1:] for call in stand_in.calls()] == [
        ["stop", "-t", "0", "web-1", "web-1-proxy"],
        ["start", "web-1"],
        ["start", "web-1-proxy"],
    ]


@pytest.mark.parametrize("code", [0, 1])
def test_podmans_health_check_tells_by_its_exit_code(stand_in: StandIn, code: int) -> None:
    stand_in.install("podman")
    stand_in.answer("podman healthcheck", f"sys.exit({code})")
    assert check_health(Runner("podman", (), os.environ), "shop-local-web-1").wait() == code
    assert stand_in.calls() == [["podman", "healthcheck", "run", "shop-local-web-1"]]
