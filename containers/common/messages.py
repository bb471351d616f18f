"""What a service is asked and what it answers, free of sockets."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
HOP = re.compile(r"[A-Za-z0-9.@-]{1,128}")


@dataclass(frozen=True)
class Request:
    """A GET (or a HEAD, which is answered alike).

    Attributes:
        segments: The path between its slashes, unquoted; ``/`` has none.
        accept: The header ``Accept``.
        request_id: What names this request in the logs of every service that it reaches.
        instance: Who answers: ``service@host``.
    """

    segments: tuple[str, ...]
    accept: str
    request_id: str
    instance: str


@dataclass(frozen=True)
class Response:
    """An answer.

    Attributes:
        status: Its status.
        body: Its body, encoded.
        content_type: The body's type.
        headers: Further headers.
        served_by: The instances behind this one that helped, nearest first.
    """

    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    served_by: tuple[str, ...] = ()


Handler = Callable[[Request], Response]


def json_response(
    payload: object,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    headers: Mapping[str, str] | None = None,
    served_by: tuple[str, ...] = (),
) -> Response:
    """The payload as JSON, on a line of its own: kind to terminals."""
    return Response(status, json.dumps(payload).encode() + b"\n", headers=headers or {}, served_by=served_by)


def error_response(status: HTTPStatus, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """An error as every service tells it."""
    return json_response({"error": message}, status, headers=headers)


def not_found(request: Request) -> Response:
    """Nothing has this path."""
    return error_response(HTTPStatus.NOT_FOUND, f"no such path: /{'/'.join(request.segments)}")


def request_id(given: str | None) -> str:
    """The caller's request id if it is safe to log and to hand on, else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def hops(header: str | None) -> tuple[str, ...]:
    """The instances that a callee's ``X-Served-By`` names, without what is no instance."""
    return tuple(hop for hop in (header or "").split(", ") if HOP.fullmatch(hop))
