"""The stacks: Terraform root modules, each with one state, and the order in which they are applied."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from fleetform.catalog.constants import DEFAULT_GROUP, FOUNDATION_NAME, TASKS_NAME

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment, Service

_ORDER = (FOUNDATION_NAME, TASKS_NAME)
"""The stacks that have a wave to themselves, in the order of an apply.

The groups of services follow in one wave.
"""


@dataclass(frozen=True)
class Stack:
    """A Terraform root module of an environment.

    Attributes:
        name: Its folder in `envs/<environment>/` and the key of its state.
        templates: Folders in `templates/` whose templates make its files.
        services: The services in it, by name. None in the foundation, and in a group that all services have
            left.
    """

    name: str
    templates: tuple[str, ...]
    services: tuple[str, ...] = ()

    @property
    def wave(self) -> int:
        """The wave of an apply that it belongs to, from 0: foundation, one-off tasks, groups of services."""
        return _ORDER.index(self.name) if self.name in _ORDER else len(_ORDER)

    @property
    def reads_foundation(self) -> bool:
        """Whether it reads outputs of the foundation."""
        return self.name != FOUNDATION_NAME

    @property
    def tasks(self) -> tuple[str, ...]:
        """The one-off tasks in it, by name. They run once it is applied, before the next wave is planned."""
        return self.services if self.name == TASKS_NAME else ()


FOUNDATION = Stack(FOUNDATION_NAME, ("common", "foundation"))
"""The stack whose outputs every other stack reads."""


def stacks(environment: "Environment") -> tuple[Stack, ...]:
    """Return the stacks of an environment in the order of an apply, those of one wave by name."""
    groups: dict[str, list[str]] = {}
    for name, service in environment.services.items():
        groups.setdefault(_home(service), []).append(name)
    others = (_group(name, tuple(services)) for name, services in groups.items())
    return tuple(sorted((FOUNDATION, *others), key=_place))


def waves(stacks: Iterable[Stack]) -> list[list[Stack]]:
    """Return stacks by wave, in the order of an apply.

    The stacks of a wave are planned and applied side by side.
    """
    return [list(wave) for _, wave in groupby(sorted(stacks, key=_place), lambda stack: stack.wave)]


def _place(stack: Stack) -> tuple[int, str]:
    return stack.wave, stack.name


def _home(service: "Service") -> str:
    return TASKS_NAME if service.run_before else service.group or DEFAULT_GROUP


def emptied(environment: "Environment", folders: Collection[str]) -> tuple[Stack, ...]:
    """Return the stacks that all services have left, by name.

    Args:
        environment: The environment.
        folders: The folders with rendered files. A folder remains until you delete it: its state may hold
            resources.
    """
    known = {stack.name for stack in stacks(environment)}
    return tuple(_group(name, ()) for name in sorted(folders) if name not in known)


def _group(name: str, services: tuple[str, ...]) -> Stack:
    return Stack(name, ("common", "services"), services)
