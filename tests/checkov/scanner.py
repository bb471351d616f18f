"""checkov, which is installed beside the project: it pins older versions of what the project needs."""

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_REQUIREMENTS = ROOT / "requirements/checkov.txt"


def install() -> Path:
    """Installs checkov unless this very version of it is there; returns the program."""
    place = Path(sys.prefix) / "checkov"
    installed = place / "installed.txt"
    if not (installed.is_file() and filecmp.cmp(installed, _REQUIREMENTS, shallow=False)):
        _uv("venv", "--clear", str(place))
        _uv("pip", "install", "--python", str(place), "--require-hashes", "--requirement", str(_REQUIREMENTS))
        shutil.copy(_REQUIREMENTS, installed)
    return place / "bin/checkov"


def _uv(*arguments: str) -> None:
    subprocess.run([shutil.which("uv") or "uv", "--quiet", *arguments], check=True)


def failed(program: Path, stack: Path) -> set[tuple[str, str]]:
    """The checks that a rendered stack fails: id of the check, and address of the resource."""
    what = ["--directory", str(stack), "--var-file", str(stack / "terraform.tfvars"), "--framework", "terraform"]
    how = ["--skip-download", "--compact", "--quiet", "--output", "json"]
    result = subprocess.run([str(program), *what, *how], check=False, capture_output=True, text=True)
    report = json.loads(result.stdout)
    assert report["summary"]["parsing_errors"] == 0, report
    assert report["summary"]["passed"] > 0, report
    return {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
