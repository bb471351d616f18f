"""The test kit for projects: a pytest plugin that plans environments on the emulator (docs/testing.md).

The plugin's fixtures are `plan_of` and `fleetform_project`. The classes here are for annotations. Each is
imported when it is first used, because pytest imports this package in every run, also in those without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleetform.testing.plans import EnvironmentPlan, StackPlan
    from fleetform.testing.plugin import PlanOf

__all__ = ["EnvironmentPlan", "PlanOf", "StackPlan"]

_MODULES = {"PlanOf": "plugin", "EnvironmentPlan": "plans", "StackPlan": "plans"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class
    """Return a class of the kit."""
    if name in _MODULES:
        return getattr(import_module(f"fleetform.testing.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
