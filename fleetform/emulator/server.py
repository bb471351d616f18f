"""The emulator's server: ``python -m fleetform.emulator.server --folder FOLDER --port PORT``."""

import argparse
import json
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

# moto reads this when it is imported. Without it, AWS managed policies do not exist.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response

from fleetform.base import daemons
from fleetform.emulator import gaps, registry
from fleetform.emulator.answers import AnswerLog
from fleetform.emulator.continuity.watcher import Watcher
from fleetform.emulator.gaps.delays import DEFAULT_SECONDS, DELAYS
from fleetform.emulator.process import (
    ACCOUNT_VARIABLE,
    CONTINUITY_PATH,
    DEFAULT_ACCOUNT,
    HEALTH_PATH,
    RECORD,
    STORAGE,
)
from fleetform.emulator.registry import Registry

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"


class Application:
    """Moto's application, one request at a time, with a health path.

    One at a time because moto's state has no locks (getmoto/moto#372) and Terraform sends ten requests at
    once.

    Args:
        token: The answer of the health path, which identifies this process.
        account: The AWS account that it answers as.
        storage: The folder of the image registry.
        watcher: What watches each call, for tests; None in a normal start.
    """

    def __init__(self, token: str, account: str, storage: Path, watcher: "Watcher | None" = None) -> None:
        self._moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._watcher = watcher
        self._answers = AnswerLog()
        self._registry = Registry(account, storage, self._lock)
        self._health = json.dumps({"pid": os.getpid(), "token": token})

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one WSGI request."""
        if environ["PATH_INFO"] == HEALTH_PATH:
            return Response(self._health, mimetype="application/json")(environ, start_response)
        if registry.is_registry_path(environ):
            return self._registry(environ, start_response)
        if self._watcher and environ["PATH_INFO"] == CONTINUITY_PATH:
            with self._lock:
                return self._watcher.control(environ)(environ, start_response)
        try:
            with self._lock:
                DELAYS.run_due()
                answer = self._answers.once(environ, lambda: self._carry_out(environ))
            return answer(environ, start_response)
        except NotImplementedError as error:
            return _not_implemented(error)(environ, start_response)

    def _carry_out(self, environ: "WSGIEnvironment") -> Response:
        def carry_out() -> Response:
            return Response.from_app(self._moto, environ, buffered=True)

        return self._watcher.watch(environ, carry_out) if self._watcher else carry_out()


def _not_implemented(error: NotImplementedError) -> Response:
    """Answer 501: the AWS SDKs retry moto's 500 for minutes and hide which operation is missing."""
    body = json.dumps({"__type": "NotImplemented", "message": f"emulator: {error}"})
    return Response(body, HTTPStatus.NOT_IMPLEMENTED, mimetype="application/x-amz-json-1.1")


class RequestHandler(MotoRequestHandler):
    """Moto's request handler without logging requests."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing; errors are logged elsewhere."""


def bind(port: int, application: Application) -> BaseWSGIServer:
    """Listen on the port, or on any other if it is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.bind((HOST, 0))
    listener.listen()
    with listener:
        return make_server(
            HOST, 0, application, threaded=True, request_handler=RequestHandler, fd=listener.fileno()
        )


def write_record(folder: Path, url: str, token: str) -> None:
    """Write the record atomically, so that a reader never sees a part of it."""
    unfinished = folder / f"{RECORD}.{os.getpid()}"
    unfinished.write_text(
        json.dumps({"url": url, "pid": os.getpid(), "account": os.environ[ACCOUNT_VARIABLE], "token": token}),
        encoding="utf-8",
    )
    unfinished.replace(folder / RECORD)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=DEFAULT_SECONDS)
    parser.add_argument("--monitor", action="store_true")
    arguments = parser.parse_args()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, signal.SIG_DFL)  # stop immediately: the state is only in memory
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    gaps.fill(arguments.delay)
    token = secrets.token_hex()
    account = os.environ.setdefault(ACCOUNT_VARIABLE, DEFAULT_ACCOUNT)
    watcher = Watcher(token, account) if arguments.monitor else None
    server = bind(arguments.port, Application(token, account, arguments.folder / STORAGE, watcher))
    write_record(arguments.folder, f"http://{HOST}:{server.port}", token)
    daemons.announce()
    server.serve_forever()


if __name__ == "__main__":
    main()
