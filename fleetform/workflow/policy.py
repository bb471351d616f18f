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
        topology.public_ports(environment),
        protected=environment.protection,
        zones=len(environment.zones),
    )


def check(project: Project, name: str) -> Outcome:
    """What the rules say of an environment's stacks as they stand on disk."""
    return check_environment(project, load(project.root, name))


def check_environment(project: Project, environment: Environment) -> Outcome:
    """The same of an environment that is loaded already."""
    library = Library(project.root, project.store, identity.code())
    policy = Policy(library, project.store, identity.code(), shipped(), facts_of(environment))
    return policy.check(environment, [PurePath("envs", environment.name, stack.name) for stack in stacks(environment)])
