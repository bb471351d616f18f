"""Containers run by real engines, with Compose: two services, one of two containers, and one call."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetform.base.errors import ProgramError
from fleetform.base.processes import run
from fleetform.local_runtime import agent as agents
from fleetform.local_runtime.agent import Agent
from fleetform.local_runtime.execution import Execution, execute, replace, run_beside
from fleetform.local_runtime.inspection import Container, containers
from fleetform.local_runtime.project import Project, down, logs_argv, up
from fleetform.local_runtime.runner import Runner, close_runner, find_runner
from tests.engines.engines import BASE_IMAGE, RunningEngine
from tests.engines.engines import run as run_program

NAME = "fleetform-test"
PORT = 18080
DEADLINE_SECONDS = 60

# No spaces in a word of the check: Podman 4.3 splits them.
ILL = "exit(__import__('os').path.exists('/ill'))"
DOCUMENT = f"""\
services:
  stock-1: &task
    container_name: {NAME}-stock-1
    image: {BASE_IMAGE}
    command: [python3, -m, http.server, "8080"]
    restart: always
    stop_grace_period: 1s
    healthcheck: {{ test: [CMD, python3, -c, "{ILL}"], interval: 1s, timeout: 10s, retries: 2 }}
    labels: &labels
      fleetform.environment: {NAME}
      fleetform.service: stock
      fleetform.task: "1"
      fleetform.container: stock
    networks: {{ web--stock: {{ aliases: [stock.shop.internal] }} }}
    volumes: ["data:/data"]
  stock-1-proxy:
    container_name: {NAME}-stock-1-proxy
    image: {BASE_IMAGE}
    command: [python3, -m, http.server, "9090"]
    restart: always
    stop_grace_period: 1s
    depends_on: [stock-1]
    network_mode: service:stock-1
    labels: {{ <<: *labels, fleetform.container: proxy }}
  web-1:
    <<: *task
    container_name: {NAME}-web-1
    environment: {{ TOKEN: "${{WEB_TOKEN}}" }}
    depends_on: {{ stock-1: {{ condition: service_healthy }} }}
    labels: {{ <<: *labels, fleetform.service: web, fleetform.container: web }}
    networks: {{ web--stock: {{}}, web--outward: {{}} }}
    ports: ["127.0.0.1:{PORT}:8080"]
volumes: {{ data: {{}} }}
networks:
  web--stock:
    internal: true
    ipam: &ipam {{ options: {{ driver: host-local }}, config: [{{ subnet: 198.18.0.0/28 }}] }}
  web--outward:
    ipam: {{ <<: *ipam, config: [{{ subnet: 198.18.0.16/28 }}] }}
"""

LONELY = f"""\
services:
  stock-1:
    container_name: {NAME}-down-stock-1
    image: {BASE_IMAGE}
    command: [python3, -m, http.server, "8080"]
    restart: always
    stop_grace_period: 1s
    labels: &labels
      fleetform.environment: {NAME}-down
      fleetform.service: stock
      fleetform.task: "1"
      fleetform.container: stock
    networks: [stock--outward]
    volumes: ["data:/data"]
  stock-1-proxy:
    container_name: {NAME}-down-stock-1-proxy
    image: {BASE_IMAGE}
    command: [python3, -m, http.server, "9090"]
    stop_grace_period: 1s
    network_mode: service:stock-1
    labels: {{ <<: *labels, fleetform.container: proxy }}
volumes: {{ data: {{}} }}
networks:
  stock--outward:
    ipam: {{ options: {{ driver: host-local }}, config: [{{ subnet: 198.18.1.0/28 }}] }}
"""

PROBE = """\
import json, socket, sys, urllib.request
host, port = sys.argv[1:]
try:
    found = socket.gethostbyname_ex(host)[2]
    print(json.dumps([found, urllib.request.urlopen(f"http://{host}:{port}/", timeout=5).status]))
except OSError as error:
    print(json.dumps([type(error).__name__]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compose")


@pytest.fixture(scope="module")
def project(folder: Path) -> Project:
    (folder / "compose.yaml").write_text(DOCUMENT, encoding="utf-8")
    return Project(NAME, folder / "compose.yaml", folder / "compose.log")


@pytest.fixture(scope="module")
def runner(running_engine: RunningEngine, folder: Path) -> Iterator[Runner]:
    """The engine, found as a person's would be."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running_engine.variables.items():
            patch.setenv(name, value)
        yield find_runner(running_engine.name, folder)
        close_runner(folder)


@pytest.fixture(scope="module")
def agent(runner: Runner) -> Iterator[Agent]:
    """The agent, in a thread: Podman is out of systemd's reach, whether or not the machine has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agents, "_SYSTEMD", Path("/nowhere"))
        watching = Agent(runner, NAME)
    stopping = threading.Event()
    thread = threading.Thread(target=watching.watch, args=(stopping,))
    thread.start()
    yield watching
    stopping.set()
    thread.join()


@pytest.fixture(scope="module")
def there(runner: Runner, project: Project, agent: Agent) -> Iterator[dict[str, Container]]:
    """The project's containers, all well."""
    assert agent
    try:
        up(runner, project, {"WEB_TOKEN": "secret"})
        yield wait_until(
            runner, lambda found: all(one.health in {"healthy", "none"} for one in found.values())
        )
    finally:
        down(runner, project)


def look(runner: Runner) -> dict[str, Container]:
    """The project's containers, by their names without the project's."""
    return {container.name.removeprefix(f"{NAME}-"): container for container in containers(runner, NAME)}


def wait_until(runner: Runner, true: Callable[[dict[str, Container]], bool]) -> dict[str, Container]:
    """The containers once something is true of them."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true(found := look(runner)):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def asked(execution: Execution) -> object:
    """What the probe found."""
    assert execution.code == 0, execution
    return json.loads(execution.stdout)


def probe(runner: Runner, caller: str, host: str, port: int) -> object:
    """What a container finds when it calls: addresses and the answer, or an error."""
    return asked(execute(runner, f"{NAME}-{caller}", ["python3", "-", host, str(port)], PROBE))


def test_containers_are_seen_as_they_run(there: dict[str, Container]) -> None:
    seen = {
        name: (
            one.service,
            one.task,
            one.container,
            one.state,
            one.health,
            one.published,
            sorted(one.addresses),
        )
        for name, one in there.items()
    }
    assert seen == {
        "stock-1": ("stock", 1, "stock", "running", "healthy", (), ["web--stock"]),
        "stock-1-proxy": ("stock", 1, "proxy", "running", "none", (), []),
        "web-1": ("web", 1, "web", "running", "healthy", (PORT,), ["web--outward", "web--stock"]),
    }
    assert {(one.image, one.essential) for one in there.values()} == {(BASE_IMAGE, True)}


def test_a_second_up_changes_nothing(runner: Runner, project: Project, there: dict[str, Container]) -> None:
    before = look(runner)
    up(runner, project, {"WEB_TOKEN": "secret"})
    assert there.keys() == before.keys()
    assert {name: one.started for name, one in look(runner).items()} == {
        name: one.started for name, one in before.items()
    }


def test_a_secret_comes_from_the_process_environment(runner: Runner, there: dict[str, Container]) -> None:
    code = "import os; print(os.environ['TOKEN'])"
    assert execute(runner, there["web-1"].name, ["python3", "-c", code]) == Execution(0, "secret\n", "")


@pytest.mark.usefixtures("there")
def test_a_call_finds_its_callee_by_name(runner: Runner) -> None:
    address = look(runner)["stock-1"].addresses["web--stock"]
    assert probe(runner, "web-1", "stock.shop.internal", 8080) == [[address], 200]
    assert probe(runner, "web-1", "stock.shop.internal", 9090) == [[address], 200]


def test_the_same_is_seen_from_beside_the_caller(runner: Runner, there: dict[str, Container]) -> None:
    address = look(runner)["stock-1"].addresses["web--stock"]
    argv = ["python3", "-", "stock.shop.internal", "8080"]
    assert asked(run_beside(runner, there["web-1"].name, BASE_IMAGE, argv, PROBE)) == [[address], 200]


def test_a_program_beside_a_container_that_takes_too_long_leaves_nothing(
    runner: Runner, running_engine: RunningEngine, there: dict[str, Container]
) -> None:
    sleep = ["python3", "-c", "import time; print(1, flush=True); time.sleep(600)"]
    with pytest.raises(ProgramError):
        run_beside(runner, there["web-1"].name, BASE_IMAGE, sleep, timeout=3)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while names := set(running_engine.run("ps", "--all", "--format={{.Names}}").split()) - {
        one.name for one in there.values()
    }:
        assert time.monotonic() < deadline, names


@pytest.mark.usefixtures("there")
def test_the_public_port_is_published(running_engine: RunningEngine) -> None:
    code = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{PORT}/').status)"
    assert run_program([*running_engine.inside, "python3", "-c", code]) == "200"


@pytest.mark.usefixtures("there")
def test_logs_are_those_of_a_service(runner: Runner, project: Project, tmp_path: Path) -> None:
    probe(runner, "web-1", "stock.shop.internal", 8080)
    lines = run(logs_argv(runner, project, ["stock"]), runner.variables, tmp_path / "log").lines
    assert [line for line in lines if "GET / HTTP/1.1" in line and "stock-1" in line]
    assert not [line for line in lines if "web-1" in line]


def test_a_task_that_is_replaced_comes_back_with_all_its_containers(
    runner: Runner, there: dict[str, Container]
) -> None:
    before = look(runner)
    replace(runner, there["stock-1"].name, there["stock-1-proxy"].name)
    after = look(runner)
    assert [name for name in there if after[name].started > before[name].started] == [
        "stock-1",
        "stock-1-proxy",
    ]
    (address,) = after["stock-1"].addresses.values()
    assert probe(runner, "web-1", "stock.shop.internal", 9090) == [[address], 200]


def test_the_agent_replaces_the_task_of_an_unhealthy_container(
    runner: Runner, there: dict[str, Container]
) -> None:
    before = look(runner)
    mark = "import os; open('/ill', 'w') if {ill} else os.remove('/ill')"
    execute(runner, there["stock-1"].name, ["python3", "-c", mark.format(ill=True)])
    names = ("stock-1", "stock-1-proxy")
    wait_until(runner, lambda found: all(found[name].started > before[name].started for name in names))
    execute(runner, there["stock-1"].name, ["python3", "-c", mark.format(ill=False)])
    after = wait_until(runner, lambda found: found["stock-1"].health == "healthy")
    assert after["web-1"].started == before["web-1"].started
    (address,) = after["stock-1"].addresses.values()
    assert probe(runner, "web-1", "stock.shop.internal", 9090) == [[address], 200]


def test_down_leaves_nothing_even_without_its_file(
    runner: Runner, running_engine: RunningEngine, tmp_path: Path
) -> None:
    project = Project(f"{NAME}-down", tmp_path / "compose.yaml", tmp_path / "compose.log")
    project.file.write_text(LONELY, encoding="utf-8")
    up(runner, project, {})
    assert [one.state for one in containers(runner, project.name)] == ["running", "running"]
    project.file.unlink()
    for _ in range(2):
        down(runner, project)
    label = f"--filter=label=com.docker.compose.project={project.name}"
    left = [running_engine.run(kind, "ls", "--quiet", label) for kind in ("container", "network", "volume")]
    assert containers(runner, project.name) == ()
    assert left == ["", "", ""]
