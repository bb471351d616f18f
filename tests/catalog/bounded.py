"""Load the environment `dev` of a project within limits that the system enforces.

`python -m tests.catalog.bounded ROOT SECONDS` prints what it is refused for. 200 MB are all the memory that
the process may have, and so many seconds of processor all that loading may take; past either it dies.
"""

import resource
import signal
import sys
from pathlib import Path

from fleetform.base.errors import InputError
from fleetform.validation.loading import load

MEMORY = 200 * 1000 * 1000


def main() -> None:
    """Print the refusal."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.setitimer(signal.ITIMER_PROF, float(sys.argv[2]))
    try:
        load(Path(sys.argv[1]), "dev")
    except InputError as refused:
        sys.stdout.write(f"{refused}\n")


if __name__ == "__main__":
    main()
