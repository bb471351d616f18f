"""checkov, which is installed beside the project: it pins other versions of what the project needs."""

import fcntl
import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def install() -> Path:
    """Installs checkov unless this very version of it is there; returns the program."""
    return environment("checkov") / "bin/checkov"


def environment(name: str) -> Path:
    """An environment of Python with what requirements/<name>.txt says, made unless it is there.

    Returns its folder.
    """
    requirements = ROOT / f"requirements/{name}.txt"
    place = Path(sys.prefix) / name
    installed = place / "installed.txt"
    with place.with_suffix(".lock").open("w") as lock:  # tests run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (installed.is_file() and filecmp.cmp(installed, requirements, shallow=False)):
            _uv("venv", "--clear", str(place))
            _uv(
                "pip",
                "install",
                "--python",
                str(place),
                "--require-hashes",
                "--requirement",
                str(requirements),
            )
            shutil.copy(requirements, installed)
    return place


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], check=True)


def failed(program: Path, stack: Path) -> set[tuple[str, str]]:
    """The checks that a rendered stack fails: id of the check, and address of the resource."""
    what = [
        "--directory",
        str(stack),
        "--var-file",
        str(stack / "terraform.tfvars"),
        "--framework",
        "terraform",
    ]
    how = ["--skip-download", "--compact", "--quiet", "--output", "json"]
    result = subprocess.run([str(program), *what, *how], check=False, capture_output=True, text=True)
    report = json.loads(result.stdout)
    assert report["summary"]["parsing_errors"] == 0, report
    assert report["summary"]["passed"] > 0, report
    return {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
