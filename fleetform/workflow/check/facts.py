"""The facts that a check needs about an environment, cached apart from it.

Its models take a tenth of a second.
"""

from typing import TYPE_CHECKING, NamedTuple

from fleetform import topology
from fleetform.base.cache import Kind, digest
from fleetform.base.serialization import JsonCodec
from fleetform.policy.exceptions import ExceptionEntry
from fleetform.policy.rule import Facts
from fleetform.stacks import stacks
from fleetform.workflow.project import Project

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment


class EnvironmentFacts(NamedTuple):
    """The facts that a check needs about an environment.

    Attributes:
        content: A digest of the whole environment.
        rule_facts: The facts for rules on single resources.
        stacks: The names of its stacks, in the order of their apply.
        exceptions: Its exceptions from the policy.
    """

    content: bytes
    rule_facts: Facts
    stacks: tuple[str, ...]
    exceptions: tuple[ExceptionEntry, ...]


_FACTS: Kind[EnvironmentFacts] = Kind("facts", JsonCodec(EnvironmentFacts))


def read_facts(project: Project, name: str) -> EnvironmentFacts:
    """Return the facts about an environment.

    Raises:
        InputError: The catalog is wrong, or there is no such environment.
    """
    return project.cache.memo(
        _FACTS, lambda: project.environment_parts(name), lambda: _collect_facts(project.environment(name))
    )


def _collect_facts(environment: "Environment") -> EnvironmentFacts:
    return EnvironmentFacts(
        digest(environment.model_dump_json().encode()),
        rule_facts(environment),
        tuple(stack.name for stack in stacks(environment)),
        tuple(ExceptionEntry(each.rule, each.address, each.until) for each in environment.exceptions),
    )


def rule_facts(environment: "Environment") -> Facts:
    """Return the facts about an environment for rules on single resources."""
    return Facts(
        environment.name,
        environment.account,
        topology.public_ports(environment),
        protected=environment.protection,
        zones=len(environment.zones),
        private=environment.network.subnets == "private",
    )
