"""How a service calls its callee, seen at ``orders`` and a stub in the place of ``stock``."""

import socket
from collections.abc import Callable
from types import ModuleType

import pytest

from .processes import Canned, Service, Stub

BOLTS = Canned({"sku": "bolt", "available": 3})
ORDER = {"id": 1001, "sku": "bolt", "quantity": 200, "available": 3}


@pytest.mark.parametrize(
    "fault", [Canned(status=502), Canned(status=503), Canned(status=504), Canned(status=None)], ids=str
)
def test_a_call_that_fails_twice_succeeds_at_the_third_attempt(
    start: Callable[..., Service], stub: Callable[..., Stub], fault: Canned
) -> None:
    stock = stub(fault, fault, BOLTS)

    answer = start("orders", STOCK_URL=stock.url).ask("/orders/1001")

    assert answer.status == 200
    assert answer.payload == ORDER
    assert [path for path, _ in stock.requests] == ["/stock/bolt"] * 3


@pytest.mark.parametrize(
    ("given", "error", "attempts"),
    [
        (Canned({"error": "no bolts"}, 503), "stock answered 503: no bolts", 3),
        (Canned({"error": "no steel"}, 503, {"Retry-After": "9"}), "stock answered 503: no steel", 1),
        (Canned(b"<html>", 404), "stock answered 404", 1),
        (Canned([], 500), "stock answered 500", 1),
        (Canned(b"<html>"), "stock answered something that is not JSON", 1),
        (
            Canned(status=None),
            "stock broke the connection: Remote end closed connection without response",
            3,
        ),
    ],
)
def test_only_failures_that_may_pass_are_tried_again_and_only_twice(
    start: Callable[..., Service], stub: Callable[..., Stub], given: Canned, error: str, attempts: int
) -> None:
    stock = stub(given)

    answer = start("orders", STOCK_URL=stock.url).ask("/orders/1001")

    assert answer.status == 502
    assert answer.payload == {"error": error}
    assert len(stock.requests) == attempts


def test_a_callee_that_does_not_answer_in_time_is_asked_once(start: Callable[..., Service]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        orders = start("orders", STOCK_URL=f"http://localhost:{silent.getsockname()[1]}")

        answer = orders.ask("/orders")

        silent.accept()[0].close()
        silent.setblocking(False)  # noqa: FBT003 - its only argument
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert answer.status == 502
    assert answer.payload == {"error": "stock did not answer within 0.5 s"}


def test_a_dead_callee_is_an_error_after_three_attempts(start: Callable[..., Service], dead_url: str) -> None:
    orders = start("orders", STOCK_URL=dead_url)

    answer = orders.ask("/orders")

    assert answer.status == 502
    assert answer.payload == {"error": "stock cannot be reached: Connection refused"}
    assert [orders.log("calling again")["attempt"] for _ in range(2)] == [1, 2]


def test_a_call_names_the_host_and_the_request(
    start: Callable[..., Service], stub: Callable[..., Stub]
) -> None:
    stock = stub(BOLTS)

    start("orders", STOCK_URL=stock.url).ask("/orders/1001", headers={"X-Request-Id": "id-1"})

    assert stock.requests[0][1] == {
        "Accept-Encoding": "identity",
        "Host": f"localhost:{stock.server_port}",
        "Accept": "application/json",
        "Connection": "close",
        "X-Request-Id": "id-1",
    }


def test_each_attempt_asks_dns_again_and_takes_an_untried_address(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = load("common.client")
    asked = []
    tried = []

    def resolve(host: str, *_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(None, None, None, None, (address, 0)) for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3")]

    class Unreachable(client.HTTPConnection):  # type: ignore[misc, name-defined]
        def connect(self) -> None:
            tried.append(self.host)
            raise TimeoutError("timed out")

    monkeypatch.setattr(client.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(client, "HTTPConnection", Unreachable)

    with pytest.raises(client.CallError, match=r"^stock cannot be reached: timed out$"):
        client.Client("stock", client.Endpoint("stock.internal", 80), 1, 5).get("/", "id")

    assert asked == ["stock.internal"] * 3
    assert sorted(tried) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_a_name_that_does_not_resolve_is_an_error_after_three_questions(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = load("common.client")
    asked = []

    def resolve(host: str, *_: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(client.socket, "getaddrinfo", resolve)

    with pytest.raises(client.CallError, match=r"^stock has no address: Name or service not known$"):
        client.Client("stock", client.Endpoint("stock.internal", 80), 1, 5).get("/", "id")

    assert asked == ["stock.internal"] * 3


def test_the_deadline_ends_the_attempts(
    load: Callable[[str], ModuleType], dead_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = load("common.client")
    endpoint = load("common.settings").endpoint({"STOCK_URL": dead_url}, "STOCK_URL")

    with pytest.raises(client.CallError):
        client.Client("stock", endpoint, attempt_seconds=1, deadline_seconds=0).get("/", "id")

    assert caplog.records == []
