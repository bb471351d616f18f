"""Calls to another service: time limits, a few retries, a fresh look at DNS before each."""

import json
import logging
import random
import socket
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse

from common.messages import hops
from common.settings import Endpoint

ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.1
PASSING_STATUSES = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}

logger = logging.getLogger(__name__)


class CallError(Exception):
    """A callee gave no usable answer; the message says who and why and is fit for the caller's own caller."""


class PassingError(CallError):
    """A failure that another attempt, at another instance, may not meet."""


@dataclass(frozen=True)
class Reply:
    """A callee's answer.

    Attributes:
        payload: The JSON document.
        served_by: The instances that made it, nearest first.
    """

    payload: object
    served_by: tuple[str, ...]


@dataclass(frozen=True)
class Client:
    """Asks one callee. It only knows GET: what it repeats must be safe to repeat.

    The limits of a chain nest: the deadline here must be below the attempt of this service's caller, or
    the caller gives up before it gets the error. DNS keeps to the resolver's own time limit.

    Attributes:
        callee: Its name, for messages.
        endpoint: Where it listens.
        attempt_seconds: Limit of one attempt to connect, and of each wait for data.
        deadline_seconds: After this no attempt begins or waits on.
    """

    callee: str
    endpoint: Endpoint
    attempt_seconds: float
    deadline_seconds: float

    def get(self, path: str, request_id: str) -> Reply:
        """The answer to GET ``path``.

        Raises:
            CallError: No attempt brought one.
        """
        ends = time.monotonic() + self.deadline_seconds
        tried: set[str] = set()
        for attempt in range(1, ATTEMPTS):
            try:
                return self._attempt(path, request_id, tried, ends)
            except PassingError as error:
                pause = _pause_seconds(attempt)
                if time.monotonic() + pause >= ends:
                    raise
                facts = {
                    "callee": self.callee,
                    "attempt": attempt,
                    "error": str(error),
                    "request_id": request_id,
                }
                logger.warning("calling again", extra={"facts": facts})
            time.sleep(pause)
        return self._attempt(path, request_id, tried, ends)

    def _attempt(self, path: str, request_id: str, tried: set[str], ends: float) -> Reply:
        """Ask one instance once; ``tried`` gains its address."""
        address = self._address(tried)
        tried.add(address)
        seconds = min(self.attempt_seconds, max(ends - time.monotonic(), 0.001))
        connection = HTTPConnection(address, self.endpoint.port, timeout=seconds)
        try:
            connection.connect()
        except OSError as error:
            raise PassingError(f"{self.callee} cannot be reached: {error.strerror or error}") from error
        try:
            connection.request("GET", path, headers=self._headers(request_id))
            response = connection.getresponse()
            return self._reply(response, response.read())
        except TimeoutError as error:  # it is slow: asking again would make it slower
            raise CallError(f"{self.callee} did not answer within {seconds:.1f} s") from error
        except (OSError, HTTPException) as error:
            raise PassingError(f"{self.callee} broke the connection: {error}") from error
        finally:
            connection.close()

    def _address(self, tried: set[str]) -> str:
        """One of the callee's addresses of this moment, at random, an untried one if there is any.

        Tasks come and go, and the record of one that went is served until its TTL ends.
        """
        try:
            # IPv4 alone: discovery keeps A records, and asking for AAAA too would double the queries.
            found = socket.getaddrinfo(self.endpoint.host, None, socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            raise PassingError(f"{self.callee} has no address: {error.strerror or error}") from error
        addresses = {str(sockaddr[0]) for *_, sockaddr in found}
        return random.choice(sorted(addresses - tried or addresses))  # noqa: S311 - spreads load, guards nothing

    def _headers(self, request_id: str) -> dict[str, str]:
        host, port = self.endpoint
        return {
            "Host": f"{host}:{port}",
            "Accept": "application/json",
            "Connection": "close",
            "X-Request-Id": request_id,
        }

    def _reply(self, response: HTTPResponse, body: bytes) -> Reply:
        # A callee that asks to wait has repeated its own calls: repeating them here too would multiply them
        # per hop.
        if response.status in PASSING_STATUSES and response.getheader("Retry-After") is None:
            raise PassingError(f"{self.callee} answered {response.status}{_told(body)}")
        if response.status != HTTPStatus.OK:
            raise CallError(f"{self.callee} answered {response.status}{_told(body)}")
        try:
            payload = json.loads(body)
        except ValueError as error:
            raise CallError(f"{self.callee} answered something that is not JSON") from error
        return Reply(payload, hops(response.getheader("X-Served-By")))


def _pause_seconds(attempt: int) -> float:
    """Doubles with each attempt.

    Up to half of it is left to chance, so that callers do not return in step.
    """
    return FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing


def _told(body: bytes) -> str:
    """The error that the callee tells about, ready to be appended, or nothing."""
    try:
        payload = json.loads(body)
    except ValueError:
        return ""
    return f": {payload['error']}" if isinstance(payload, dict) and "error" in payload else ""
