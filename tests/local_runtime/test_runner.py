"""Which engine and which Compose are found; fakes take their places."""

import os
from pathlib import Path

import pytest

from fleetform.base.errors import InputError, ProgramError
from fleetform.local_runtime.runner import Runner, close_runner, find_runner
from tests.local_runtime.fake_programs import FakePrograms

NO_DAEMON = "sys.exit('Cannot connect to the Docker daemon at unix:///x.')"
NO_PLUGIN = "sys.exit(\"docker: 'compose' is not a docker command.\")"
INSTALL = (
    "install and start Docker with Compose (on Debian: apt-get install docker.io docker-compose),"
    " or Podman with Compose (on Debian: apt-get install podman netavark aardvark-dns docker-compose)"
)


def test_docker_with_its_plugin_is_found_first(fake_programs: FakePrograms, tmp_path: Path) -> None:
    fake_programs.install("docker", "docker-compose", "podman")
    fake_programs.say("docker compose version", "v2.27.0")
    assert find_runner(None, tmp_path) == Runner("docker", ("docker", "compose"), dict(os.environ))


def test_docker_without_the_plugin_takes_the_program(fake_programs: FakePrograms, tmp_path: Path) -> None:
    fake_programs.install("docker", "docker-compose")
    fake_programs.answer("docker compose", NO_PLUGIN)
    fake_programs.say("docker-compose version", "1.29.2")
    assert find_runner("docker", tmp_path).compose == ("docker-compose",)


def test_what_would_mislead_compose_is_taken_from_its_environment(
    fake_programs: FakePrograms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_programs.install("docker")
    fake_programs.say("docker compose version", "2.27.0")
    before = dict(os.environ)
    for name in ("COMPOSE_ENV_FILES", "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"):
        monkeypatch.setenv(name, "another")
    assert find_runner(None, tmp_path).variables == before


def test_a_compose_that_is_too_old_is_not_taken(fake_programs: FakePrograms, tmp_path: Path) -> None:
    fake_programs.install("docker", "docker-compose")
    fake_programs.answer("docker compose", NO_PLUGIN)
    fake_programs.say("docker-compose version", "1.25.0")
    with pytest.raises(ProgramError) as caught:
        find_runner("docker", tmp_path)
    assert str(caught.value) == (
        "docker cannot run containers (docker: works, but Compose is missing: neither `docker compose` nor"
        f" `docker-compose` works, `docker-compose` is 1.25.0 and 1.29 is needed); {INSTALL}"
    )


def test_where_nothing_works_one_message_shows_what_each_lacks(
    fake_programs: FakePrograms, tmp_path: Path
) -> None:
    fake_programs.install("docker")
    fake_programs.answer("docker version", NO_DAEMON)
    with pytest.raises(ProgramError) as caught:
        find_runner(None, tmp_path)
    assert str(caught.value) == (
        "no program on this machine can run containers (docker: Cannot connect to the Docker daemon at unix:///x;"
        f" podman: not on PATH); {INSTALL}"
    )


@pytest.mark.parametrize("name", ["buildah", "containerd"])
def test_an_engine_that_runs_nothing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        find_runner(name, tmp_path)
    assert str(caught.value) == f"--engine {name}: unknown engine; choose docker or podman"


def test_compose_is_led_to_podmans_api_and_to_no_docker(
    fake_programs: FakePrograms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_programs.install("podman", "docker-compose")
    fake_programs.say("podman info", "/nowhere/podman.sock")
    fake_programs.say("docker-compose version", "1.29.2")
    before = dict(os.environ)
    for name in ("DOCKER_CERT_PATH", "DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_TLS", "DOCKER_TLS_VERIFY"):
        monkeypatch.setenv(name, "another")
    try:
        found = find_runner(None, tmp_path)
        socket = (tmp_path / "podman.socket").read_text()
        assert found == Runner("podman", ("docker-compose",), {**before, "DOCKER_HOST": f"unix://{socket}"})
    finally:
        close_runner(tmp_path)
