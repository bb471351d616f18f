"""A proxy in front of the emulator that loses, delays and refuses some requests, as networks and AWS do."""

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from fleetform.emulator.process import HEALTH_PATH, RECORD

_LONGEST_DELAY = 1.0  # seconds
_JSON = "application/x-amz-json-1.1"
_XML = "text/xml"


class Fault(Enum):
    """The fate of a request."""

    DELAYED = "delayed"
    LOST = "lost before it arrived"
    ANSWER_LOST = "carried out, answer lost"
    THROTTLED = "throttled"
    FAILED = "failed (500)"
    UNAVAILABLE = "unavailable (503)"


class Faults:
    """Chooses the fate of each request.

    Args:
        seed: Of the random numbers: the same seed gives the same faults in the order of requests.
        rate: The part of requests that something happens to, 0 to 1.
        kinds: What may happen.
    """

    def __init__(self, seed: int, rate: float, kinds: tuple[Fault, ...] = tuple(Fault)) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._rate = rate
        self._kinds = kinds
        self.met: Counter[Fault] = Counter()
        self.answers_lost: list[str] = []
        self.requests = 0

    def choose(self) -> Fault | None:
        """Return the fate of the next request."""
        self.requests += 1
        if self._random.random() >= self._rate:
            return None
        fault = self._random.choice(self._kinds)
        self.met[fault] += 1
        return fault

    def delay(self) -> float:
        """Return the delay of a request, in seconds."""
        return self._random.uniform(0, _LONGEST_DELAY)


@contextmanager
def between(folder: Path, faults: Faults) -> Iterator[None]:
    """Put a proxy between a project's emulator and all clients that find it by its record.

    Args:
        folder: Where the emulator's record is.
        faults: What happens to requests.
    """
    path = folder / RECORD
    record = path.read_text(encoding="utf-8")
    address = urlsplit(json.loads(record)["url"]).netloc
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_Proxy(address, faults).serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = server.sockets[0].getsockname()[1]
    path.write_text(json.dumps({**json.loads(record), "url": f"http://127.0.0.1:{port}"}), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(record, encoding="utf-8")
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_cancel_all())
        loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _Proxy:
    """A handler of one request per connection."""

    def __init__(self, address: str, faults: Faults) -> None:
        self._host, _, port = address.partition(":")
        self._port = int(port)
        self._faults = faults

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if _headers(head).get("expect"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await _body(head, reader)
            fault = None if HEALTH_PATH.encode() in head.partition(b"\r\n")[0] else self._faults.choose()
            await self._act(fault, head, body, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _act(self, fault: Fault | None, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        match fault:
            case Fault.LOST:
                writer.transport.abort()
                return
            case Fault.ANSWER_LOST:
                await self._forward(head, body)
                self._faults.answers_lost.append(_action(head, body))
                writer.transport.abort()
                return
            case Fault.THROTTLED | Fault.FAILED | Fault.UNAVAILABLE:
                writer.write(refusal(fault, head))
            case _:
                if fault:
                    await asyncio.sleep(self._faults.delay())
                writer.write(await self._forward(head, body))
        await writer.drain()

    async def _forward(self, head: bytes, body: bytes) -> bytes:
        """Return the emulator's answer unchanged."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(_closing(head) + body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    headers = _headers(head)
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    chunks = b""
    while not chunks.endswith(b"0\r\n\r\n"):
        chunks += await reader.readuntil(b"\r\n")
    return chunks


def _action(head: bytes, body: bytes) -> str:
    """Return the action of a request, such as `CreateVpc`; empty for REST."""
    target = _headers(head).get("x-amz-target", "").rpartition(".")[2]
    return target or parse_qs(body.decode("latin-1")).get("Action", [""])[0]


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


# AWS does not know a request that is sent again: the emulator would, by this, and answer as before.
_LEFT_OUT = ("amz-sdk-invocation-id", "connection", "expect")


def _closing(head: bytes) -> bytes:
    """Return the head of a request that closes the connection after its answer."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    kept = [line for line in lines if line.partition(":")[0].strip().lower() not in _LEFT_OUT]
    return "\r\n".join([first, *kept, "Connection: close", "", ""]).encode("latin-1")


def refusal(fault: Fault, head: bytes) -> bytes:
    """Return AWS's error answer in the format of the request's protocol.

    Those of query and EC2: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html; of
    S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; of JSON: `__type`, and a header
    in REST.
    """
    headers = _headers(head)
    service = headers.get("authorization", "").partition("/aws4_request")[0].rpartition("/")[2]
    code, status = {
        Fault.THROTTLED: _throttled(service, headers),
        Fault.FAILED: ("InternalError", HTTPStatus.INTERNAL_SERVER_ERROR),
        Fault.UNAVAILABLE: ("ServiceUnavailable", HTTPStatus.SERVICE_UNAVAILABLE),
    }[fault]
    kind, body = _document(service, headers, code)
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {kind}",
        f"X-Amzn-Errortype: {code}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def _throttled(service: str, headers: dict[str, str]) -> tuple[str, HTTPStatus]:
    if service == "s3":
        return "SlowDown", HTTPStatus.SERVICE_UNAVAILABLE
    if service == "ec2":
        return "RequestLimitExceeded", HTTPStatus.SERVICE_UNAVAILABLE
    if "x-amz-target" in headers:
        return "ThrottlingException", HTTPStatus.BAD_REQUEST
    return "Throttling", HTTPStatus.TOO_MANY_REQUESTS


def _document(service: str, headers: dict[str, str], code: str) -> tuple[str, bytes]:
    message = "Rate exceeded, or it failed: a fault on purpose"
    if "x-amz-target" in headers or service not in {
        "s3",
        "ec2",
        "iam",
        "sts",
        "elasticloadbalancing",
        "monitoring",
    }:
        return _JSON, json.dumps({"__type": code, "message": message}).encode()
    error = f"<Code>{code}</Code><Message>{message}</Message>"
    if service == "s3":
        return _XML, f"<Error>{error}<RequestId>1</RequestId></Error>".encode()
    if service == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>1</RequestID></Response>"
        return _XML, text.encode()
    text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>1</RequestId></ErrorResponse>"
    return _XML, text.encode()
