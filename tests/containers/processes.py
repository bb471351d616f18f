"""Services as real processes, and stubs for the services that they call."""

import json
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONTAINERS = Path(__file__).resolve().parents[2] / "containers"
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Message
    text: str

    @property
    def payload(self) -> Any:  # noqa: ANN401 - JSON
        """The body's JSON document."""
        return json.loads(self.text)


def ask(
    port: int,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> Answer:
    """The answer to one request over a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())
    finally:
        connection.close()


class Service:
    """A running service."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port: int = self.log("listening")["port"]

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Answer:
        """The answer to one request."""
        return ask(self.port, path, method, headers, body)

    def log(self, message: str, **facts: object) -> dict[str, Any]:
        """The next line of the log that has this message and these facts; those before it are passed over."""
        wanted = {"message": message, **facts}
        while True:
            line: dict[str, Any] = json.loads(self._lines.get(timeout=PATIENCE_SECONDS))
            if wanted.items() <= line.items():
                return line

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def exit_code(self) -> int:
        """How it ended."""
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """End it, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)


def command(module: str) -> list[str]:
    """Runs a module as its image does."""
    return [sys.executable, "-m", module]


@contextmanager
def running(service: str, **environment: str) -> Iterator[Service]:
    """A service on a free port."""
    process = subprocess.Popen(
        command(service),
        cwd=CONTAINERS,
        env={"PORT": "0", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    started = None
    try:
        started = Service(process)
        yield started
    finally:
        if started:
            started.close()
        process.kill()


@dataclass(frozen=True)
class Canned:
    """An answer of a stub; without a status it hangs up instead."""

    payload: object = None
    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Stub(ThreadingHTTPServer):
    """A callee that gives canned answers in turn, the last one for ever, once ``release`` is set."""

    def __init__(self, answers: tuple[Canned, ...]) -> None:
        self.answers = answers
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.arrived = threading.Event()
        self.release = threading.Event()
        super().__init__(("127.0.0.1", 0), StubHandler)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://localhost:{self.server_port}"


class StubHandler(BaseHTTPRequestHandler):
    """Answers one request of a stub."""

    server: Stub

    def do_GET(self) -> None:
        """Give the next canned answer."""
        answers, requests = self.server.answers, self.server.requests
        canned = answers[min(len(requests), len(answers) - 1)]
        requests.append((self.path, dict(self.headers)))
        self.server.arrived.set()
        self.server.release.wait(PATIENCE_SECONDS)
        if canned.status is None:
            return
        self.send_response(canned.status)
        for name, value in canned.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(
            canned.payload if isinstance(canned.payload, bytes) else json.dumps(canned.payload).encode()
        )

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def stubbed(answers: tuple[Canned, ...]) -> Iterator[Stub]:
    """A stub that listens."""
    with Stub(answers) as stub:
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield stub
        finally:
            stub.release.set()
            stub.shutdown()
            thread.join()


@contextmanager
def refusing_url() -> Iterator[str]:
    """The URL of a port that is taken, so that no other process gets it, and refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"
