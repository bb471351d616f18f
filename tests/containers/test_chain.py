"""What people see of the three services together."""

import re
import socket
from collections.abc import Callable

import pytest

from .conftest import Chain
from .processes import Canned, Service, Stub

HOST = socket.gethostname()
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ORDERS = [
    {"id": 1001, "sku": "bolt", "quantity": 200, "available": 1200},
    {"id": 1002, "sku": "anvil", "quantity": 2, "available": 7},
    {"id": 1003, "sku": "crate", "quantity": 5, "available": 0},
]


def test_web_answers_json_with_data_and_instances_of_all_three(chain: Chain) -> None:
    answer = chain.web.ask("/")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.payload == {
        "orders": ORDERS,
        "served_by": [f"web@{HOST}", f"orders@{HOST}", f"stock@{HOST}"],
    }


def test_web_answers_browsers_with_a_page_of_the_same_data(chain: Chain) -> None:
    answer = chain.web.ask("/", headers=BROWSER)

    rows = [re.findall("<td[^>]*>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", answer.text)]
    hops = re.findall("<li>(.*?)<small>(.*?)</small></li>", answer.text)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert rows[1:] == [[str(value) for value in order.values()] for order in ORDERS]
    assert hops == [("web", HOST), ("orders", HOST), ("stock", HOST)]


@pytest.mark.parametrize(
    ("service", "path", "payload"),
    [
        ("orders", "/orders", ORDERS),
        ("orders", "/orders/1002", ORDERS[1]),
        (
            "stock",
            "/stock",
            [
                {"sku": "anvil", "available": 7},
                {"sku": "bolt", "available": 1200},
                {"sku": "crate", "available": 0},
            ],
        ),
        ("stock", "/stock/bolt?verbose=1", {"sku": "bolt", "available": 1200}),
    ],
)
def test_each_service_answers_its_paths(chain: Chain, service: str, path: str, payload: object) -> None:
    assert getattr(chain, service).ask(path).payload == payload


def test_x_served_by_names_the_instances_behind_an_answer(chain: Chain) -> None:
    assert chain.orders.ask("/orders/1001").headers["X-Served-By"] == f"orders@{HOST}, stock@{HOST}"


def test_a_request_id_reaches_every_log_of_the_chain(chain: Chain) -> None:
    answer = chain.web.ask("/", headers={"X-Request-Id": "Sought-1"})

    lines = [
        service.log("answered", request_id="Sought-1")["path"]
        for service in (chain.web, chain.orders, chain.stock)
    ]
    assert answer.headers["X-Request-Id"] == "Sought-1"
    assert lines == ["/", "/orders", "/stock"]


@pytest.mark.parametrize("given", ["", "a b", "a" * 65, '"}'])
def test_an_unsafe_request_id_is_replaced(chain: Chain, given: str) -> None:
    used = chain.stock.ask("/stock", headers={"X-Request-Id": given}).headers["X-Request-Id"]

    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", used)


def test_the_page_escapes_what_comes_from_orders(
    start: Callable[..., Service], stub: Callable[..., Stub]
) -> None:
    evil = "<script>alert('&')</script>"
    orders = stub(Canned([{"id": evil, "sku": evil, "quantity": 1, "available": 1}]))

    page = start("web", ORDERS_URL=orders.url).ask("/", headers=BROWSER).text

    assert re.findall("<td>(.*?)</td>", page) == ["&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;"] * 2
    assert "<script" not in page


def test_web_hands_on_no_instances_that_could_forge_a_header(
    start: Callable[..., Service], stub: Callable[..., Stub]
) -> None:
    orders = stub(Canned([], headers={"X-Served-By": "orders@a, <b>, stock@c"}))

    assert (
        start("web", ORDERS_URL=orders.url).ask("/").headers["X-Served-By"]
        == f"web@{HOST}, orders@a, stock@c"
    )


def test_a_dead_callee_gives_browsers_a_page_that_reports_it(
    start: Callable[..., Service], dead_url: str
) -> None:
    answer = start("web", ORDERS_URL=dead_url).ask("/", headers=BROWSER)

    assert answer.status == 502
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.findall('<p class="error">(.*)</p>', answer.text) == [
        "orders cannot be reached: Connection refused"
    ]


def test_web_passes_on_why_the_end_of_the_chain_failed(start: Callable[..., Service], dead_url: str) -> None:
    orders = start("orders", STOCK_URL=dead_url)

    answer = start("web", ORDERS_URL=f"http://localhost:{orders.port}").ask("/")

    assert answer.status == 502
    assert answer.payload == {"error": "orders answered 502: stock cannot be reached: Connection refused"}


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER["Accept"], True),
        ("text/html", True),
        ("text/*", True),
        ("application/json;q=0.5, text/html;q=0.9", True),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html", False),
        ("text/html;q=0, */*", False),
        ("text/html;q=x", False),
        ("", False),
    ],
)
def test_only_clients_that_prefer_html_get_it(
    load: Callable[..., object], accept: str, *, html: bool
) -> None:
    assert load("web.accept").prefers_html(accept) is html  # type: ignore[attr-defined]
