"""Times the commands that run on every save, and the front end on large catalogs.

``python benchmarks/speed.py``.

Machines differ and are noisy: compare two versions side by side on one machine, by their medians.
"""

import functools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fleetform.render.rendering import render  # noqa: E402
from fleetform.render.template import Templates  # noqa: E402
from fleetform.validation.loading import load  # noqa: E402 - the path above is needed first

RUNS = 7
HEAD = (
    'application: shop\naccount: "123456789012"\nregion: eu-west-1\nzones: [eu-west-1a,'
    " eu-west-1b]\nservices:\n"
)


def median_seconds(act: Callable[[], object], runs: int = RUNS) -> float:
    """Median wall time of several runs after one that is not counted."""
    act()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def invoke(*arguments: str) -> Callable[[], object]:
    """A whole command, interpreter start included."""
    argv = [sys.executable, "-m", "invoke", *arguments]
    return lambda: subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def large_catalog(root: Path, services: int) -> Path:
    """A project whose services each call the next two."""
    (root / "envs/dev").mkdir(parents=True)
    (root / "envs/dev/environment.yaml").write_text("", encoding="utf-8")
    entries = [
        f"  service-{number}:\n    image: nginx\n    port: 8080\n    environment: {{LEVEL: INFO}}\n"
        "    calls:"
        f" [{', '.join(f'service-{number + step}' for step in (1, 2) if number + step < services)}]\n"
        for number in range(services)
    ]
    (root / "envs/catalog.yaml").write_text(HEAD + "".join(entries), encoding="utf-8")
    return root


def main() -> None:
    """Prints a line for each figure, in seconds."""
    for arguments in (["--list"], ["render", "--env", "dev"], ["check", "--env", "dev"]):
        print(f"{median_seconds(invoke(*arguments)):8.3f}  invoke {' '.join(arguments)}")
    templates = Templates(ROOT / "templates")
    for services in (10, 100, 1000):
        with tempfile.TemporaryDirectory() as folder:
            root = large_catalog(Path(folder), services)
            environment = load(root, "dev")
            seconds = median_seconds(functools.partial(load, root, "dev"), runs=3)
            print(f"{seconds:8.3f}  load {services} services")
            seconds = median_seconds(functools.partial(render, environment, templates, {}), runs=3)
            print(f"{seconds:8.3f}  render {services} services")


if __name__ == "__main__":
    main()
