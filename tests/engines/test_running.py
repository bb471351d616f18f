"""An environment's services in real containers: found by their names, called only where `calls` says so."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetform import emulator
from tests.engines.engines import RunningEngine, commit_project
from tests.engines.laptop import Laptop, States

# Names change at once; a busy machine may take its time for all else.
PATIENCE_SECONDS = 60
DECLARED = {("orders", "stock"): "works", ("web", "orders"): "works"}
UNDECLARED = dict.fromkeys(
    [("orders", "web"), ("stock", "orders"), ("stock", "web"), ("web", "stock")], "blocked"
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout whose emulator serves the tests of both engines: what is applied is the same."""
    root = commit_project(tmp_path_factory.mktemp("running") / "project")
    yield root
    emulator.stop(root / ".fleetform")


@pytest.fixture(scope="module")
def earlier(checkout: Path, docker_runner: RunningEngine) -> States:
    """What smoke said when `web` called `stock` too; the containers run on."""
    laptop = Laptop(checkout, docker_runner)
    catalog = checkout / "envs/catalog.yaml"
    text = catalog.read_text(encoding="utf-8")
    catalog.write_text(text.replace("calls: [orders]", "calls: [orders, stock]"), encoding="utf-8")
    laptop.done("render")
    laptop.done("up", "--engine=docker")
    states = laptop.states()
    catalog.write_text(text, encoding="utf-8")
    laptop.done("render")
    return states


@pytest.fixture(scope="module")
def laptop(request: pytest.FixtureRequest, checkout: Path, running_engine: RunningEngine) -> Iterator[Laptop]:
    """The sample application, up; Docker's has run with another catalog before."""
    laptop = Laptop(checkout, running_engine)
    try:
        if running_engine.name == "docker":
            request.getfixturevalue("earlier")
        laptop.done("up", f"--engine={running_engine.name}")
        yield laptop
    finally:
        laptop.done("down", f"--engine={running_engine.name}")
    assert laptop.left() == ["", ""]


def test_all_tasks_are_well_and_have_their_names(laptop: Laptop) -> None:
    found = laptop.statuses()
    url = found["web"].pop("url")
    assert url.startswith("http://127.0.0.1:")
    assert found == {
        "orders": status("orders", tasks=2) | {"url": None},
        "stock": status("stock", tasks=1) | {"url": None},
        "web": status("web", tasks=1),
    }


def status(service: str, tasks: int) -> dict[str, Any]:
    """Return what ps shows of a service with healthy tasks."""
    return {"service": service, "dns_name": f"{service}.local.shop.internal", "well": tasks, "tasks": tasks}


def test_what_works_is_just_what_the_catalog_declares(laptop: Laptop) -> None:
    assert laptop.states() == DECLARED | UNDECLARED


def test_a_request_reaches_stock_through_orders(laptop: Laptop) -> None:
    answer = laptop.get(f"{laptop.statuses()['web']['url']}/")
    assert [served.partition("@")[0] for served in answer["served_by"]] == ["web", "orders", "stock"]
    assert answer["orders"][0] == {"id": 1001, "sku": "bolt", "quantity": 200, "available": 1200}


# Prints how many addresses `orders` has whenever that changes, until it has been fewer and two again.
# Podman's DNS server does not answer for a moment when a container starts or stops
# (containers/aardvark-dns#389): it is asked again.
WATCH = f"""\
import socket, time
seen, end = [], time.monotonic() + {PATIENCE_SECONDS}
while seen[-2:] != [1, 2] and time.monotonic() < end:
    try:
        found = len(socket.gethostbyname_ex("orders.local.shop.internal")[2])
    except OSError:
        found = None
    if found and seen[-1:] != [found]:
        seen.append(found)
        print(found, flush=True)
    time.sleep(0.01)
"""


def test_a_stopped_task_leaves_dns_and_comes_back(laptop: Laptop) -> None:
    argv = [laptop.engine.name, "exec", "shop-local-web-1", "python3", "-c", WATCH]
    variables = {**os.environ, **laptop.engine.variables}
    with subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "2\n"
        laptop.engine.run("stop", "--time=0", "shop-local-orders-1")
        assert process.stdout.readline() == "1\n"
        laptop.engine.run("start", "shop-local-orders-1")
        assert process.stdout.read() == "2\n"
        assert process.wait() == 0


@pytest.mark.parametrize("running_engine", ["docker"], indirect=True)
def test_requests_go_on_while_a_task_dies_and_is_started_again(laptop: Laptop) -> None:
    """Podman keeps a dead container's address until it runs again; requests may fail meanwhile."""
    url = laptop.statuses()["web"]["url"]
    started = kill(laptop, "shop-local-orders-1")
    answers = [laptop.get(f"{url}/")["served_by"][1].partition("@")[0] for _ in range(10)]
    assert answers == ["orders"] * 10
    wait_until_back(laptop, "shop-local-orders-1", started)
    assert laptop.statuses()["orders"]["well"] == 2


def test_a_task_that_dies_is_started_again(laptop: Laptop) -> None:
    wait_until_back(laptop, "shop-local-stock-1", kill(laptop, "shop-local-stock-1"))
    assert laptop.statuses()["stock"]["well"] == 1


def kill(laptop: Laptop, container: str) -> str:
    """Ends a container's program as a crash would; returns when it was started."""
    pid, started = laptop.engine.run(
        "inspect", "--format={{.State.Pid}} {{.State.StartedAt}}", container
    ).split(" ", 1)
    os.kill(int(pid), signal.SIGKILL)
    return started


def wait_until_back(laptop: Laptop, container: str, killed: str) -> None:
    """Wait until a container runs that was started after the killed one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    facts = f"true {killed}"
    while facts == f"true {killed}" or not facts.startswith("true"):
        assert time.monotonic() < deadline, facts
        facts = laptop.engine.run("inspect", "--format={{.State.Running}} {{.State.StartedAt}}", container)


def test_an_undeclared_connection_is_wrong_and_named(laptop: Laptop) -> None:
    network = "shop-local_orders--stock"
    laptop.engine.run("network", "connect", network, "shop-local-web-1")
    try:
        ended = laptop.invoke("smoke", f"--engine={laptop.engine.name}")
    finally:
        laptop.engine.run("network", "disconnect", network, "shop-local-web-1")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-2:] == [
        "web -> stock:8080: connects, but web does not call stock",
        "1 of 6 pairs of services does not match `calls`",
    ]


@pytest.mark.parametrize("running_engine", ["docker"], indirect=True)
def test_a_removed_call_is_blocked_while_all_services_keep_running(laptop: Laptop, earlier: States) -> None:
    """Once is enough: it takes Terraform an apply of both stacks."""
    assert earlier == DECLARED | UNDECLARED | {("web", "stock"): "works"}
    assert laptop.states() == DECLARED | UNDECLARED
