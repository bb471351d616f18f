"""The tasks of a service, and how the containers of a task depend on each other.

On AWS the containers of a task share a network that is there before any of them. Here one of them has to hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fleetform.aws.live_state import AppliedService
from fleetform.local_runtime.containers import Definition

# Of `dependsOn`: the other container is to have ended.
_ENDING_CONDITIONS = ("COMPLETE", "SUCCESS")


@dataclass(frozen=True)
class Order:
    """How the containers of a task depend on each other.

    Attributes:
        service: The service.
        containers: Its containers.
    """

    service: str
    containers: Sequence[Definition]

    @property
    def holder(self) -> str:
        """The container whose network the others share: one that stays, and that can start before the others that do.

        It is the one that is named as its service, unless that waits for another.
        """
        names = [container["name"] for container in self.containers]
        staying = [name for name in names if name not in self.ending] or names
        first = [name for name in staying if not self.awaited(name) & set(staying)] or staying
        return self.service if self.service in first else first[0]

    @property
    def ending(self) -> set[str]:
        """The containers whose end others wait for."""
        return {
            wait["containerName"]
            for container in self.containers
            for wait in container.get("dependsOn") or ()
            if wait["condition"] in _ENDING_CONDITIONS
        }

    @property
    def apart(self) -> set[str]:
        """The containers that the holder waits for: they come before its network, and have their own."""
        return self.awaited(self.holder)

    def awaited(self, name: str) -> set[str]:
        """All containers that one waits for, and that those wait for."""
        waits = {
            container["name"]: {wait["containerName"] for wait in container.get("dependsOn") or ()}
            for container in self.containers
        }
        found: set[str] = set()
        new = waits[name]
        while new:
            found |= new
            new = {further for one in new for further in waits[one]} - found
        return found


@dataclass(frozen=True)
class Task:
    """A task of a service.

    Attributes:
        service: The service.
        number: Which of its tasks, from 1.
    """

    service: AppliedService
    number: int

    @property
    def key(self) -> str:
        """The Compose service of the container whose network the others share."""
        return f"{self.service.name}-{self.number}"

    @cached_property
    def order(self) -> Order:
        """How its containers depend on each other."""
        return Order(self.service.name, self.service.containers)

    def key_of(self, container: str) -> str:
        """The Compose service of a container."""
        return self.key if container == self.order.holder else f"{self.key}-{container}"
