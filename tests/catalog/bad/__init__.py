"""Bad catalogs: for each case a catalog and an environment, and all that a person is told about them."""

import shutil
import tempfile
from pathlib import Path

from fleetform import reports
from fleetform.catalog.loading import load
from fleetform.errors import CatalogError
from fleetform.reports import Remark
from fleetform.workflow import reporting

FOLDER = Path(__file__).parent
ENVIRONMENT = "dev"

CASES = sorted(path.parent.name for path in FOLDER.glob("*/catalog.yaml"))


def remarks(case: str) -> list[Remark]:
    """What is said about a case."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "envs", ENVIRONMENT)
        place.mkdir(parents=True)
        shutil.copy(FOLDER / case / "catalog.yaml", place.parent)
        shutil.copy(FOLDER / case / "environment.yaml", place)
        try:
            load(Path(folder), ENVIRONMENT)
        except CatalogError as error:
            return reporting.of_problems(Path(folder), error.problems)
    raise AssertionError(f"nothing is wrong with {case}")


def told(case: str) -> str:
    """What a person reads."""
    found = remarks(case)
    return f"{reports.text(found, color=False)}\n{reports.counted(found)}\n"


def expected_file(case: str) -> Path:
    """What a person must read."""
    return FOLDER / case / "expected.txt"


def regenerate() -> None:
    """Makes what a person reads what a person must read."""
    for case in CASES:
        expected_file(case).write_text(told(case), encoding="utf-8", newline="\n")
