"""An environment's services in real containers: found by their names, called only where `calls` says so."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleetform import emulator
from tests.engines.engines import BASE_IMAGE, RunningEngine, commit_project, run

if not os.environ.get("CI"):
    pytest.skip("real engines take minutes and are left to CI: .ci/run", allow_module_level=True)

# Of the discovery records, and what the issue of a new address may take besides.
LEAVES_SECONDS = 15
DECLARED = {("orders", "stock"): "works", ("web", "orders"): "works"}
UNDECLARED = dict.fromkeys([("orders", "web"), ("stock", "orders"), ("stock", "web"), ("web", "stock")], "blocked")


@dataclass(frozen=True)
class Laptop:
    """A checkout on a machine with an engine.

    Attributes:
        root: The checkout.
        engine: What runs containers.
    """

    root: Path
    engine: RunningEngine

    def invoke(self, *arguments: str, inside: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs a task; inside, where the engine's published ports are."""
        place = [*self.engine.inside, "sh", "-c", 'cd "$0" && exec "$@"', str(self.root)] if inside else []
        return subprocess.run(
            [*place, sys.executable, "-m", "invoke", *arguments],
            cwd=self.root,
            env={**os.environ, **self.engine.variables, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def done(self, *arguments: str) -> str:
        """What a task prints that has to succeed."""
        ended = self.invoke(*arguments)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def states(self) -> dict[tuple[str, str], str]:
        """What smoke says of each pair."""
        ended = self.invoke("smoke", f"--engine={self.engine.name}", "--json")
        # What is wrong is told on standard error too, after the JSON.
        found, _ = json.JSONDecoder().raw_decode(ended.stdout)
        return {(pair["caller"], pair["callee"]): pair["state"] for pair in found["pairs"]}

    def statuses(self) -> dict[str, dict[str, Any]]:
        """What ps says of each service."""
        found = json.loads(self.done("ps", f"--engine={self.engine.name}", "--json"))
        return {status["service"]: status for status in found}

    def get(self, url: str) -> Any:  # noqa: ANN401 - JSON
        """What a service answers to whoever is on its machine."""
        code = (
            "import sys, urllib.request as r;"
            "print(r.urlopen(r.Request(sys.argv[1], headers={'Accept': 'application/json'})).read().decode())"
        )
        return json.loads(run([*self.engine.inside, sys.executable, "-c", code, url]))

    def left(self) -> list[str]:
        """Containers and networks that are ours."""
        label = "--filter=label=com.docker.compose.project"
        return [self.engine.run(kind, "ls", "--quiet", label) for kind in ("container", "network")]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout whose emulator serves the tests of both engines: what is applied is the same."""
    root = commit_project(tmp_path_factory.mktemp("running") / "project")
    yield root
    emulator.stop(root / ".fleetform")


@pytest.fixture(scope="module")
def laptop(checkout: Path, running_engine: RunningEngine) -> Iterator[Laptop]:
    """The sample application, up."""
    laptop = Laptop(checkout, running_engine)
    try:
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
    """What ps says of a service whose tasks are well."""
    return {"service": service, "dns_name": f"{service}.local.shop.internal", "well": tasks, "tasks": tasks}


def test_what_works_is_just_what_the_catalog_declares(laptop: Laptop) -> None:
    assert laptop.states() == DECLARED | UNDECLARED


def test_a_request_reaches_stock_through_orders(laptop: Laptop) -> None:
    answer = laptop.get(f"{laptop.statuses()['web']['url']}/")
    assert [served.partition("@")[0] for served in answer["served_by"]] == ["web", "orders", "stock"]
    assert answer["orders"][0] == {"id": 1001, "sku": "bolt", "quantity": 200, "available": 1200}


# Prints how many addresses `orders` has whenever that changes, until it has been fewer and two again.
WATCH = f"""\
import socket, time
seen, end = [], time.monotonic() + {LEAVES_SECONDS}
while seen[-2:] != [1, 2] and time.monotonic() < end:
    try:
        found = len(socket.gethostbyname_ex("orders.local.shop.internal")[2])
    except OSError:
        found = 0
    if seen[-1:] != [found]:
        seen.append(found)
        print(found, flush=True)
    time.sleep(0.01)
"""


def test_a_task_that_is_gone_leaves_dns_and_comes_back(laptop: Laptop) -> None:
    argv = [laptop.engine.name, "exec", "shop-local-web-1", "python3", "-c", WATCH]
    variables = {**os.environ, **laptop.engine.variables}
    with subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "2\n"
        laptop.engine.run("stop", "--time=0", "shop-local-orders-1")
        assert process.stdout.readline() == "1\n"
        laptop.engine.run("start", "shop-local-orders-1")
        assert (process.stdout.read(), process.wait()) == ("2\n", 0)


def test_requests_go_on_while_a_task_dies_and_is_started_again(laptop: Laptop) -> None:
    """Podman keeps a dead container's address until it runs again, so that a request may fail there meanwhile."""
    url = laptop.statuses()["web"]["url"]
    os.kill(int(laptop.engine.run("inspect", "--format={{.State.Pid}}", "shop-local-orders-1")), signal.SIGKILL)
    requests = 10 if laptop.engine.name == "docker" else 0
    answers = [laptop.get(f"{url}/")["served_by"][1].partition("@")[0] for _ in range(requests)]
    deadline = time.monotonic() + LEAVES_SECONDS
    while (found := laptop.statuses()["orders"]["well"]) < 2:
        assert time.monotonic() < deadline
    assert (answers, found) == (["orders"] * requests, 2)


def test_a_way_that_nobody_declared_is_wrong_and_named(laptop: Laptop) -> None:
    network = "shop-local_orders--stock"
    laptop.engine.run("network", "connect", network, "shop-local-web-1")
    try:
        ended = laptop.invoke("smoke", f"--engine={laptop.engine.name}")
    finally:
        laptop.engine.run("network", "disconnect", network, "shop-local-web-1")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-2:] == [
        "web -> stock:8080: connects though web does not call stock",
        "1 of 6 pairs of services is not as `calls` says",
    ]


def test_a_call_opens_its_way_and_closes_it_again(laptop: Laptop) -> None:
    if laptop.engine.name != "docker":
        return  # once is enough: it takes Terraform two applies
    catalog = laptop.root / "envs/catalog.yaml"
    text = catalog.read_text(encoding="utf-8")
    opened = DECLARED | UNDECLARED | {("web", "stock"): "works"}
    more = text.replace("calls: [orders]", "calls: [orders, stock]")
    for content, expected in ((more, opened), (text, DECLARED | UNDECLARED)):
        catalog.write_text(content, encoding="utf-8")
        laptop.done("render")
        laptop.done("up", f"--engine={laptop.engine.name}")
        assert laptop.states() == expected, laptop.invoke("smoke", f"--engine={laptop.engine.name}").stdout


CATALOG = """\
application: fleet
account: "123456789012"
region: ap-northeast-1
zones: [ap-northeast-1a, ap-northeast-1c]
services:
"""
SERVICE = """\
  s{number}:
    image: {image}
    command: [python3, -m, http.server, "8080"]
    port: 8080
    calls: [s{first}, s{second}]
"""
MINUTES = 3


def test_thirty_services_with_sixty_calls_are_up_and_proved_in_three_minutes(
    tmp_path: Path, docker_runner: RunningEngine
) -> None:
    """The time begins when they are applied."""
    root = commit_project(tmp_path / "project")
    shutil.rmtree(root / "envs")
    (root / "envs/local").mkdir(parents=True)
    services = [
        SERVICE.format(number=number, image=BASE_IMAGE, first=(number + 1) % 30, second=(number + 7) % 30)
        for number in range(30)
    ]
    (root / "envs/catalog.yaml").write_text(CATALOG + "".join(services), encoding="utf-8")
    (root / "envs/local/environment.yaml").write_text("emulator: true\n", encoding="utf-8")
    laptop = Laptop(root, docker_runner)
    laptop.done("render")
    try:
        laptop.done("apply", "--yes")
        started = time.monotonic()
        laptop.done("up", "--engine=docker")
        states = laptop.states()
        seconds = time.monotonic() - started
    finally:
        laptop.done("down", "--engine=docker")
        emulator.stop(root / ".fleetform")
    assert Counter(states.values()) == {"works": 60, "blocked": 30 * 29 - 60}
    assert laptop.left() == ["", ""]
    assert seconds < MINUTES * 60


def test_the_demo_builds_runs_and_proves_the_services(tmp_path: Path, docker_runner: RunningEngine) -> None:
    root = commit_project(tmp_path / "project")
    ended = Laptop(root, docker_runner).invoke("demo", inside=True)
    assert ended.returncode == 0, ended.stdout
    # The engine may have the images from a test before.
    steps = [
        re.sub(r" \d+\.\d s$|\d built, \d unchanged", "", line)
        for line in ended.stdout.splitlines()
        if line.startswith("✓")
    ]
    begin = steps.index("✓ Apply foundation: 32 added, 0 changed, 0 destroyed")
    assert steps[begin + 1 : begin + 2] == ["✓ Build and push the images: 3 by docker, locked by digest"]
    begin = steps.index("✓ Plan services again: no drift")
    assert steps[begin + 1 : -2] == [
        "✓ Build the images: ",
        "✓ Start the containers with docker",
        "✓ Wait until they are well: 4 containers",
        "✓ Try every pair of services: blocked 4, works 2",
        "✓ GET http://127.0.0.1:8080/: 200 OK",
        "✓ Remove the containers",
    ]
    assert run(["git", "-C", root, "status", "--porcelain"]) == ""
    assert Laptop(root, docker_runner).left() == ["", ""]
