"""Podman's API for Compose: that of Podman's own service if it answers, else of one that we start.

A folder has at most one of ours, whose socket is recorded in it. What listens there is ended; a process id that was
written down may have been given to another program.
"""

import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from fleetform.base import daemons
from fleetform.base.errors import ProgramError
from fleetform.base.processes import read

RECORD = "podman.socket"
LOG = "podman.log"

_ANSWER_SECONDS = 10
_START_SECONDS = 20
# It ends by itself when nobody has asked it anything for as long.
_IDLE_SECONDS = 300
_PEER_CREDENTIALS = struct.Struct("3i")  # process, user, group


def open_socket(folder: Path, variables: Mapping[str, str]) -> Path:
    """The socket of Podman's API; starts a service if there is none.

    Args:
        folder: Where the record and the log are kept; made if need be.
        variables: Podman's process environment.

    Raises:
        ProgramError: The service did not come up; the message ends with its log.
    """
    path = read(["podman", "info", "--format={{.Host.RemoteSocket.Path}}"], variables).strip()
    own = Path(path.removeprefix("unix://"))
    if _answers(own):
        return own
    folder.mkdir(parents=True, exist_ok=True)
    with daemons.file_lock(folder):
        ours = _read_record(folder)
        return ours if ours and _answers(ours) else _serve(folder, variables)


def close_socket(folder: Path) -> None:
    """Ends the folder's service, if one runs, and removes its record; the log stays."""
    if not folder.is_dir():
        return
    with daemons.file_lock(folder):
        ours = _read_record(folder)
        if ours and (process := _listener(ours)):
            daemons.terminate(process)
        _forget(folder)


def _read_record(folder: Path) -> Path | None:
    record = folder / RECORD
    return Path(record.read_text(encoding="utf-8")) if record.is_file() else None


def _forget(folder: Path) -> None:
    if ours := _read_record(folder):
        shutil.rmtree(ours.parent, ignore_errors=True)
        (folder / RECORD).unlink()


def _serve(folder: Path, variables: Mapping[str, str]) -> Path:
    _forget(folder)  # what one that was killed, or has ended by itself, has left
    # Not in the folder itself: the path of a socket has no more than a hundred characters.
    path = Path(tempfile.mkdtemp(prefix="fleetform-")) / "podman.sock"
    (folder / RECORD).write_text(str(path), encoding="utf-8")
    argv = ["podman", "system", "service", f"--time={_IDLE_SECONDS}", f"unix://{path}"]
    with (folder / LOG).open("wb") as log:
        process = daemons.start(argv, variables, log, log)
    if not _wait_until_ready(path, process):
        process.kill()
        _forget(folder)
        raise ProgramError(f"Podman's API did not start; the end of {folder / LOG}:\n{daemons.log_tail(folder / LOG)}")
    return path


def _wait_until_ready(path: Path, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(path):
            return True
        time.sleep(0.05)
    return False


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_ANSWER_SECONDS)
        try:
            client.connect(str(path))
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return client.recv(len(b"HTTP/1.0 200")).endswith(b" 200")
        except OSError:
            return False


def _listener(path: Path) -> int | None:
    """The process that listens on a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
        except OSError:
            return None
    process, _user, _group = _PEER_CREDENTIALS.unpack(credentials)
    return int(process)
