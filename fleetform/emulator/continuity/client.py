"""How a test watches an emulator that was started with `Options(monitor=True)`."""

import json
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fleetform.base.errors import ProgramError
from fleetform.emulator.continuity.monitor import (
    Record,
    read_records,
    read_violation,
    to_json,
)
from fleetform.emulator.continuity.violations import Expectations, Violation
from fleetform.emulator.process import CONTINUITY_PATH, RECORD

_SECONDS = 60


def watch(folder: Path, expectations: Expectations) -> frozenset[Violation]:
    """Begin to watch, and return what does not work already, which is not reported later."""
    return frozenset(map(read_violation, _request(folder, "POST", to_json(expectations))))


def report(folder: Path) -> list[Record]:
    """Return all interruptions since the test began to watch."""
    return read_records(_request(folder, "GET"))


def stop(folder: Path) -> list[Record]:
    """Stop watching, and return all interruptions."""
    return read_records(_request(folder, "DELETE"))


def _request(folder: Path, method: str, body: str | None = None) -> Any:  # noqa: ANN401 -- whatever JSON the answer holds
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    connection = HTTPConnection(urlsplit(record["url"]).netloc, timeout=_SECONDS)
    try:
        connection.request(method, CONTINUITY_PATH, body, {"Authorization": f"Bearer {record['token']}"})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK:
        raise ProgramError(
            f"the emulator at {record['url']} does not watch: {text}; start it with Options(monitor=True)"
        )
    return json.loads(text)
