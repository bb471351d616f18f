"""The script that runs inside a caller: tests targets in parallel and prints the results as a line of JSON.

`probe.py` sends it as text. It needs only Python 3.6 and the standard library. Standard input has the
targets, a JSON list of `[host or null, addresses, port, path or null]`. The script finishes within eight
seconds.
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
GRACE = 0.5  # extra seconds for a busy machine
LONGEST = 200  # limit for the characters of an error
OK, BAD = 200, 400

Outcome = Any
"""A result, its error and how many seconds it took."""


def run_in_parallel(
    function: "Callable[..., tuple[Any, str]]", items: "list[tuple[Any, ...]]", late: "tuple[Any, str]"
) -> "list[Outcome]":
    """Call a function for each item.

    Return the outcomes, with `late` for calls that take too long, as DNS may.
    """
    outcomes = [(*late, SECONDS)] * len(items)

    def put(number: int, values: "tuple[Any, ...]") -> None:
        started = time.monotonic()
        outcomes[number] = (*function(*values), time.monotonic() - started)

    threads = [threading.Thread(target=put, args=pair, daemon=True) for pair in enumerate(items)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + SECONDS + GRACE
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(outcomes)


def resolve(host: "str | None", port: int) -> "tuple[list[str], str]":
    """Return the addresses of a name, and an error."""
    if host is None:
        return [], ""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        temporary = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        return [], "DNS: no answer" if temporary else "DNS: no address"
    return sorted({str(entry[4][0]) for entry in entries}), ""


def connect(address: str, port: int) -> "tuple[socket.socket | None, str]":
    """Return a connection, and an error."""
    try:
        return socket.create_connection((address, port), SECONDS), ""
    except OSError as error:
        return None, error_text(error)


def get(
    connection: "socket.socket | None", host: str, port: int, path: "str | None"
) -> "tuple[int | None, str]":
    """Return the status of a GET request, and an error; None without a connection or a path."""
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
    """Return the text of an error; common errors have the same text on every platform."""
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
    """Return an answer for each target."""
    names = run_in_parallel(resolve, [(host, port) for host, _, port, _ in targets], ([], "DNS: no answer"))
    attempts = [
        (number, address)
        for number, (_, addresses, _, _) in enumerate(targets)
        for address in sorted({*names[number][0], *addresses})
    ]
    links = run_in_parallel(
        connect, [(address, targets[number][2]) for number, address in attempts], (None, "timed out")
    )
    requests = [
        (link[0], targets[number][0] or address, *targets[number][2:])
        for (number, address), link in zip(attempts, links)
    ]
    statuses = run_in_parallel(get, requests, (None, "HTTP: timed out"))
    tried = list(zip(attempts, links, statuses))
    return [
        answer(name, [(attempt[1], link, status) for attempt, link, status in tried if attempt[0] == number])
        for number, name in enumerate(names)
    ]


def answer(name: Outcome, tried: "list[tuple[str, Outcome, Outcome]]") -> "dict[str, Any]":
    """Return the answer for one target: connected if any address is, with the worst status."""
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
    """Return the errors in one line, with their addresses if they differ."""
    if len(set(errors.values())) == 1:
        return next(iter(errors.values()))
    return "; ".join(address + ": " + error for address, error in sorted(errors.items()) if error)


if __name__ == "__main__":
    print(MARK + json.dumps(ask(json.load(sys.stdin))))
