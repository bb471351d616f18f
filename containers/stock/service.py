"""What ``stock`` answers."""

from collections.abc import Mapping

from common.messages import Handler, Request, Response, json_response, not_found

AVAILABLE = {"anvil": 7, "bolt": 1200, "crate": 0}


def build(_environment: Mapping[str, str]) -> Handler:
    """The handler; it needs no settings."""
    return answer


def answer(request: Request) -> Response:
    """``/stock``: all articles; ``/stock/<sku>``: one."""
    match request.segments:
        case ("stock",):
            return json_response([_article(sku) for sku in AVAILABLE])
        case ("stock", sku) if sku in AVAILABLE:
            return json_response(_article(sku))
        case _:
            return not_found(request)


def _article(sku: str) -> dict[str, str | int]:
    return {"sku": sku, "available": AVAILABLE[sku]}
