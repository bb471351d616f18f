"""The image for CI. It is linted and read here; to build it, its base image has to be pulled."""

import re
import subprocess

from tests.ci import program
from tests.conftest import ROOT

CONTAINERFILE = ROOT / "Containerfile"


def instructions(name: str) -> list[str]:
    """Return the arguments of each instruction with a name, on one line."""
    text = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [" ".join(line.split()[1:]) for line in text.splitlines() if line.startswith(f"{name} ")]


def test_hadolint_finds_nothing() -> None:
    argv = (program("hadolint"), "--no-color", str(CONTAINERFILE))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_base_image_is_pinned_by_digest() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"python:3\.1[1-4]\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)


def test_every_file_that_it_copies_exists() -> None:
    (copied,) = instructions("COPY")
    assert [file for file in copied.split()[:-1] if not (ROOT / file).is_file()] == []


def test_requirements_are_installed_with_hashes_and_the_wheel_with_nothing_else() -> None:
    installs = [line for line in instructions("RUN") if "pip install" in line]
    assert [("--require-hashes" in line, "--no-deps --no-index" in line) for line in installs] == [
        (True, False),
        (False, True),
    ]


def test_it_runs_as_a_user_without_privileges() -> None:
    assert instructions("USER") == ["1000"]
