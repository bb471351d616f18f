"""Many services with many calls in real containers: up, and proved pair by pair."""

import time
from collections import Counter
from pathlib import Path

from fleetform import emulator
from tests.engines.engines import RunningEngine
from tests.engines.fleet import write_fleet
from tests.engines.laptop import Laptop

COUNT = 12
MINUTES = 3


def test_a_dozen_services_with_two_calls_each_are_up_and_proved_in_three_minutes(
    tmp_path: Path, docker_runner: RunningEngine
) -> None:
    """The time begins when they are applied. `benchmarks/fleet.py` holds thirty services to the same."""
    laptop = Laptop(write_fleet(tmp_path / "project", COUNT), docker_runner)
    laptop.done("render")
    try:
        laptop.done("apply", "--yes")
        started = time.monotonic()
        laptop.done("up", "--engine=docker")
        states = laptop.states()
        seconds = time.monotonic() - started
    finally:
        laptop.done("down", "--engine=docker")
        emulator.stop(laptop.root / ".fleetform")
    assert Counter(states.values()) == {"works": 2 * COUNT, "blocked": COUNT * (COUNT - 3)}
    assert laptop.left() == ["", ""]
    assert seconds < MINUTES * 60
