"""The pytest plugin: an entry point, so pytest loads it in every run. It imports nothing until it is used."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from fleetform.testing.plans import EnvironmentPlan

PlanOf: TypeAlias = Callable[[str], "EnvironmentPlan"]
"""Returns the plan of an environment, by its name."""

_CATALOG = "envs/catalog.yaml"


@pytest.fixture(scope="session")
def fleetform_project(request: pytest.FixtureRequest) -> Path:
    """Return the root folder of the project under test.

    This is the nearest folder with `envs/catalog.yaml` at or above pytest's root folder or, if there is
    none, at or above a collected test file. Override the fixture in `conftest.py` to test another folder.
    """
    config: pytest.Config = request.config
    starts = [config.rootpath, *dict.fromkeys(item.path.parent for item in request.session.items)]
    for folder in (folder for start in starts for folder in (start, *start.parents)):
        if (folder / _CATALOG).is_file():
            return folder
    pytest.fail(
        f"{config.rootpath} is not a Fleetform project: neither it nor a folder above it has {_CATALOG};"
        " run pytest in a project, or override the fixture `fleetform_project`",
        pytrace=False,
    )


@pytest.fixture(scope="session")
def plan_of(fleetform_project: Path) -> PlanOf:
    """Return a function from an environment's name to its plan, an `EnvironmentPlan`.

    Each environment is planned at most once in a run. The function fails the test with one message if the
    environment is unknown or cannot be planned.
    """
    failure: type[Exception] = import_module("fleetform.base.errors").FleetformError
    results: dict[str, EnvironmentPlan | str] = {}

    def plan(name: str) -> "EnvironmentPlan":
        import_module("fleetform.base.extras").require("test")
        found: EnvironmentPlan = import_module("fleetform.testing.planning").plan(fleetform_project, name)
        return found

    def find(name: str) -> "EnvironmentPlan":
        if name not in results:
            try:
                results[name] = plan(name)
            except failure as error:
                results[name] = str(error)
        result = results[name]
        if isinstance(result, str):
            pytest.fail(result, pytrace=False)
        return result

    return find
