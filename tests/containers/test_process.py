"""How a service starts and ends."""

import ctypes
import errno
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import Chain
from .processes import CONTAINERS, PATIENCE_SECONDS, Answer, Canned, Service, Stub, command


def run(module: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A module's run, for modules that end by themselves."""
    return subprocess.run(
        command(module),
        cwd=CONTAINERS,
        env={"PYTHONDONTWRITEBYTECODE": "1", **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def test_sigterm_drains_then_ends_well(start: Callable[..., Service]) -> None:
    """While it drains it answers, says that it is not healthy, and keeps no connection."""
    stock = start("stock", DRAIN_SECONDS="1")

    stock.send(signal.SIGTERM)

    assert stock.log("draining")["seconds"] == 1.0
    answer, health = stock.ask("/stock/bolt"), stock.ask("/healthz")
    assert answer.status == 200
    assert answer.headers["Connection"] == "close"
    assert health.status == 503
    assert health.payload == {"status": "draining"}
    assert stock.exit_code() == 0
    with pytest.raises(ConnectionRefusedError):
        stock.ask("/stock")


def test_a_request_under_way_is_finished(
    start: Callable[..., Service], held_stub: Callable[..., Stub]
) -> None:
    stock = held_stub(Canned({"sku": "bolt", "available": 3}))
    orders = start("orders", STOCK_URL=stock.url, DRAIN_SECONDS="0")
    answers: list[Answer] = []
    request = threading.Thread(target=lambda: answers.append(orders.ask("/orders/1001")))
    request.start()
    assert stock.arrived.wait(PATIENCE_SECONDS)

    orders.send(signal.SIGTERM)
    orders.log("stopping")
    stock.release.set()

    request.join()
    assert [(answer.status, answer.payload["available"]) for answer in answers] == [(200, 3)]
    assert orders.exit_code() == 0


def test_sigint_ends_it_at_once(start: Callable[..., Service]) -> None:
    stock = start("stock", DRAIN_SECONDS="600")

    stock.send(signal.SIGINT)

    assert stock.exit_code() == 0


def test_a_second_signal_ends_the_draining(start: Callable[..., Service]) -> None:
    stock = start("stock", DRAIN_SECONDS="600")
    stock.send(signal.SIGTERM)
    stock.log("draining")

    stock.send(signal.SIGTERM)

    assert stock.exit_code() == 0


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux lets one process choose another's thread"
)
def test_a_signal_is_noticed_whichever_thread_receives_it(start: Callable[..., Service]) -> None:
    """Only the main thread's waiting is interrupted by a signal, and the kernel may choose another one."""
    stock = start("stock", DRAIN_SECONDS="0")
    main = stock.process.pid
    other = next(int(task.name) for task in Path(f"/proc/{main}/task").iterdir() if int(task.name) != main)

    assert ctypes.CDLL(None).tgkill(main, other, signal.SIGTERM) == 0

    assert stock.exit_code() == 0


def test_an_idle_connection_does_not_hold_up_the_end(start: Callable[..., Service]) -> None:
    stock = start("stock")
    with socket.create_connection(("127.0.0.1", stock.port)):
        stock.ask("/stock")  # so that the idle connection has been accepted too

        stock.send(signal.SIGINT)

        assert stock.exit_code() == 0


@pytest.mark.parametrize(("service", "variable"), [("web", "ORDERS_URL"), ("orders", "STOCK_URL")])
def test_a_missing_url_ends_the_start_with_exit_code_2_and_names_the_variable(
    service: str, variable: str
) -> None:
    ended = run(service)

    line = json.loads(ended.stdout)
    message = f"{variable} is not set: it must hold the callee's base URL, such as http://callee:8080"
    assert ended.returncode == 2
    assert ended.stderr == ""
    assert line["level"] == "CRITICAL"
    assert line["message"] == message


@pytest.mark.parametrize(
    "url", ["stock:8080", "https://stock", "http://", "http://stock:x", "http://stock/api"]
)
def test_a_url_that_is_not_a_base_url_is_refused(load: Callable[[str], ModuleType], url: str) -> None:
    settings = load("common.settings")

    with pytest.raises(settings.SettingError) as refused:
        settings.endpoint({"STOCK_URL": url}, "STOCK_URL")

    assert str(refused.value) == f"STOCK_URL is {url!r}: it must be a base URL such as http://callee:8080"


@pytest.mark.parametrize("text", ["", "http", "-1", "65536"])
def test_a_port_that_is_none_is_refused(load: Callable[[str], ModuleType], text: str) -> None:
    settings = load("common.settings")

    with pytest.raises(settings.SettingError) as refused:
        settings.port({"PORT": text})

    assert str(refused.value) == f"PORT is {text!r}: it must be a number from 0 to 65535"


@pytest.mark.parametrize("text", ["", "soon", "-1", "inf", "nan"])
def test_a_time_to_drain_that_is_none_is_refused(load: Callable[[str], ModuleType], text: str) -> None:
    settings = load("common.settings")

    with pytest.raises(settings.SettingError) as refused:
        settings.drain_seconds({"DRAIN_SECONDS": text})

    assert str(refused.value) == f"DRAIN_SECONDS is {text!r}: it must be a number of seconds, 0 or more"


def test_the_defaults_are_port_8080_and_ten_seconds(load: Callable[[str], ModuleType]) -> None:
    settings = load("common.settings")

    assert settings.port({}) == 8080
    assert settings.drain_seconds({}) == 10


def test_a_port_that_is_taken_ends_the_start_with_exit_code_1(start: Callable[..., Service]) -> None:
    taken = start("stock").port

    ended = run("stock", PORT=str(taken))

    assert ended.returncode == 1
    assert json.loads(ended.stdout)["message"] == f"cannot listen on port {taken}: Address already in use"


def test_the_health_check_passes_while_the_service_is_healthy(chain: Chain) -> None:
    checked = run("common.healthcheck", PORT=str(chain.stock.port))

    assert checked.returncode == 0
    assert checked.stdout == ""
    assert checked.stderr == ""


def test_the_health_check_fails_while_the_service_drains(start: Callable[..., Service]) -> None:
    stock = start("stock", DRAIN_SECONDS="600")
    stock.send(signal.SIGTERM)
    stock.log("draining")

    checked = run("common.healthcheck", PORT=str(stock.port))

    assert checked.returncode == 1
    assert checked.stderr == "/healthz answered 503\n"


def test_the_health_check_fails_without_a_service(dead_url: str) -> None:
    checked = run("common.healthcheck", PORT=dead_url.rpartition(":")[2])

    assert checked.returncode == 1
    assert checked.stderr == f"[Errno {errno.ECONNREFUSED}] Connection refused\n"
