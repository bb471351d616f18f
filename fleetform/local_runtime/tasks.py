"""The tasks of a service, and how the containers of a task depend on each other.

On AWS the containers of a task share a network that exists before they start. Here one of them has to hold
it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fleetform.aws.live_state import AppliedService
from fleetform.local_runtime.containers import Definition

# Conditions of `dependsOn` that wait until the other container has exited.
_ENDING_CONDITIONS = ("COMPLETE", "SUCCESS")


@dataclass(frozen=True)
class ContainerOrder:
    """How the containers of a task depend on each other.

    Attributes:
        service: The service.
        containers: Its containers.
    """

    service: str
    containers: Sequence[Definition]

    @property
    def network_holder(self) -> str:
        """Return the container whose network the others share.

        A long-running one that waits for no other such one.

        It is the container named like its service, unless that waits for another.
        """
        names = [container["name"] for container in self.containers]
        lasting = [name for name in names if name not in self.finishing] or names
        first = [name for name in lasting if not self.dependencies(name) & set(lasting)] or lasting
        return self.service if self.service in first else first[0]

    @property
    def finishing(self) -> set[str]:
        """Return the containers that others wait for to exit."""
        return {
            wait["containerName"]
            for container in self.containers
            for wait in container.get("dependsOn") or ()
            if wait["condition"] in _ENDING_CONDITIONS
        }

    @property
    def before_holder(self) -> set[str]:
        """Return the containers that the network holder waits for.

        They start before it, with their own network.
        """
        return self.dependencies(self.network_holder)

    def dependencies(self, name: str) -> set[str]:
        """Return all containers that a container waits for, directly or indirectly."""
        waits = {
            container["name"]: {wait["containerName"] for wait in container.get("dependsOn") or ()}
            for container in self.containers
        }
        dependencies: set[str] = set()
        new = waits[name]
        while new:
            dependencies |= new
            new = {further for one in new for further in waits[one]} - dependencies
        return dependencies


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
        """Return the Compose service of the network holder."""
        return f"{self.service.name}-{self.number}"

    @cached_property
    def order(self) -> ContainerOrder:
        """Return how its containers depend on each other."""
        return ContainerOrder(self.service.name, self.service.containers)

    def key_of(self, container: str) -> str:
        """Return the Compose service of a container."""
        return self.key if container == self.order.network_holder else f"{self.key}-{container}"
