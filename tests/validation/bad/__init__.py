"""Bad catalogs: for each case a catalog, an environment, and the report that they cause."""

import tempfile
from pathlib import Path

from fleetform import reports
from fleetform.base.errors import CatalogError
from fleetform.reports import Diagnostic
from fleetform.validation.loading import load
from fleetform.workflow.check import reporting
from tests.catalog.catalogs import project

FOLDER = Path(__file__).parent
CASES = sorted(path.parent.name for path in FOLDER.glob("*/catalog.yaml"))


def diagnostics(catalog: str, environment: str) -> list[Diagnostic]:
    """Return the diagnostics of a catalog with an environment."""
    with tempfile.TemporaryDirectory() as folder:
        root = project(Path(folder), catalog, environment)
        try:
            load(root, "dev")
        except CatalogError as error:
            return reporting.of_problems(root, error.problems)
    raise AssertionError("nothing is wrong with it")


def report(catalog: str, environment: str = "") -> str:
    """Return the report for a catalog with an environment."""
    problems = diagnostics(catalog, environment)
    return f"{reports.text(problems, color=False)}\n{reports.summarize(problems)}\n"


def report_of_case(case: str) -> str:
    """Return the report for a case."""
    names = ("catalog.yaml", "environment.yaml")
    return report(*((FOLDER / case / name).read_text(encoding="utf-8") for name in names))


def expected_file(case: str) -> Path:
    """Return the file with the expected report."""
    return FOLDER / case / "expected.txt"
