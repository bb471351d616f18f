"""Lets the monitor see each request, and answers those of tests about it."""

import hmac
import json
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

from fleetform.emulator.continuity.monitor import Monitor, is_mutating, read_expectations, to_json
from fleetform.emulator.continuity.reading import read_world
from fleetform.emulator.gaps import tasks

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Of a request, in a report.
_CHARACTERS = 400


class Watcher:
    """The monitor between the server and moto.

    Args:
        token: The secret of this start, which a test sends.
        account: The AWS account that the emulator answers as.
    """

    def __init__(self, token: str, account: str) -> None:
        self._token = token
        self._monitor = Monitor(lambda region, cluster: read_world(account, region, cluster))
        tasks.OBSERVERS.append(self._monitor.observe)

    def control(self, environ: "WSGIEnvironment") -> Response:
        """Begin to watch (POST), report (GET), or stop and report (DELETE)."""
        request = Request(environ)
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return Response("the token is not this start's", HTTPStatus.FORBIDDEN)
        if request.method == "POST":
            answer: object = sorted(self._monitor.watch(read_expectations(json.loads(request.get_data()))))
        else:
            answer = self._monitor.stop() if request.method == "DELETE" else self._monitor.report()
        return Response(to_json(answer), mimetype="application/json")

    def watch(self, environ: "WSGIEnvironment", carry_out: Callable[[], Response]) -> Response:
        """Carry out a request, and look what works afterwards if it has changed something."""
        if not self._monitor.is_watching:
            return carry_out()
        call, request = _read_call(environ)
        self._monitor.begin(call, request)
        response = carry_out()
        if is_mutating(call) and response.status_code < HTTPStatus.BAD_REQUEST:
            self._monitor.observe()
        return response


def _read_call(environ: "WSGIEnvironment") -> tuple[str, str]:
    """Return the name and the parameters of an API call; the name is empty for REST APIs."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    text = body.decode(errors="replace")
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    call = target.rpartition(".")[2] if target else parse_qs(text).get("Action", [""])[0]
    return call, text[:_CHARACTERS]
