"""A container's health check.

``python3 -m common.healthcheck`` exits 0 if the service in it is healthy, else 1.
"""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from common import settings

SECONDS = 2


def problem(port: int) -> str | None:
    """What is wrong with the service on this port of this machine, or None."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"/healthz answered {status}"


if __name__ == "__main__":
    sys.exit(problem(settings.port(os.environ)))
