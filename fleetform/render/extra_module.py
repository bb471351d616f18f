"""Custom Terraform: the arguments that a stack passes to the module in its `extra/`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath

from fleetform import topology
from fleetform.base.errors import CatalogError, Position, Problem
from fleetform.base.suggestions import closest_match
from fleetform.catalog.files import EXTRA_NAME
from fleetform.catalog.models import Environment
from fleetform.hcl.literals import key, literal
from fleetform.render.declared_variables import Variable
from fleetform.render.template import Text
from fleetform.stacks import Stack, emptied, stacks


def calls(
    environment: Environment, declared: Mapping[str, Sequence[Variable]], folders: Collection[str]
) -> dict[str, dict[str, Text]]:
    """Return the arguments with which each stack calls its module, by stack.

    Args:
        environment: The environment.
        declared: The variables of the module in each stack's `extra/`, by stack.
        folders: The folders with rendered files.

    Raises:
        CatalogError: A variable without a default is not offered, a service has the module's name, or no
            service is left in the stack.
    """
    if not declared:
        return {}
    problems = list(_misplaced(environment, declared, folders))
    offers = {
        stack.name: offered_variables(environment, stack)
        for stack in stacks(environment)
        if stack.name in declared
    }
    for stack, offer in offers.items():
        problems += (
            _unknown(each, offer) for each in declared[stack] if each.required and each.name not in offer
        )
    if problems:
        raise CatalogError(problems)
    return {stack: _used_variables(offer, declared[stack]) for stack, offer in offers.items()}


def _used_variables(offer: Mapping[str, str], variables: Sequence[Variable]) -> dict[str, Text]:
    names = {variable.name for variable in variables}
    return {name: Text(value) for name, value in offer.items() if name in names}


def _unknown(variable: Variable, offer: Mapping[str, str]) -> Problem:
    close = closest_match(variable.name, list(offer))
    remedy = (
        f"{f'did you mean `{close}`? ' if close else ''}without a default, it may be"
        f" {', '.join(sorted(offer))}"
    )
    return Problem(
        variable.place, f"the stack has no `{variable.name}` to give to its `{EXTRA_NAME}/`", remedy
    )


def _misplaced(
    environment: Environment, declared: Collection[str], folders: Collection[str]
) -> Iterator[Problem]:
    """Find modules that no stack can call."""
    for stack in emptied(environment, folders):
        if stack.name in declared:
            message = (
                f"no service is in the group `{stack.name}` any more, and an apply would destroy this with it"
            )
            yield Problem(_folder(environment, stack.name), message, "move it to another stack, or delete it")
    if EXTRA_NAME in environment.services:
        message = f"the stack would have two modules named `{EXTRA_NAME}`"
        yield Problem(_folder(environment, min(declared)), message, f"rename the service `{EXTRA_NAME}`")


def _folder(environment: Environment, stack: str) -> Position:
    return Position(PurePath("envs", environment.name, stack, EXTRA_NAME), 1, 1)


def offered_variables(environment: Environment, stack: Stack) -> dict[str, str]:
    """Return what the module of a stack can use: HCL by the name of the variable that receives it."""
    inputs = [
        *("name", "account", "region", "namespace", "tags"),
        *(["kms_key_arn"] if environment.kms_key else []),
    ]
    given = {name: f"var.{name}" for name in inputs}
    if not stack.reads_foundation:
        return given | _assignments(environment)
    roles = {environment.original_name(name): f"module.{name}.task_role_name" for name in stack.services}
    wired = {name: f"local.foundation.{name}" for name in _assignments(environment)}
    return given | wired | {"task_role_names": _object(roles)}


def _assignments(environment: Environment) -> dict[str, str]:
    """Return what the foundation creates: HCL in the foundation itself, by the name of its output."""
    members = topology.security_groups(environment).members
    groups = {
        environment.original_name(name): f"module.security.group_ids[{literal(group)}]"
        for name, group in members.items()
    }
    made = {
        "vpc_id": "module.network.vpc_id",
        "subnet_ids": f"values(module.network.{environment.network.subnets}_subnet_ids)",
        "security_group_ids": _object(groups),
        "cluster_arn": "module.cluster.cluster_arn",
        "namespace_arn": "module.discovery.namespace_arn",
        "discovery_service_arns": "module.discovery.service_arns",
        "repository_arns": "module.registry.repository_arns",
        "repository_urls": "module.registry.repository_urls",
    }
    if environment.ingress.has_load_balancer:
        made |= {"listener_arn": "module.ingress.listener_arn", "url": "module.ingress.url"}
    if environment.allows_exec:
        made["exec_log_group_arn"] = "module.cluster.exec_log_group_arn"
    return made


def _object(entries: Mapping[str, str]) -> str:
    lines = "".join(f"{key(name)} = {value}\n" for name, value in sorted(entries.items()))
    return f"{{\n{lines}}}" if entries else "{}"
