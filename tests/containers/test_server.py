"""How every service answers, whatever it is about."""

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest

from .conftest import Chain
from .processes import PATIENCE_SECONDS, Canned, Service, Stub


@pytest.mark.parametrize("service", ["web", "orders", "stock"])
def test_every_service_reports_that_it_is_healthy(chain: Chain, service: str) -> None:
    answer = getattr(chain, service).ask("/healthz")

    assert answer.status == 200
    assert answer.payload == {"status": "ok"}


def test_a_service_is_healthy_without_its_callee(start: Callable[..., Service], dead_url: str) -> None:
    assert start("orders", STOCK_URL=dead_url).ask("/healthz").status == 200


@pytest.mark.parametrize(
    "path", ["/", "/stock/", "/stock/none", "/stock/bolt/more", "/stock%2Fbolt", "//stock/bolt/"]
)
def test_an_unknown_path_is_not_found(chain: Chain, path: str) -> None:
    answer = chain.stock.ask(path)

    assert answer.status == 404
    assert list(answer.payload) == ["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_methods_that_change_things_are_not_allowed(chain: Chain, method: str) -> None:
    answer = chain.stock.ask("/stock", method, body="x" * 100_000)

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.headers["Connection"] == "close"
    assert answer.payload == {"error": f"method not allowed: {method}"}


def test_head_answers_as_get_without_the_body(chain: Chain) -> None:
    get, head = chain.stock.ask("/stock"), chain.stock.ask("/stock", "HEAD")

    assert head.status == 200
    assert head.text == ""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_a_connection_serves_several_requests(chain: Chain) -> None:
    connection = HTTPConnection("127.0.0.1", chain.stock.port, timeout=PATIENCE_SECONDS)
    connection.connect()
    used = connection.sock
    for _ in range(2):
        connection.request("GET", "/stock/bolt")
        assert json.loads(connection.getresponse().read()) == {"sku": "bolt", "available": 1200}
    assert used is connection.sock
    connection.close()


def test_a_malformed_request_is_refused_in_json(chain: Chain) -> None:
    with socket.create_connection(("127.0.0.1", chain.stock.port), PATIENCE_SECONDS) as connection:
        connection.sendall(b"GET /stock HTTP/x.y\r\n\r\n")
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")

    assert head.splitlines()[0] == b"HTTP/1.1 400 Bad Request"
    assert json.loads(body) == {"error": "Bad request version ('HTTP/x.y')"}


def test_an_internal_error_is_logged_with_its_traceback_and_not_sent(
    start: Callable[..., Service], stub: Callable[..., Stub]
) -> None:
    orders = start("orders", STOCK_URL=stub(Canned([{"unexpected": 1}])).url)

    answer = orders.ask("/orders", headers={"X-Request-Id": "faulty"})

    line = orders.log("cannot answer", request_id="faulty")
    assert answer.status == 500
    assert answer.payload == {"error": "internal error"}
    assert line["level"] == "ERROR"
    assert line["traceback"].splitlines()[-1] == "KeyError: 'sku'"


def test_a_log_line_has_the_caller_the_request_and_the_result(start: Callable[..., Service]) -> None:
    stock = start("stock")
    stock.ask("/stock/none?secret=1", headers={"X-Request-Id": "a-1"})

    line = stock.log("answered")

    age = datetime.now(UTC) - datetime.fromisoformat(line.pop("time"))
    assert timedelta() <= age < timedelta(seconds=PATIENCE_SECONDS)
    assert 0 <= line.pop("milliseconds") < PATIENCE_SECONDS * 1000
    assert line == {
        "level": "INFO",
        "service": "stock",
        "message": "answered",
        "method": "GET",
        "path": "/stock/none",
        "status": 404,
        "request_id": "a-1",
    }


def test_passed_health_checks_are_not_logged(start: Callable[..., Service]) -> None:
    stock = start("stock")

    stock.ask("/healthz")
    stock.ask("/stock")

    assert stock.log("answered")["path"] == "/stock"
