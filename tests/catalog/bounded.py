"""Load the environment `dev` of a project within limits that the system enforces.

`python -m tests.catalog.bounded ROOT SECONDS` prints why it is refused. The process dies if it needs more
than 200 MB of memory, or more processor time than SECONDS on an idle machine. A machine whose processors are
shared needs more time for the same work, so the limit grows with the time that a fixed piece of work takes.
"""

import resource
import signal
import sys
import time
from pathlib import Path

from fleetform.base.errors import InputError
from fleetform.validation.loading import load

MEMORY = 200 * 1000 * 1000
IDLE_SECONDS = 0.075
"""Processor time that the fixed piece of work takes on an idle machine of 2024."""


def slowness() -> float:
    """Return how many times as long the fixed piece of work takes here; at least 1."""
    started = time.process_time()
    sum(number * number % 7 for number in range(1_000_000))
    return max(1.0, (time.process_time() - started) / IDLE_SECONDS)


def main() -> None:
    """Print the refusal."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.setitimer(signal.ITIMER_PROF, float(sys.argv[2]) * slowness())
    try:
        load(Path(sys.argv[1]), "dev")
    except InputError as refused:
        sys.stdout.write(f"{refused}\n")


if __name__ == "__main__":
    main()
