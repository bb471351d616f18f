"""What ``web`` answers."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import cast

from common import settings
from common.client import CallError, Client
from common.messages import Handler, Request, Response, json_response, not_found

from web import pages
from web.accept import prefers_html

VARY = {"Vary": "Accept"}


def build(environment: Mapping[str, str]) -> Handler:
    """The handler, which calls the ``orders`` of the environment."""
    orders = Client(
        "orders", settings.endpoint(environment, "ORDERS_URL"), attempt_seconds=2, deadline_seconds=5
    )
    return partial(answer, orders)


def answer(orders: Client, request: Request) -> Response:
    """``/``: the orders and the instances that answered, as a page or as JSON."""
    if request.segments:
        return not_found(request)
    html = prefers_html(request.accept)
    try:
        reply = orders.get("/orders", request.request_id)
    except CallError as error:
        if not html:
            raise
        return _page(pages.failure(str(error), (request.instance,)), HTTPStatus.BAD_GATEWAY)
    chain = (request.instance, *reply.served_by)
    if html:
        return _page(
            pages.overview(cast("list[pages.Order]", reply.payload), chain), served_by=reply.served_by
        )
    payload = {"orders": reply.payload, "served_by": chain}
    return json_response(payload, headers=VARY, served_by=reply.served_by)


def _page(text: str, status: HTTPStatus = HTTPStatus.OK, served_by: tuple[str, ...] = ()) -> Response:
    headers = {**VARY, "Content-Security-Policy": pages.SECURITY_POLICY}
    return Response(status, text.encode(), "text/html; charset=utf-8", headers, served_by)
