"""Callees on loopback, well and not."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    """`/bad` answers 500, `/elsewhere` redirects, the rest is well."""

    def do_GET(self) -> None:
        status = {"/bad": 500, "/elsewhere": 302}.get(self.path, 200)
        self.send_response(status)
        self.send_header("Location", "http://nowhere.invalid/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"ok")

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@dataclass(frozen=True)
class Callees:
    """Ports of 127.0.0.1.

    Attributes:
        http: A web server.
        silent: Connections are taken, and nothing is ever said.
        chatter: Connections are taken, and something is said that is not HTTP.
        hole: What is sent there vanishes.
        closed: Nobody listens.
    """

    http: int
    silent: int
    chatter: int
    hole: int
    closed: int


@contextmanager
def callees() -> Iterator[Callees]:
    """Callees, as long as the context lasts."""
    with ExitStack() as stack:
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Handler))
        stack.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        chatter = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=_chat, args=(chatter,), daemon=True).start()
        closed = stack.enter_context(closing(socket.socket()))
        closed.bind(("127.0.0.1", 0))
        yield Callees(server.server_port, _port(silent), _port(chatter), _hole(stack), _port(closed))


def _chat(server: socket.socket) -> None:
    while True:
        try:
            with server.accept()[0] as connection:
                connection.sendall(b"220 not the web\r\n")
                connection.recv(1000)
        except OSError:  # the context has closed the server
            return


def _port(of: socket.socket) -> int:
    port: int = of.getsockname()[1]
    return port


def _hole(stack: ExitStack) -> int:
    """A server that takes no connection, its queue being full: Linux drops what comes then."""
    server = stack.enter_context(closing(socket.socket()))
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    for _ in range(3):
        waiting = stack.enter_context(closing(socket.socket()))
        waiting.setblocking(False)  # noqa: FBT003 - positional alone
        waiting.connect_ex(server.getsockname())
    return _port(server)
