"""What is made of an engine's answers; fakes give them."""

import dataclasses
from datetime import UTC, datetime

import pytest

from fleetform.base.errors import ProgramError
from fleetform.local_runtime.inspection import Check, Container, containers
from fleetform.local_runtime.runner import Runner
from tests.local_runtime.fake_programs import IMAGE, FakePrograms, facts

NO_DAEMON = "sys.exit('Cannot connect to the Docker daemon at unix:///x.')"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_containers_are_read_with_one_inspect(fake_programs: FakePrograms, runner: Runner) -> None:
    web = facts("web-1", health="starting", started="2026-01-02T03:04:05.000000000Z")
    web["Config"]["Healthcheck"] = {
        "Test": ["CMD", "true"],
        "Interval": 5_000_000_000,
        "Timeout": 500_000_000,
        "Retries": 2,
        "StartPeriod": 10_000_000_000,
    }
    web["NetworkSettings"] = {
        "Networks": {
            "shop-local_web--stock": {"IPAddress": "198.18.0.3"},
            "other": {"IPAddress": "10.0.0.1"},
        },
        "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": None},
    }
    fake_programs.have("docker", web, facts("stock-2", restart=""))
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
    assert [call[1:] for call in fake_programs.calls()] == [
        ["container", "ls", "--quiet", "--all", "--filter=label=fleetform.environment=shop-local"],
        ["container", "inspect", "id0", "id1"],
    ]


def test_podmans_words_for_a_container_without_a_check_and_without_an_address_are_understood(
    fake_programs: FakePrograms, runner: Runner
) -> None:
    never = facts("web-1", started="0001-01-01T00:00:00Z")
    never["State"] |= {"Status": "created", "Health": {"Status": "", "FailingStreak": 0, "Log": None}}
    never["NetworkSettings"] = {"Networks": {"shop-local_a": {"IPAddress": ""}}, "Ports": {}}
    never["Config"]["Healthcheck"] = {"Test": ["NONE"]}
    fake_programs.have("docker", never)
    (container,) = containers(runner, "shop-local")
    assert container.state == "created"
    assert container.health == "none"
    assert container.addresses == {}
    assert container.check is None


def test_a_container_in_anothers_network_has_none_of_its_own(
    fake_programs: FakePrograms, runner: Runner
) -> None:
    proxy = facts("web-1-proxy")
    proxy["HostConfig"]["NetworkMode"] = "container:0123456789ab"
    proxy["NetworkSettings"] = {
        "Networks": {"shop-local_web--stock": {"IPAddress": "198.18.0.3"}},
        "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
    }
    fake_programs.have("docker", proxy)
    (container,) = containers(runner, "shop-local")
    assert container.addresses == {}
    assert container.published == ()


def test_what_a_check_leaves_open_is_the_engines_default(fake_programs: FakePrograms, runner: Runner) -> None:
    web = facts("web-1")
    web["Config"]["Healthcheck"] = {"Test": ["CMD-SHELL", "true"]}
    fake_programs.have("docker", web)
    assert containers(runner, "shop-local")[0].check == Check(("/bin/sh", "-c", "true"), 30, 30, 3, 0)


def test_one_that_is_removed_before_it_is_inspected_is_left_out(
    fake_programs: FakePrograms, runner: Runner
) -> None:
    fake_programs.say("docker container ls", "id0\nid1")
    fake_programs.answer("docker container inspect", "print('[]'); sys.exit('No such container: id1')")
    assert containers(runner, "shop-local") == ()


def test_a_project_without_containers_is_not_inspected(fake_programs: FakePrograms, runner: Runner) -> None:
    assert containers(runner, "shop-local") == ()
    assert len(fake_programs.calls()) == 1


def test_an_engine_that_does_not_answer_is_reported(fake_programs: FakePrograms, runner: Runner) -> None:
    fake_programs.answer("docker container ls", NO_DAEMON)
    with pytest.raises(ProgramError) as caught:
        containers(runner, "shop-local")
    assert str(caught.value) == (
        "`docker container ls --quiet --all --filter=label=fleetform.environment=shop-local` ended with"
        " exit code 1:\n"
        "Cannot connect to the Docker daemon at unix:///x."
    )
