"""The stacks: Terraform root modules, each with one state."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetform.catalog.constants import DEFAULT_GROUP, FOUNDATION_NAME, TASKS_NAME

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment, Service


@dataclass(frozen=True)
class Stack:
    """A Terraform root module of an environment.

    Attributes:
        name: Its folder in `envs/<environment>/` and the key of its state.
        templates: Folders in `templates/` whose templates make its files.
        services: The services that it has, by name; none in the foundation, and in a group that all have left.
    """

    name: str
    templates: tuple[str, ...]
    services: tuple[str, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The one-off tasks that it has, by name: they are run once it is applied, before the next stack."""
        return self.services if self.name == TASKS_NAME else ()


FOUNDATION = Stack(FOUNDATION_NAME, ("common", "foundation"))
"""What every group of services reads the outputs of."""


def stacks(environment: "Environment") -> tuple[Stack, ...]:
    """The stacks of an environment in the order of their apply: the foundation, one-off tasks, the groups by name."""
    groups: dict[str, list[str]] = {}
    for name, service in environment.services.items():
        groups.setdefault(_home(service), []).append(name)
    in_order = sorted(groups, key=lambda name: (name != TASKS_NAME, name))
    return (FOUNDATION, *(_group(name, tuple(groups[name])) for name in in_order))


def _home(service: "Service") -> str:
    return TASKS_NAME if service.run_before else service.group or DEFAULT_GROUP


def emptied(environment: "Environment", folders: Collection[str]) -> tuple[Stack, ...]:
    """The stacks that no service is in any more, by name.

    Args:
        environment: The environment.
        folders: The folders with rendered files. Until somebody deletes it, one says that its state may hold resources.
    """
    known = {stack.name for stack in stacks(environment)}
    return tuple(_group(name, ()) for name in sorted(folders) if name not in known)


def _group(name: str, services: tuple[str, ...]) -> Stack:
    return Stack(name, ("common", "services"), services)
