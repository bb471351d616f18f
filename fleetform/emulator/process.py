"""Starts, finds and stops the emulator's process, and configures other programs to use it.

A folder that the caller chooses has at most one emulator, whose record is ``emulator.json`` in it. A record
is not enough, as its process id may have been reused: the emulator counts as running only while it answers on
its health path with the token of the record.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from fleetform.base import daemons, extras
from fleetform.base.errors import InputError, ProgramError
from fleetform.base.program_name import command

ACCOUNT_VARIABLE = "MOTO_ACCOUNT_ID"
DEFAULT_ACCOUNT = "123456789012"
DEFAULT_PORT = 5566
HEALTH_PATH = "/fleetform/health"
CONTINUITY_PATH = "/fleetform/continuity"
RECORD = "emulator.json"
LOG = "emulator.log"
STORAGE = "registry"

_HEALTH_SECONDS = 10


@dataclass(frozen=True)
class Emulator:
    """A running emulator.

    Attributes:
        url: Its loopback address, without a trailing slash.
        pid: Its process.
        account: The AWS account that it answers as.
    """

    url: str
    pid: int
    account: str

    @property
    def registry(self) -> str:
        """Return host and port of its image registry.

        It uses plain HTTP, which engines accept on loopback.
        """
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class Options:
    """How an emulator behaves.

    Attributes:
        delay: Seconds that a service drains, and that the network interfaces of tasks outlive them. Default:
            as short as a program that does not wait notices.
        monitor: Whether tests can watch what keeps working; see the package `continuity`.
    """

    delay: float | None = None
    monitor: bool = False


DEFAULTS = Options()


def start(
    folder: Path, port: int = DEFAULT_PORT, account: str = DEFAULT_ACCOUNT, options: Options = DEFAULTS
) -> Emulator:
    """Start the folder's emulator in the background, or return the one that is already running.

    Args:
        folder: Folder of the record and the log; created if necessary.
        port: The port to use if it is free; otherwise a random one is used.
        account: The AWS account that it answers as.
        options: How a new one behaves; a running one keeps its own.

    Raises:
        InputError: The running emulator answers as a different account.
        ProgramError: The emulator did not start, and the message ends with its log; or its packages are
            not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with daemons.file_lock(folder):
        emulator = status(folder) or _spawn(folder, port, account, options)
    if emulator.account != account:
        message = f"the emulator at {emulator.url} answers as account {emulator.account}, not {account}"
        raise InputError(
            f"{message}; run `{command('emulator.stop')}`, which also discards all that was applied to it"
        )
    return emulator


def status(folder: Path) -> Emulator | None:
    """Return the folder's emulator if it is running."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        emulator = Emulator(url=record["url"], pid=record["pid"], account=record["account"])
        token = record["token"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return emulator if _health(emulator.url) == {"pid": emulator.pid, "token": token} else None


def stop(folder: Path) -> bool:
    """Stop the folder's emulator and remove its record and its images; the log stays.

    Returns:
        Whether an emulator was running.
    """
    if not folder.is_dir():
        return False
    with daemons.file_lock(folder):
        emulator = status(folder)
        if emulator:
            daemons.terminate(emulator.pid)
        (folder / RECORD).unlink(missing_ok=True)
        shutil.rmtree(folder / STORAGE, ignore_errors=True)
        return emulator is not None


def environment(emulator: Emulator, base: Mapping[str, str]) -> dict[str, str]:
    """Return the process environment for a program whose AWS calls must go to the emulator.

    Args:
        emulator: The emulator.
        base: The process environment to start from. Its ``AWS_*`` variables are removed (profiles, sessions,
            roles, endpoints of single services), except ``AWS_CA_BUNDLE``, which other hosts may need.
    """
    kept = {
        name: value for name, value in base.items() if not name.startswith("AWS_") or name == "AWS_CA_BUNDLE"
    }
    no_proxy = {name: _with_loopback(base.get(name, "")) for name in ("NO_PROXY", "no_proxy")}
    return (
        kept
        | no_proxy
        | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
    )


def _with_loopback(hosts: str) -> str:
    return ",".join(dict.fromkeys([*filter(None, hosts.split(",")), "127.0.0.1", "localhost"]))


def _spawn(folder: Path, port: int, account: str, options: Options) -> Emulator:
    extras.require("emulator")
    shutil.rmtree(folder / STORAGE, ignore_errors=True)  # left by an emulator that was killed
    argv = [
        sys.executable,
        "-m",
        "fleetform.emulator.server",
        "--folder",
        str(folder.resolve()),
        "--port",
        str(port),
        *([] if options.delay is None else ["--delay", str(options.delay)]),
        *(["--monitor"] if options.monitor else []),
    ]
    daemons.spawn(argv, {**os.environ, ACCOUNT_VARIABLE: account}, folder / LOG)
    emulator = status(folder)
    if not emulator:
        raise ProgramError(
            f"the emulator did not start; the end of {folder / LOG}:\n{daemons.log_tail(folder / LOG)}"
        )
    return emulator


def _health(url: str) -> object:
    """Return the answer of the health path; None if there is no valid answer."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=_HEALTH_SECONDS)
    try:
        connection.request("GET", HEALTH_PATH)
        return json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
