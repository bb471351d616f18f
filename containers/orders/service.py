"""What ``orders`` answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TypedDict, cast

from common import settings
from common.client import Client
from common.messages import Handler, Request, Response, json_response, not_found


class Article(TypedDict):
    """What ``stock`` says of an article."""

    sku: str
    available: int


@dataclass(frozen=True)
class Order:
    """So many of an article."""

    id: int
    sku: str
    quantity: int


ORDERS = {
    str(order.id): order
    for order in (Order(1001, "bolt", 200), Order(1002, "anvil", 2), Order(1003, "crate", 5))
}


def build(environment: Mapping[str, str]) -> Handler:
    """The handler, which calls the ``stock`` of the environment."""
    stock = Client(
        "stock", settings.endpoint(environment, "STOCK_URL"), attempt_seconds=0.5, deadline_seconds=1.5
    )
    return partial(answer, stock)


def answer(stock: Client, request: Request) -> Response:
    """``/orders``: all orders; ``/orders/<id>``: one."""
    match request.segments:
        case ("orders",):
            return _all(stock, request)
        case ("orders", number) if number in ORDERS:
            return _one(stock, request, ORDERS[number])
        case _:
            return not_found(request)


def _all(stock: Client, request: Request) -> Response:
    reply = stock.get("/stock", request.request_id)
    available = {article["sku"]: article["available"] for article in cast("list[Article]", reply.payload)}
    return json_response(
        [_line(order, available[order.sku]) for order in ORDERS.values()], served_by=reply.served_by
    )


def _one(stock: Client, request: Request, order: Order) -> Response:
    reply = stock.get(f"/stock/{order.sku}", request.request_id)
    return json_response(_line(order, cast("Article", reply.payload)["available"]), served_by=reply.served_by)


def _line(order: Order, available: int) -> dict[str, str | int]:
    return {**asdict(order), "available": available}
