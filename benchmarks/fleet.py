"""Times thirty services with sixty calls in containers of this machine: ``python benchmarks/fleet.py``.

Docker or Podman with Compose runs them. Up and proved, all 870 pairs, they are held to three minutes.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.engines.fleet import write_fleet  # noqa: E402 - the path above is needed first

SERVICES = 30


def seconds(root: Path, *arguments: str) -> float:
    """How long a task takes, which has to succeed."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "invoke", *arguments], cwd=root, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def main() -> None:
    """Prints a line for each task."""
    with tempfile.TemporaryDirectory() as folder:
        root = write_fleet(Path(folder, "project"), SERVICES)
        try:
            for arguments in (["render"], ["apply", "--yes"], ["up"], ["smoke"]):
                print(f"{seconds(root, *arguments):8.1f} s  invoke {' '.join(arguments)}")
        finally:
            seconds(root, "down")
            seconds(root, "emulator.stop")


if __name__ == "__main__":
    main()
