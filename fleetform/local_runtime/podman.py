"""Podman's API for Compose: the user's Podman service if it answers, else one that this module starts.

A folder has at most one such service and a record of its socket. To stop the service, the process that
listens on the socket is stopped, as a recorded process id may have been reused by another program.
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
# The service stops itself after this time without a request.
_IDLE_SECONDS = 300
_PEER_CREDENTIALS = struct.Struct("3i")  # process, user, group


def open_socket(folder: Path, variables: Mapping[str, str]) -> Path:
    """Return the socket of Podman's API; start a service if none answers.

    Args:
        folder: Folder of the record and the log; created if necessary.
        variables: Podman's process environment.

    Raises:
        ProgramError: The service did not start; the message ends with its log.
    """
    path = read(["podman", "info", "--format={{.Host.RemoteSocket.Path}}"], variables).strip()
    default_socket = Path(path.removeprefix("unix://"))
    if _answers(default_socket):
        return default_socket
    folder.mkdir(parents=True, exist_ok=True)
    with daemons.file_lock(folder):
        recorded = _read_record(folder)
        return recorded if recorded and _answers(recorded) else _serve(folder, variables)


def close_socket(folder: Path) -> None:
    """Stop the folder's service if it is running, and remove its record; the log stays."""
    if not folder.is_dir():
        return
    with daemons.file_lock(folder):
        recorded = _read_record(folder)
        if recorded and (process := _listening_process(recorded)):
            daemons.terminate(process)
        _remove_record(folder)


def _read_record(folder: Path) -> Path | None:
    record = folder / RECORD
    return Path(record.read_text(encoding="utf-8")) if record.is_file() else None


def _remove_record(folder: Path) -> None:
    if recorded := _read_record(folder):
        shutil.rmtree(recorded.parent, ignore_errors=True)
        (folder / RECORD).unlink()


def _serve(folder: Path, variables: Mapping[str, str]) -> Path:
    _remove_record(folder)  # left by a service that was killed or stopped itself
    # A temporary folder, as the path of a socket is limited to about a hundred characters.
    path = Path(tempfile.mkdtemp(prefix="fleetform-")) / "podman.sock"
    (folder / RECORD).write_text(str(path), encoding="utf-8")
    argv = ["podman", "system", "service", f"--time={_IDLE_SECONDS}", f"unix://{path}"]
    with (folder / LOG).open("wb") as log:
        process = daemons.start(argv, variables, log, log)
    if not _wait_until_ready(path, process):
        process.kill()
        _remove_record(folder)
        raise ProgramError(
            f"Podman's API did not start; the end of {folder / LOG}:\n{daemons.log_tail(folder / LOG)}"
        )
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


def _listening_process(path: Path) -> int | None:
    """Return the id of the process that listens on a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
        except OSError:
            return None
    process, _user, _group = _PEER_CREDENTIALS.unpack(credentials)
    return int(process)
