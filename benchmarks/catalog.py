"""Times the catalog of a large team beside other programs on the same file: ``python benchmarks/catalog.py``.

The catalog has 1,000 services of 80 lines. It is held to 0.8 s for loading, overlaying and validating it, 1 s
with the interpreter's start, and 1.5 s for reporting 1,000 mistakes in it. jsonschema validates what is
parsed already and knows no places; ruamel.yaml reads and validates nothing. The best of several runs is
shown, as wall time and as the processor's, which other work on the machine disturbs less.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import jsonschema
import yaml
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fleetform.base.errors import CatalogError  # noqa: E402
from fleetform.catalog.files import CATALOG, environment_file  # noqa: E402 - the path above is needed first
from fleetform.catalog.models import Environment  # noqa: E402
from fleetform.validation.loading import load  # noqa: E402 - the path above is needed first

RUNS = 5
SERVICES = 1000
LINES = 80
HEAD = (
    'application: shop\naccount: "123456789012"\nregion: eu-west-1\nzones: [eu-west-1a,'
    " eu-west-1b]\nservices:\n"
)
OVER = "services:\n  service-1: { cpu: 1024, memory: 2048 }\n"
SERVICE = """\
  service-{number}:
    build:
      context: containers
      dockerfile: service-{number}/Dockerfile
      args:
        BASE: python:3.13-slim
    port: 8080
    command:
      - python3
      - -m
      - service-{number}
    calls:
      - service-{next}
      - service-{one_after}
    health_check:
      command: [python3, -m, common.healthcheck]
      path: /healthz
      interval: 10
      retries: 3
    cpu: 512
    memory: 1024
    architecture: arm64
    autoscaling:
      min: 2
      max: 10
      cpu: 60
    environment:
"""
# A mistake a service, of each kind in turn.
MISTAKES = [
    ("    port: 8080", "    prot: 8080"),
    ("    cpu: 512", "    cpu: much"),
    ("architecture: arm64", "architecture: arm"),
    ("interval: 10", "intervall: 10"),
    ("calls:\n      - service-", "calls:\n      - servise-"),
]


def service(number: int) -> str:
    """A service that calls the next two, filled up with variables."""
    text = SERVICE.format(number=number, next=(number + 1) % SERVICES, one_after=(number + 2) % SERVICES)
    more = range(LINES - text.count("\n"))
    return text + "".join(f"      VARIABLE_{line:02}: value {line} of service-{number}\n" for line in more)


def broken(number: int) -> str:
    """The same with one mistake."""
    right, wrong = MISTAKES[number % len(MISTAKES)]
    return service(number).replace(right, wrong, 1)


def project(root: Path, make: Callable[[int], str]) -> Path:
    """A project of these services, with an environment `dev` that is laid over them."""
    (root / environment_file("dev")).parent.mkdir(parents=True)
    (root / CATALOG).write_text(HEAD + "".join(map(make, range(SERVICES))), encoding="utf-8")
    (root / environment_file("dev")).write_text(OVER, encoding="utf-8")
    return root


def figure(act: Callable[[], object], runs: int = RUNS) -> str:
    """The shortest wall time and the shortest processor time of several runs, children's included."""
    walls, processor = [], []
    for _ in range(runs):
        wall, before = time.perf_counter(), sum(os.times()[:4])
        act()
        walls.append(time.perf_counter() - wall)
        processor.append(sum(os.times()[:4]) - before)
    return f"{min(walls):8.2f} {min(processor):8.2f}"


def refused(root: Path) -> None:
    """Loads what has a mistake in every service."""
    with suppress(CatalogError):
        load(root, "dev")


def started(root: Path) -> None:
    """Loads in an interpreter of its own."""
    program = (
        "from pathlib import Path; from fleetform.validation.loading import load;"
        f" load(Path({str(root)!r}), 'dev')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def main() -> None:
    """Prints a line for each figure, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        sound = project(Path(folder, "sound"), service)
        wrong = project(Path(folder, "wrong"), broken)
        text = (sound / CATALOG).read_text(encoding="utf-8")
        data = {**yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), "name": "dev"}  # noqa: S506 - safe
        validator = jsonschema.Draft202012Validator(Environment.model_json_schema())
        print(f"{SERVICES} services, {text.count(chr(10))} lines, {len(text) / 1e6:.1f} MB")
        print("    wall      CPU")
        print(f"{figure(lambda: load(sound, 'dev'))}  load, overlay and validate")
        print(f"{figure(lambda: started(sound))}  the same with the interpreter's start")
        print(f"{figure(lambda: refused(wrong))}  report {SERVICES} mistakes")
        print(f"{figure(lambda: validator.validate(data), runs=2)}  jsonschema: validate what is parsed")
        print(f"{figure(lambda: YAML().load(text), runs=1)}  ruamel.yaml: load for a round trip")


if __name__ == "__main__":
    main()
