"""Podman's API: its own service's, or one of ours."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetform.base import daemons
from fleetform.base.errors import ProgramError
from fleetform.local_runtime.podman import close_socket, open_socket
from tests.local_runtime.fake_programs import FakePrograms


@pytest.fixture
def folder(fake_programs: FakePrograms, tmp_path: Path) -> Iterator[Path]:
    """A folder whose service ends with the test; Podman's own does not answer."""
    fake_programs.install("podman")
    fake_programs.say("podman info", str(tmp_path / "own.sock"))
    yield tmp_path / "work"
    close_socket(tmp_path / "work")


def serving(fake_programs: FakePrograms) -> list[list[str]]:
    """The services that were started."""
    return [call for call in fake_programs.calls() if call[1] == "system"]


def listener(path: Path) -> int:
    """The process that listens there."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        return int.from_bytes(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4), "little")


@pytest.mark.parametrize("prefix", ["", "unix://"])
def test_a_service_that_runs_is_used(
    fake_programs: FakePrograms, folder: Path, tmp_path: Path, prefix: str
) -> None:
    own = tmp_path / "own.sock"
    fake_programs.say("podman info", f"{prefix}{own}")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(own))
        server.listen()

        def answer() -> None:
            client = server.accept()[0]
            with client:
                client.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK" if client.recv(1024) else b"")

        answering = threading.Thread(target=answer)
        answering.start()
        found = open_socket(folder, os.environ)
        answering.join()
    assert found == own
    assert serving(fake_programs) == []
    assert folder.exists() is False


def test_else_one_is_started_once(fake_programs: FakePrograms, folder: Path) -> None:
    first, second = (open_socket(folder, os.environ) for _ in range(2))
    assert first == second
    assert serving(fake_programs) == [["podman", "system", "service", "--time=300", f"unix://{first}"]]
    assert sorted(path.name for path in folder.iterdir()) == ["podman.log", "podman.socket"]


def test_it_is_only_for_this_user_and_has_its_own_session(folder: Path) -> None:
    path = open_socket(folder, os.environ)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.getsid(listener(path)) == listener(path)


def test_closing_ends_it_and_leaves_only_the_log(folder: Path) -> None:
    path = open_socket(folder, os.environ)
    process = listener(path)
    close_socket(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert path.parent.exists() is False
    assert [file.name for file in folder.iterdir()] == ["podman.log"]


def test_closing_what_was_never_opened_does_nothing(tmp_path: Path) -> None:
    close_socket(tmp_path / "never made")
    close_socket(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_that_has_ended_is_replaced(folder: Path) -> None:
    path = open_socket(folder, os.environ)
    daemons.terminate(listener(path))
    assert open_socket(folder, os.environ) != path
    assert not path.parent.exists()


def test_one_that_does_not_start_is_reported_with_its_log(fake_programs: FakePrograms, folder: Path) -> None:
    fake_programs.answer("podman system", "sys.exit('Error: no newuidmap')")
    with pytest.raises(ProgramError) as caught:
        open_socket(folder, os.environ)
    assert str(caught.value) == (
        f"Podman's API did not start; the end of {folder}/podman.log:\nError: no newuidmap"
    )
    assert [file.name for file in folder.iterdir()] == ["podman.log"]
