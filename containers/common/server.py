"""The HTTP server of a service.

A thread a connection, JSON errors, one log line a request, an orderly end.
"""

import logging
import socket
import sys
import threading
import time
import weakref
from contextlib import suppress
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import unquote

from common.client import CallError
from common.messages import Handler, Request, Response, error_response, json_response, request_id

# Above the 60 s of an Application Load Balancer, which answers 502 when a kept connection closes under its
# request.
IDLE_SECONDS = 75
DISCARDED_BODY_BYTES = 65536

logger = logging.getLogger(__name__)


class Server(ThreadingTCPServer):
    """Listens on all IPv4 interfaces from the moment that it is made; ``start`` begins to answer."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, service: str, handler: Handler) -> None:
        # Before the bind: should that fail, the base class closes the server, and this must have been set.
        self.service = service
        self.instance = f"{service}@{socket.gethostname()}"
        self.handler = handler
        self.draining = False
        self._connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        super().__init__(("0.0.0.0", port), Exchange)  # noqa: S104 - a task is reached at its own interface

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.socket.getsockname()[1])

    def start(self) -> None:
        """Accept connections, in a thread."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()

    def stop(self) -> None:
        """Accept no more connections, answer the requests that are under way, return when all have been."""
        self.shutdown()
        for connection in self._connections:
            with suppress(OSError):  # closed in the meantime
                # An idle connection ends; a request that has arrived is still read and answered.
                connection.shutdown(socket.SHUT_RD)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what broke a connection; that the client went away is no error."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            logger.error("cannot go on with a connection", exc_info=error)


class Exchange(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = -1  # head and body leave in one packet

    def handle_one_request(self) -> None:
        """Read and answer one request, with nothing left over from the one before."""
        self.path = ""
        self.headers = Message()
        self.started = time.monotonic()
        self.request_id = request_id(None)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the head."""
        self.started = time.monotonic()
        parsed = super().parse_request()
        self.request_id = request_id(self.headers.get("X-Request-Id"))
        return parsed

    def do_GET(self) -> None:
        """Answer."""
        self._send(self._answer())

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the base class refuses: heads that it cannot read, and methods that have no ``do_``."""
        del explain
        if code == HTTPStatus.NOT_IMPLEMENTED:
            response = error_response(
                HTTPStatus.METHOD_NOT_ALLOWED,
                f"method not allowed: {self.command}",
                headers={"Allow": "GET, HEAD"},
            )
        else:
            self.close_connection = True
            self.request_version = self.protocol_version  # else the base class takes it for HTTP/0.9: no head
            response = error_response(HTTPStatus(code), message or HTTPStatus(code).phrase)
        self._send(response)

    def log_message(self, *_: object) -> None:
        """Drop the base class's messages: ``_send`` logs each request."""

    def version_string(self) -> str:
        """What the header ``Server`` says: no versions."""
        return self.server.service

    def _answer(self) -> Response:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            return self._health()
        segments = tuple(unquote(segment) for segment in path.split("/")[1:])
        request = Request(
            segments=() if path == "/" else segments,
            accept=self.headers.get("Accept", "*/*"),
            request_id=self.request_id,
            instance=self.server.instance,
        )
        try:
            return self.server.handler(request)
        except CallError as error:
            return error_response(HTTPStatus.BAD_GATEWAY, str(error), headers={"Retry-After": "1"})
        except Exception:
            logger.exception("cannot answer", extra={"facts": {"path": path, "request_id": self.request_id}})
            return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error")

    def _health(self) -> Response:
        """This service's own health.

        Were a callee's part of it, one dead service would take all its callers along.
        """
        if self.server.draining:
            return json_response({"status": "draining"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return json_response({"status": "ok"})

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in self._head(response).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()
        self._log(response.status)
        self._discard_body()

    def _head(self, response: Response) -> dict[str, str]:
        # A body is never parsed, so what follows it cannot be read: the connection is not used again.
        ends = self.close_connection or self.server.draining or self._has_body()
        return {
            "Server": self.version_string(),
            "Date": self.date_time_string(),
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": self.request_id,
            "X-Served-By": ", ".join((self.server.instance, *response.served_by)),
            **response.headers,
            **({"Connection": "close"} if ends else {}),
        }

    def _has_body(self) -> bool:
        return "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0"

    def _discard_body(self) -> None:
        """Read what the client still sends.

        Closing over unread data would reset the connection under the answer.
        """
        length = self.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit():
            self.rfile.read(min(int(length), DISCARDED_BODY_BYTES))

    def _log(self, status: HTTPStatus) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz" and status == HTTPStatus.OK:
            return  # every few seconds, for ever, and nothing to learn from
        facts = {
            "method": self.command or "",
            "path": path,
            "status": status,
            "milliseconds": round((time.monotonic() - self.started) * 1000, 1),
            "request_id": self.request_id,
        }
        logger.info("answered", extra={"facts": facts})
