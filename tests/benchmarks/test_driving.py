from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks import driving
from benchmarks.driving import Figure, Fleet
from benchmarks.processes import Run


def test_what_is_typed_has_defaults() -> None:
    assert vars(driving.arguments([])) == {
        "parts": ("overhead", "stacks", "changed"),
        "services": (10, 100, 300),
        "runs": 5,
        "json": False,
    }


def test_what_is_typed_is_taken() -> None:
    typed = driving.arguments(["--parts", "overhead", "--services", "3", "5", "--runs", "1", "--json"])
    assert typed.parts == ["overhead"]
    assert typed.services == [3, 5]
    assert typed.runs == 1
    assert typed.json is True


SECONDS: Mapping[str, float] = {
    "terraform services": 8.0,
    "plan --stack services": 10.0,
    "plan --jobs 1": 20.0,
    "plan --jobs 2": 15.0,
    "plan": 40.0,
    "plan --changed-since HEAD": 10.0,
}


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A project of ten services, of which nothing is written."""
    return Fleet(tmp_path, 10)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to a project in which each plan takes as long as it is said above."""
    noted: list[str] = []

    def timed(what: str) -> Run:
        noted.append(what)
        return Run(SECONDS[what], 700.0, 0, "Plan: 120 to add, 0 to change, 0 to destroy.", "")

    monkeypatch.setattr(Fleet, "group", lambda _, count: noted.append(f"group {count}"))
    monkeypatch.setattr(Fleet, "change", lambda _: noted.append("change"))
    monkeypatch.setattr(Fleet, "apply", lambda _, name: noted.append(f"apply {name}"))
    monkeypatch.setattr(Fleet, "plan", lambda _, *arguments: timed(" ".join(["plan", *arguments])))
    monkeypatch.setattr(Fleet, "raw_plan", lambda _, name: timed(f"terraform {name}"))
    return noted


def test_a_plan_and_terraforms_own_run_one_after_the_other(fleet: Fleet, done: list[str]) -> None:
    own, raw = "plan --stack services", "terraform services"
    figures = list(driving.overhead(fleet, 2))
    assert done == ["group 1", own, raw, own, own, raw, "apply services", own, raw, own, own, raw]
    assert figures == [
        Figure(10, "terraform plan, empty state, 120 to add", 8.0, 700.0, 2),
        Figure(10, "invoke plan --stack services, against the line above", 10.0, 700.0, 2, 1.25),
        Figure(10, "terraform plan, applied state, 120 to add", 8.0, 700.0, 2),
        Figure(10, "invoke plan --stack services, against the line above", 10.0, 700.0, 2, 1.25),
    ]


def test_many_stacks_and_jobs_are_compared_with_one(fleet: Fleet, done: list[str]) -> None:
    ratios = [found.ratio for found in driving.stacks(fleet, 1)]
    assert ratios == [1.0, 0.75, 1.0, 0.75]
    assert done == [
        *("group 1", "plan", "plan --jobs 1", "plan --jobs 2"),
        *("group 6", "plan", "plan --jobs 1", "plan --jobs 2"),
    ]


def test_what_a_commit_to_compare_with_saves_is_compared_with_everything(
    fleet: Fleet, done: list[str]
) -> None:
    assert [found.ratio for found in driving.changed(fleet, 1)] == [0.0, 0.25]
    assert done == ["group 6", "plan", "change", "plan", "plan --changed-since HEAD"]
