"""What the monitor records while the world changes."""

import json
from dataclasses import replace

import pytest

from fleetform.emulator.continuity.monitor import (
    ALLOWED,
    Monitor,
    Record,
    is_mutating,
    read_expectations,
    read_records,
    to_json,
)
from fleetform.emulator.continuity.violations import Expectations, ExpectedService, Violation
from fleetform.emulator.continuity.world import Service, World

EXPECTED = Expectations("eu-central-1", "shop", (ExpectedService("web", ("shop-web",)),))
GONE = Violation("service", ("web",), "no ECS service is ACTIVE")
RUNNING = World({"shop-web": Service("ACTIVE", 0)})
DRAINING = World({"shop-web": Service("DRAINING", 0)})


class Bench:
    """A monitor of a world and a clock that the test changes."""

    def __init__(self, world: World = RUNNING, expectations: Expectations = EXPECTED) -> None:
        self.world = world
        self.now = 100.0
        self.monitor = Monitor(lambda _region, _cluster: self.world, lambda: self.now)
        self.standing = self.monitor.watch(expectations)

    def call(self, name: str, world: World, seconds: float = 1) -> None:
        """Let a call change the world after some seconds."""
        self.now += seconds
        self.world = world
        self.monitor.begin(name, f"{name}!")
        self.monitor.observe()


def test_an_interruption_lasts_from_the_call_that_began_it_to_the_one_that_ended_it() -> None:
    bench = Bench()
    bench.call("DeleteService", DRAINING)
    bench.call("CreateSubnet", DRAINING)
    bench.call("CreateService", RUNNING, 5)
    assert bench.monitor.report() == [Record(GONE, "DeleteService", "DeleteService!", "CreateService", 6.0)]


def test_an_interruption_that_lasts_is_reported_with_its_seconds_so_far() -> None:
    bench = Bench()
    bench.call("DeleteService", DRAINING)
    bench.now += 3
    assert bench.monitor.report() == [Record(GONE, "DeleteService", "DeleteService!", None, 3.0)]


def test_what_did_not_work_from_the_start_is_not_reported_until_it_has_worked() -> None:
    bench = Bench(DRAINING)
    bench.call("CreateSubnet", DRAINING)
    assert bench.standing == {GONE}
    assert bench.monitor.report() == []
    bench.call("CreateService", RUNNING)
    bench.call("DeleteService", DRAINING)
    assert [record.call for record in bench.monitor.report()] == ["DeleteService"]


def test_nothing_is_recorded_after_the_end() -> None:
    bench = Bench()
    bench.monitor.stop()
    bench.call("DeleteService", DRAINING)
    assert bench.monitor.report() == []


@pytest.mark.parametrize(
    ("risks", "call", "reason"),
    [
        (("replaced",), "DeleteService", ALLOWED[0].reason),
        ((), "DeleteService", None),
        (("replaced",), "DeleteSubnet", None),
        (("registry",), "DeleteService", None),
    ],
)
def test_an_interruption_is_allowed_only_if_the_plan_has_shown_it(
    risks: tuple[str, ...], call: str, reason: str | None
) -> None:
    service = replace(EXPECTED.services[0], risks=risks)
    bench = Bench(expectations=replace(EXPECTED, services=(service,)))
    bench.call(call, DRAINING)
    assert [record.allowed for record in bench.monitor.report()] == [reason]


def test_every_allowed_interruption_has_a_reason_and_a_name_of_its_own() -> None:
    assert len({allowed.risk for allowed in ALLOWED}) == len(ALLOWED)
    assert all(allowed.reason.endswith(".") for allowed in ALLOWED)


@pytest.mark.parametrize(
    ("call", "mutating"),
    [
        ("UpdateService", True),
        ("DescribeServices", False),
        ("ListTags", False),
        ("GetRole", False),
        ("", False),
    ],
)
def test_calls_that_only_read_are_not_followed_by_a_look(call: str, mutating: bool) -> None:  # noqa: FBT001 -- the parameter of the test
    assert is_mutating(call) is mutating


def test_expectations_and_records_are_the_same_after_a_journey_as_json() -> None:
    records = [Record(GONE, "DeleteService", "x", seconds=1.5)]
    assert read_expectations(json.loads(to_json(EXPECTED))) == EXPECTED
    assert read_records(json.loads(to_json(records))) == records
