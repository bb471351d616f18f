"""What runs inside a caller: asks targets side by side and prints what came of it as a line of JSON.

`probe.py` sends it there as text: Python 3.6 or later, the standard library, nothing of Fleetform's. Standard input
brings the targets, a JSON list of `[host or null, addresses, port, path or null]`. It ends within eight seconds.
"""

import http.client
import json
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "fleetform-smoke "
SECONDS = 2.0
GRACE = 0.5  # what a busy machine may need beyond them
LONGEST = 200  # characters of an error
OK, BAD = 200, 400

Outcome = Any
"""What came of something, what went wrong with it, and its seconds."""


def run_in_parallel(
    function: "Callable[..., tuple[Any, str]]", items: "list[tuple[Any, ...]]", late: "tuple[Any, str]"
) -> "list[Outcome]":
    """The outcome for each item's values; `late` where it takes too long, as DNS may."""
    outcomes = [(*late, SECONDS)] * len(items)

    def put(number: int, values: "tuple[Any, ...]") -> None:
        started = time.monotonic()
        outcomes[number] = (*function(*values), time.monotonic() - started)

    threads = [threading.Thread(target=put, args=pair, daemon=True) for pair in enumerate(items)]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + SECONDS + GRACE
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    return list(outcomes)


def resolve(host: "str | None", port: int) -> "tuple[list[str], str]":
    """The addresses of a name."""
    if host is None:
        return [], ""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        temporary = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        return [], "DNS: no answer" if temporary else "DNS: no address"
    return sorted({str(entry[4][0]) for entry in found}), ""


def connect(address: str, port: int) -> "tuple[socket.socket | None, str]":
    """A connection."""
    try:
        return socket.create_connection((address, port), SECONDS), ""
    except OSError as error:
        return None, error_text(error)


def get(connection: "socket.socket | None", host: str, port: int, path: "str | None") -> "tuple[int | None, str]":
    """The status that GET is answered with; None if there is nothing to ask, or nobody."""
    if connection is None or path is None:
        return None, ""
    client = http.client.HTTPConnection(host, port, timeout=SECONDS)
    client.sock = connection
    try:
        client.request("GET", path, headers={"User-Agent": "fleetform-smoke", "Connection": "close"})
        return client.getresponse().status, ""
    except (OSError, http.client.HTTPException) as error:
        return None, "HTTP: " + error_text(error)


def error_text(error: Exception) -> str:
    """An error, the usual ones in the same words on every platform."""
    if isinstance(error, socket.timeout):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "connection closed"
    if isinstance(error, http.client.HTTPException):
        return "no HTTP"
    text = str(getattr(error, "strerror", None) or error).lower()
    return "".join(letter for letter in text if " " <= letter <= "~")[:LONGEST]


def ask(targets: "list[list[Any]]") -> "list[dict[str, Any]]":
    """An answer for each target."""
    names = run_in_parallel(resolve, [(host, port) for host, _, port, _ in targets], ([], "DNS: no answer"))
    ways = [
        (number, address)
        for number, (_, addresses, _, _) in enumerate(targets)
        for address in sorted({*names[number][0], *addresses})
    ]
    links = run_in_parallel(connect, [(address, targets[number][2]) for number, address in ways], (None, "timed out"))
    requests = [
        (link[0], targets[number][0] or address, *targets[number][2:]) for (number, address), link in zip(ways, links)
    ]
    statuses = run_in_parallel(get, requests, (None, "HTTP: timed out"))
    tried = list(zip(ways, links, statuses))
    return [
        answer(name, [(way[1], link, status) for way, link, status in tried if way[0] == number])
        for number, name in enumerate(names)
    ]


def answer(name: Outcome, tried: "list[tuple[str, Outcome, Outcome]]") -> "dict[str, Any]":
    """What is told of one target: any connection counts, and the worst status."""
    statuses = [status[0] for _, _, status in tried if status[0] is not None]
    errors = {address: link[1] or status[1] for address, link, status in tried}
    seconds = name[2] + max([link[2] + status[2] for _, link, status in tried] or [0])
    return {
        "resolved": name[0],
        "connected": any(link[0] for _, link, _ in tried),
        "status": ([status for status in statuses if not OK <= status < BAD] or statuses or [None])[0],
        "error": "; ".join(filter(None, [name[1], report(errors)])),
        "milliseconds": round(seconds * 1000),
    }


def report(errors: "dict[str, str]") -> str:
    """The errors by address in one line, which says what they are about where they differ."""
    if len(set(errors.values())) == 1:
        return next(iter(errors.values()))
    return "; ".join(address + ": " + error for address, error in sorted(errors.items()) if error)


if __name__ == "__main__":
    print(MARK + json.dumps(ask(json.load(sys.stdin))))
