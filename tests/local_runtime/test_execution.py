"""An engine's commands for containers that run, given to fakes."""

import os

import pytest

from fleetform.base.errors import ProgramError
from fleetform.local_runtime.execution import Execution, check_health, execute, replace, run_beside
from fleetform.local_runtime.runner import Runner
from tests.local_runtime.fake_programs import IMAGE, FakePrograms


def test_a_program_is_run_in_a_container(fake_programs: FakePrograms, runner: Runner) -> None:
    fake_programs.answer("docker exec", "print(sys.stdin.read()); sys.stderr.write('oh'); sys.exit(7)")
    assert execute(runner, "shop-local-web-1", ["python3", "-"], "code") == Execution(7, "code\n", "oh")
    assert fake_programs.calls() == [["docker", "exec", "--interactive", "shop-local-web-1", "python3", "-"]]


def test_a_program_that_takes_too_long_is_given_up(fake_programs: FakePrograms, runner: Runner) -> None:
    fake_programs.answer("docker exec", "import time; time.sleep(60)")
    with pytest.raises(ProgramError) as caught:
        execute(runner, "shop-local-web-1", ["python3", "-"], timeout=0.5)
    assert (
        str(caught.value)
        == "`docker exec --interactive shop-local-web-1 ...` did not finish within 0.5 s; run the command"
        " again"
    )


def test_a_program_of_another_image_is_run_in_a_containers_network(
    fake_programs: FakePrograms, runner: Runner
) -> None:
    fake_programs.answer("docker run", "print(sys.stdin.read())")
    assert run_beside(runner, "shop-local-web-1", IMAGE, ["python3", "-"], "code") == Execution(
        0, "code\n", ""
    )
    ((*begin, name, network, entrypoint, image, argument),) = fake_programs.calls()
    assert begin == ["docker", "run", "--rm", "--interactive"]
    assert name.startswith("--name=fleetform-")
    assert network == "--network=container:shop-local-web-1"
    assert entrypoint == "--entrypoint=python3"
    assert image == IMAGE
    assert argument == "-"


def test_a_container_beside_another_that_takes_too_long_is_killed(
    fake_programs: FakePrograms, runner: Runner
) -> None:
    fake_programs.answer("docker run", "import time; time.sleep(60)")
    with pytest.raises(ProgramError):
        run_beside(runner, "shop-local-web-1", IMAGE, ["python3", "-"], timeout=3)
    ran, killed = fake_programs.calls()
    assert killed == ["docker", "kill", ran[4].removeprefix("--name=")]


def test_containers_are_replaced_all_ended_at_once_and_started_in_order(
    fake_programs: FakePrograms, runner: Runner
) -> None:
    replace(runner, "web-1", "web-1-proxy")
    assert [call[1:] for call in fake_programs.calls()] == [
        ["stop", "-t", "0", "web-1", "web-1-proxy"],
        ["start", "web-1"],
        ["start", "web-1-proxy"],
    ]


@pytest.mark.parametrize("code", [0, 1])
def test_podmans_health_check_reports_by_its_exit_code(fake_programs: FakePrograms, code: int) -> None:
    fake_programs.install("podman")
    fake_programs.answer("podman healthcheck", f"sys.exit({code})")
    assert check_health(Runner("podman", (), os.environ), "shop-local-web-1").wait() == code
    assert fake_programs.calls() == [["podman", "healthcheck", "run", "shop-local-web-1"]]
