"""Locks of states, and which of them nothing can hold any more."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetform.terraform.state.locks import LocalMachine, Lock, read, this_machine

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LOCK = Lock("0c7d2a51-8a4f", "apply", "mia@build-7", "1.11.4", NOW - timedelta(minutes=5))
TEXT = b"""{"ID":"0c7d2a51-8a4f","Operation":"OperationTypeApply","Info":"","Who":"mia@build-7","Version":"1.11.4",
"Created":"2026-11-20T09:55:00Z","Path":"shop-dev-tfstate/services/terraform.tfstate"}"""
HERE = LocalMachine("mia@build-7", runs_terraform=False)


def test_a_lock_is_read_as_terraform_writes_it() -> None:
    assert read(TEXT) == LOCK


def test_nanoseconds_of_gos_times_are_read() -> None:
    text = TEXT.replace(b"09:55:00Z", b"09:55:00.123456789Z")
    assert read(text) == replace(LOCK, created=LOCK.created + timedelta(microseconds=123456))


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", TEXT.replace(b"2026-11-20", b"then ")])
def test_what_is_no_lock_is_none(text: bytes) -> None:
    assert read(text) is None


def test_a_lock_of_a_terraform_that_is_gone_from_this_machine_is_stale() -> None:
    assert LOCK.stale_reason(NOW, HERE) == "it was taken on this machine, and no Terraform runs here now"


def test_a_lock_may_be_held_where_some_terraform_runs() -> None:
    assert LOCK.stale_reason(NOW, replace(HERE, runs_terraform=True)) is None


@pytest.mark.parametrize("who", ["mia@build-8", "root@build-7"])
def test_nothing_is_known_of_others(who: str) -> None:
    assert LOCK.stale_reason(NOW, replace(HERE, who=who)) is None


def test_a_lock_that_is_older_than_any_run_is_stale() -> None:
    busy = LocalMachine("sam@laptop", runs_terraform=True)
    ages = [timedelta(hours=2), timedelta(hours=2, seconds=1)]
    found = [replace(LOCK, created=NOW - age).stale_reason(NOW, busy) for age in ages]
    assert found == [None, "no run takes 2 hours"]


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    """What Linux says of the processes of a machine: a shell, and ourselves, who have a word of Terraform's."""
    namespace = tmp_path / "self/ns/pid"
    namespace.parent.mkdir(parents=True)
    namespace.symlink_to("pid:[4026531836]")
    begin(tmp_path, "1", b"/bin/sh\0-l\0")
    begin(tmp_path, str(os.getpid()), b"python\0--unlock\0terraform\0")
    return tmp_path


def begin(processes: Path, number: str, command: bytes) -> Path:
    """Adds a process."""
    path = processes / number / "cmdline"
    path.parent.mkdir()
    path.write_bytes(command)
    return path


def test_a_machine_without_terraform_is_known_as_one(processes: Path) -> None:
    assert not this_machine(processes).runs_terraform


@pytest.mark.parametrize("command", [b"/usr/bin/terraform\0apply\0", b"tofu\0plan\0"])
def test_terraform_and_opentofu_are_seen(processes: Path, command: bytes) -> None:
    begin(processes, "17", command)
    assert this_machine(processes).runs_terraform


def test_a_process_that_may_not_be_read_may_be_terraform(processes: Path) -> None:
    (processes / "17/cmdline").mkdir(parents=True)  # root may read any file
    assert this_machine(processes).runs_terraform


def test_a_process_that_has_ended_is_none(processes: Path) -> None:
    begin(processes, "17", b"").unlink()
    (processes / "17/cmdline").symlink_to("gone")
    assert not this_machine(processes).runs_terraform


def test_in_a_container_others_may_run_unseen(processes: Path) -> None:
    (processes / "self/ns/pid").unlink()
    (processes / "self/ns/pid").symlink_to("pid:[4026532198]")
    assert this_machine(processes).runs_terraform


def test_without_a_list_of_processes_some_may_run(tmp_path: Path) -> None:
    assert this_machine(tmp_path).runs_terraform
