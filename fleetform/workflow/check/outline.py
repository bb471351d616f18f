"""What a check needs to know of an environment, remembered apart from it: its models take a tenth of a second."""

import pickle
from typing import TYPE_CHECKING, NamedTuple

from fleetform import topology
from fleetform.base.cache import digest
from fleetform.policy.exceptions import ExceptionEntry
from fleetform.policy.rule import Facts
from fleetform.stacks import stacks
from fleetform.workflow import environments
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment


class Outline(NamedTuple):
    """What a check needs to know of an environment.

    Attributes:
        content: A digest of all that it says.
        facts: What rules for single resources know of it.
        stacks: The names of its stacks, in the order of their apply.
        exceptions: Its exceptions from the policy.
    """

    content: bytes
    facts: Facts
    stacks: tuple[str, ...]
    exceptions: tuple[ExceptionEntry, ...]


def read(project: Project, name: str) -> Outline:
    """The outline of an environment.

    Raises:
        InputError: The catalog is wrong, or there is no such environment.
    """
    key = digest(b"outline", environments.key(project, name))
    for value in project.store.get_many([key]).values():
        return pickle.loads(value)  # type: ignore[no-any-return] # noqa: S301 - our own work folder, trusted as the code is
    made = _outline(environments.environment(project, name))
    project.store.put_many({key: pickle.dumps(made)})
    return made


def _outline(environment: "Environment") -> Outline:
    return Outline(
        digest(environment.model_dump_json().encode()),
        facts(environment),
        tuple(stack.name for stack in stacks(environment)),
        tuple(ExceptionEntry(each.rule, each.address, each.until) for each in environment.exceptions),
    )


def facts(environment: "Environment") -> Facts:
    """What rules for single resources know of an environment."""
    return Facts(
        environment.name,
        environment.account,
        topology.public_ports(environment),
        protected=environment.protection,
        zones=len(environment.zones),
        private=environment.network.subnets == "private",
    )
