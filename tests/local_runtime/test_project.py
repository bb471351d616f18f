"""The commands for Compose and the engine, given to fakes."""

import os

import pytest

from fleetform.base.errors import InputError, ProgramError
from fleetform.local_runtime.project import Project, down, logs_argv, up
from fleetform.local_runtime.runner import Runner
from tests.local_runtime.fake_programs import FakePrograms, facts


def test_up_starts_and_builds_nothing_with_secrets_only_in_the_environment(
    fake_programs: FakePrograms, runner: Runner, project: Project
) -> None:
    fake_programs.answer("docker-compose", "print(os.environ['WEB_TOKEN'])")
    lines: list[str] = []
    up(runner, project, {"WEB_TOKEN": "secret"}, lines.append)
    assert lines == ["secret"]
    assert project.log.read_text() == "secret\n"
    options = ["--ansi=never", "--project-name=shop-local", f"--file={project.file}"]
    assert fake_programs.calls() == [
        ["docker-compose", *options, "up", "--detach", "--remove-orphans", "--no-build"],
    ]


def test_up_that_fails_shows_where_its_output_is(
    fake_programs: FakePrograms, runner: Runner, project: Project
) -> None:
    fake_programs.answer("docker-compose", "sys.exit('no such image')")
    with pytest.raises(ProgramError) as caught:
        up(runner, project, {})
    assert (
        str(caught.value).partition(" up ")[2]
        == f"--detach --remove-orphans --no-build` ended with exit code 1; its output is in {project.log}"
    )
    assert caught.value.output == "no such image"


@pytest.mark.parametrize(("engine", "more"), [("docker", []), ("podman", ["--depend"])])
def test_down_stops_what_runs_and_removes_all_that_is_left(
    fake_programs: FakePrograms, project: Project, engine: str, more: list[str]
) -> None:
    fake_programs.install(engine)
    fake_programs.answer(
        f"{engine} container ls", "print('c1\\nc2' if '--all' in words else 'shop-local-web-1')"
    )
    fake_programs.say(f"{engine} network ls", "n1")
    fake_programs.say(f"{engine} volume ls", "v1\nv2")
    down(Runner(engine, (), os.environ), project)
    assert [call[1:] for call in fake_programs.calls() if "ls" not in call] == [
        ["stop", "shop-local-web-1"],
        ["container", "rm", "--force", "--volumes", *more, "c1", "c2"],
        ["network", "rm", "n1"],
        ["volume", "rm", "v1", "v2"],
    ]


def test_down_of_what_is_not_there_only_looks(
    fake_programs: FakePrograms, runner: Runner, project: Project
) -> None:
    down(runner, project)
    ours, composes = ("--filter=label=fleetform.environment=", "--filter=label=com.docker.compose.project=")
    assert fake_programs.calls() == [
        ["docker", "container", "ls", "--format={{.Names}}", f"{ours}shop-local"],
        ["docker", "container", "ls", "--quiet", "--all", f"{ours}shop-local"],
        ["docker", "network", "ls", "--quiet", f"{composes}shop-local"],
        ["docker", "volume", "ls", "--quiet", f"{composes}shop-local"],
    ]


def test_logs_are_those_of_the_services_containers(
    fake_programs: FakePrograms, runner: Runner, project: Project
) -> None:
    fake_programs.have("docker", facts("web-1"), facts("stock-1"), facts("stock-2"), facts("stock-1-proxy"))
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
    fake_programs: FakePrograms, runner: Runner, project: Project, services: list[str], what: str
) -> None:
    if services:
        fake_programs.have("docker", facts("web-1"))
    with pytest.raises(InputError) as caught:
        logs_argv(runner, project, services)
    assert str(caught.value) == f"no container of {what} exists; run `invoke up` to start it"
