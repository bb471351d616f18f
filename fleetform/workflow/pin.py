"""The pinned requirements of a project: this version of Fleetform and all that it needs, with hashes.

Third parties' versions are the package's own locked ones. The hash of Fleetform's wheel is not known to the
code in it, so the wheel is found again: the file that was installed, the checkout that this runs from, or the
index that pip is configured for.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from fleetform import __version__
from fleetform.base import package_data
from fleetform.base.errors import ProgramError

REQUIREMENTS = "requirements.txt"
TERRAFORM_REQUIREMENTS = "requirements-terraform.txt"
"""What `run` installs where neither terraform nor tofu is on PATH."""

WHEELS = "wheels"
"""The folder in `.fleetform/` that `run` offers to pip."""

_NAME = "fleetform"
_EXTRAS = "aws,containers,emulator,test"
_RETRIES = 1  # after the first try; pip's 5 take half a minute without a network
_PROGRAM = f"{_NAME} upgrade"
_HEADER = f"# Fleetform and what it needs: exact versions with hashes. `{_PROGRAM}` rewrites this file.\n"
_TERRAFORM_HEADER = (
    "# Terraform as a library: `run` installs it where neither terraform nor tofu is on PATH."
    f" `{_PROGRAM}` rewrites this file.\n"
)


def find_wheel(folder: Path, find_links: Path | None = None) -> Path:
    """Put the wheel of this version of Fleetform into a folder.

    Args:
        folder: An existing folder.
        find_links: A folder that pip looks into before its index, if it exists.

    Returns:
        The wheel there.

    Raises:
        ProgramError: It is not found.
    """
    if not package_data.is_installed():
        return _pip(folder, "wheel", str(package_data.folder("modules").parent))
    source = _direct_url()
    path = _local_path(source)
    if path and path.is_file() and _is_installed_wheel(path, source):
        return Path(shutil.copy(path, folder))
    if path and path.is_dir():
        return _pip(folder, "wheel", str(path))
    return _pip(folder, "download", f"{_NAME}=={__version__}", find_links)


def is_published() -> bool:
    """Return whether the wheel is from an index, so that other machines can install it, too."""
    return package_data.is_installed() and not _direct_url()


def format_requirements(wheel: Path) -> str:
    """Return the content of `requirements.txt` for a wheel of this version."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return (
        _HEADER
        + f"{_NAME}[{_EXTRAS}]=={__version__} \\\n    --hash=sha256:{digest}\n"
        + _locked("project.txt")
    )


def format_terraform_requirements() -> str:
    """Return the content of `requirements-terraform.txt`."""
    return _TERRAFORM_HEADER + _locked("terraform.txt")


def install_terraform(folder: Path, library: Path) -> None:
    """Install the Terraform that projects pin into a folder for libraries.

    Args:
        folder: An existing folder for what is temporary.
        library: The folder of the library.

    Raises:
        ProgramError: pip fails.
    """
    requirements = package_data.folder("requirements") / "terraform.txt"
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps"]
    argv = [*_pip_program(folder), "install", *options, "--target", str(library), "-r", str(requirements)]
    done = _run(argv)
    if done.returncode:
        raise ProgramError(
            "neither terraform nor tofu is on PATH, and pip cannot install one; install Terraform >= 1.10,"
            f" or check what pip says\n{done.stdout.strip()}"
        )


def _locked(name: str) -> str:
    return (package_data.folder("requirements") / name).read_text(encoding="utf-8")


def _direct_url() -> dict[str, Any]:
    """Return where the installed package is from (PEP 610); empty if it is from an index."""
    try:
        text = distribution(_NAME).read_text("direct_url.json")
        plain = json.loads(text) if text else {}
    except (PackageNotFoundError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _local_path(source: dict[str, Any]) -> Path | None:
    parts = urlsplit(str(source.get("url", "")))
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _is_installed_wheel(path: Path, source: dict[str, Any]) -> bool:
    """Return whether a wheel is still the one that was installed; uv records no hash."""
    archive = source.get("archive_info")
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    recorded = hashes.get("sha256") if isinstance(hashes, dict) else None
    return path.suffix == ".whl" and recorded in {None, hashlib.sha256(path.read_bytes()).hexdigest()}


def _pip(folder: Path, act: str, requirement: str, find_links: Path | None = None) -> Path:
    """Have pip put one wheel into a folder.

    Raises:
        ProgramError: pip fails.
    """
    options = ["--quiet", "--disable-pip-version-check", "--no-input", f"--retries={_RETRIES}", "--no-deps"]
    options += ["--only-binary", _NAME, "--dest"] if act == "download" else ["--wheel-dir"]
    if find_links and find_links.is_dir():
        options = ["--find-links", str(find_links), *options]
    argv = [*_pip_program(folder), act, *options, str(folder), requirement]
    done = _run(argv)
    wheels = sorted(folder.glob(f"{_NAME}-*.whl"))
    if done.returncode or not wheels:
        raise ProgramError(
            f"pip does not find {_NAME} {__version__}, which {REQUIREMENTS} pins; if it is in a folder or an"
            " index of your own, set PIP_FIND_LINKS or PIP_INDEX_URL, and run the command again\n"
            + done.stdout.strip()
        )
    return wheels[0]


def _pip_program(folder: Path) -> list[str]:
    """Return the command line of pip; an environment of uv has none, so a temporary one is made."""
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    venv = folder / "venv"
    done = _run([sys.executable, "-m", "venv", str(venv)])
    if done.returncode:
        raise ProgramError(
            "this Python has neither pip nor venv; install one of them (on Debian and Ubuntu: apt-get install"
            f" python3-venv)\n{done.stdout.strip()}"
        )
    return [str(venv / ("Scripts" if os.name == "nt" else "bin") / "python"), "-m", "pip"]


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
