"""The policy of an environment, checked anew only where something that it follows from has changed."""

from pathlib import PurePath

from fleetform import identity, topology
from fleetform.catalog.loading import load
from fleetform.catalog.models import Environment
from fleetform.policy.checking import Outcome, Policy
from fleetform.policy.library import Library
from fleetform.policy.rule import Facts
from fleetform.policy.rules import shipped
from fleetform.stacks import stacks
from fleetform.workflow.project import Project


def facts_of(environment: Environment) -> Facts:
    """What rules for single resources know of an environment."""
    return Facts(
        environment.name,
        environment.account,
        topology.public_ports(environment),
        protected=environment.protection,
        zones=len(environment.zones),
    )


def check(project: Project, name: str) -> Outcome:
    """What the rules say of an environment's stacks as they stand on disk."""
    environment = load(project.root, name)
    library = Library(project.root, project.store, identity.code())
    policy = Policy(library, project.store, identity.code(), shipped(), facts_of(environment))
    return policy.check(environment, [PurePath("envs", name, stack.name) for stack in stacks(environment)])
