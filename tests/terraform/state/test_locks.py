"""State locks, and whether they are stale."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetform.terraform.state.locks import LocalMachine, Lock, read, this_machine

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LOCK = Lock("0c7d2a51-8a4f", "apply", "mia@build-7", "1.11.4", NOW - timedelta(minutes=5))
TEXT = b"""{"ID":"0c7d2a51-8a4f","Operation":"OperationTypeApply","Info":"","Who":"mia@build-7",
"Version":"1.11.4","Created":"2026-11-20T09:55:00Z","Path":"shop-dev-tfstate/services/terraform.tfstate"}"""
HERE = LocalMachine("mia@build-7", runs_terraform=False)


def test_a_lock_is_read_as_terraform_writes_it() -> None:
    assert read(TEXT) == LOCK


def test_a_time_in_nanoseconds_is_read() -> None:
    text = TEXT.replace(b"09:55:00Z", b"09:55:00.123456789Z")
    assert read(text) == replace(LOCK, created=LOCK.created + timedelta(microseconds=123456))


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", TEXT.replace(b"2026-11-20", b"then ")])
def test_other_content_is_not_a_lock(text: bytes) -> None:
    assert read(text) is None


def test_a_lock_of_this_machine_without_a_running_terraform_is_stale() -> None:
    assert LOCK.stale_reason(NOW, HERE) == "it was taken on this machine, and no Terraform runs here now"


def test_a_lock_of_this_machine_with_a_running_terraform_is_not_stale() -> None:
    assert LOCK.stale_reason(NOW, replace(HERE, runs_terraform=True)) is None


@pytest.mark.parametrize("who", ["mia@build-8", "root@build-7"])
def test_a_recent_lock_of_a_different_user_or_machine_is_not_stale(who: str) -> None:
    assert LOCK.stale_reason(NOW, replace(HERE, who=who)) is None


def test_a_lock_that_is_older_than_any_run_can_be_is_stale() -> None:
    busy = LocalMachine("sam@laptop", runs_terraform=True)
    ages = [timedelta(hours=2), timedelta(hours=2, seconds=1)]
    found = [replace(LOCK, created=NOW - age).stale_reason(NOW, busy) for age in ages]
    assert found == [None, "no run takes 2 hours"]


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    """A proc file system with a shell, and with this process, whose arguments contain `terraform`."""
    namespace = tmp_path / "self/ns/pid"
    namespace.parent.mkdir(parents=True)
    namespace.symlink_to("pid:[4026531836]")
    add_process(tmp_path, "1", b"/bin/sh\0-l\0")
    add_process(tmp_path, str(os.getpid()), b"python\0--unlock\0terraform\0")
    return tmp_path


def add_process(processes: Path, number: str, command: bytes) -> Path:
    """Add a process."""
    path = processes / number / "cmdline"
    path.parent.mkdir()
    path.write_bytes(command)
    return path


def test_a_machine_without_terraform_is_recognized(processes: Path) -> None:
    assert not this_machine(processes).runs_terraform


@pytest.mark.parametrize("command", [b"/usr/bin/terraform\0apply\0", b"tofu\0plan\0"])
def test_terraform_and_opentofu_are_recognized(processes: Path, command: bytes) -> None:
    add_process(processes, "17", command)
    assert this_machine(processes).runs_terraform


def test_an_unreadable_process_may_be_terraform(processes: Path) -> None:
    (processes / "17/cmdline").mkdir(parents=True)  # root may read any file
    assert this_machine(processes).runs_terraform


def test_a_process_that_has_ended_is_ignored(processes: Path) -> None:
    add_process(processes, "17", b"").unlink()
    (processes / "17/cmdline").symlink_to("gone")
    assert not this_machine(processes).runs_terraform


def test_terraform_may_run_unseen_outside_a_container(processes: Path) -> None:
    (processes / "self/ns/pid").unlink()
    (processes / "self/ns/pid").symlink_to("pid:[4026532198]")
    assert this_machine(processes).runs_terraform


def test_terraform_may_run_unseen_without_a_proc_file_system(tmp_path: Path) -> None:
    assert this_machine(tmp_path).runs_terraform
