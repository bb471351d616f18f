"""What the environment tells a service; Fleetform puts the variables into its task definition."""

import math
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

HIGHEST_PORT = 65535


class SettingError(Exception):
    """A variable is missing or has a value that cannot be used; the message names it."""


class Endpoint(NamedTuple):
    """Where a callee listens. The host is a name on purpose.

    Who resolves it, and when, is the client's matter.
    """

    host: str
    port: int


def port(environment: Mapping[str, str]) -> int:
    """The port to listen on: ``PORT``, else 8080; 0 takes any free one."""
    text = environment.get("PORT", "8080")
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise SettingError(f"PORT is {text!r}: it must be a number from 0 to {HIGHEST_PORT}")
    return int(text)


def drain_seconds(environment: Mapping[str, str]) -> float:
    """How long to go on answering after SIGTERM.

    ``DRAIN_SECONDS``, else 10, the TTL of service discovery's records.
    """
    text = environment.get("DRAIN_SECONDS", "10")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SettingError(f"DRAIN_SECONDS is {text!r}: it must be a number of seconds, 0 or more")
    return seconds


def endpoint(environment: Mapping[str, str], name: str) -> Endpoint:
    """The callee whose base URL the variable ``name`` holds, such as ``http://orders.dev.shop.internal:8080``."""
    url = environment.get(name, "")
    if not url:
        raise SettingError(
            f"{name} is not set: it must hold the callee's base URL, such as http://callee:8080"
        )
    try:
        parts = urlsplit(url)
        found = Endpoint(parts.hostname or "", parts.port or 80)
    except ValueError:  # a port that is no number, an open bracket
        found = Endpoint("", 0)
    if not found.host or parts.scheme != "http" or parts.path not in {"", "/"}:
        raise SettingError(f"{name} is {url!r}: it must be a base URL such as http://callee:8080")
    return found
