"""The life of a service's process: start, serve, drain, end."""

import logging
import os
import select
import signal
import socket
from collections.abc import Callable, Mapping

from common import log, settings
from common.messages import Handler
from common.server import Server

DONE, CANNOT_LISTEN, BAD_SETTING = 0, 1, 2

logger = logging.getLogger(__name__)


def run(service: str, build: Callable[[Mapping[str, str]], Handler]) -> int:
    """Serve until a signal asks for the end; returns the exit code.

    SIGTERM drains: service discovery hands out this task's address until its records' TTL has passed, so
    requests are answered that long, while /healthz says 503. SIGINT, or a second signal, skips the rest of
    that time. Either way the requests under way are finished.

    Args:
        service: Its name, in logs and answers.
        build: Makes the handler out of the environment's variables, or raises SettingError.
    """
    log.configure(service)
    signals = _watch_signals()
    try:
        drain_seconds = settings.drain_seconds(os.environ)
        port = settings.port(os.environ)
        handler = build(os.environ)
    except settings.SettingError as error:
        logger.critical("%s", error)
        return BAD_SETTING
    try:
        server = Server(port, service, handler)
    except OSError as error:
        logger.critical("cannot listen on port %d: %s", port, error.strerror)
        return CANNOT_LISTEN
    server.start()
    logger.info("listening", extra={"facts": {"port": server.port}})
    if signals.recv(1)[0] == signal.SIGTERM:
        server.draining = True
        logger.info("draining", extra={"facts": {"seconds": drain_seconds}})
        select.select([signals], [], [], drain_seconds)
    logger.info("stopping")
    server.stop()
    logger.info("stopped")
    return DONE


def _watch_signals() -> socket.socket:
    """A socket that brings the number of each signal that asks for the end, as a byte.

    A handler alone would not do: it waits for the main thread, which goes on sleeping if the kernel gives the
    signal to another thread.
    """
    signals, sender = socket.socketpair()
    sender.settimeout(0)
    signal.set_wakeup_fd(sender.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return signals
