"""Checks of services against AWS's tables and quotas, each with its source; of environments: environment_checks.py.

Quotas that AWS raises on request are no problems but notices: see notices.py.
"""

import json
from collections.abc import Iterator

from fleetform.catalog.constants import FARGATE_MEMORY
from fleetform.catalog.locating import Locator, locator
from fleetform.catalog.models import Container, Service, Services
from fleetform.catalog.nodes import Node
from fleetform.errors import Problem

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
_TASK_DEFINITION_BYTES = 64 * 1024
_CONTAINERS = 10

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: a role's inline policies.
_ROLE_POLICY_CHARACTERS = 10_240

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
_CONDITION_VALUES = 5


def check_service_limits(services: Services, tree: Node) -> Iterator[Problem]:
    """What AWS allows each sound service."""
    for name, service in services.items():
        at = locator(tree, "services", name)
        yield from _check_size(service, at)
        yield from _check_sidecar_sizes(service, at)
        yield from _check_task_definition(name, service, at)
        yield from _check_task_role(service, at)
        if service.ingress is not None and len(service.ingress.paths) + len(service.ingress.hosts) > _CONDITION_VALUES:
            message = f"a rule of a load balancer has {_CONDITION_VALUES} paths and hosts at most"
            yield Problem(at("ingress", key=True), message, "join some with wildcards")


def _check_size(service: Service, at: Locator) -> Iterator[Problem]:
    if service.cpu not in FARGATE_MEMORY:
        legal = ", ".join(map(str, FARGATE_MEMORY))
        yield Problem(at("cpu"), f"Fargate has no tasks of {service.cpu} CPU units", f"it has {legal}")
    elif service.memory not in FARGATE_MEMORY[service.cpu]:
        legal = ", ".join(map(str, FARGATE_MEMORY[service.cpu]))
        message = f"Fargate has no tasks of {service.cpu} CPU units with {service.memory} MiB"
        place = at("memory" if "memory" in service.model_fields_set else "cpu")
        yield Problem(place, message, f"set `memory` to one of {legal}")


def _check_sidecar_sizes(service: Service, at: Locator) -> Iterator[Problem]:
    if len(service.beside) >= _CONTAINERS:
        message = f"a task has {_CONTAINERS} containers at most, the service's own among them"
        yield Problem(at("sidecars", key=True), message, f"keep {_CONTAINERS - 1} sidecars")
    for key, room in (("cpu", service.cpu), ("memory", service.memory)):
        kept = sum(getattr(sidecar, key) or 0 for sidecar in service.sidecars.values())
        if kept > room:
            message = f"the sidecars' `{key}` is {kept} in all, and the task's is {room}"
            yield Problem(at("sidecars", key=True), message, f"raise the service's `{key}`, or lower theirs")


def _check_task_definition(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    """What of the task definition is the catalog's, as JSON: the whole has more."""
    containers: list[Container] = [service, *service.sidecars.values()]
    texts = [[part.command, part.entry_point, dict(part.environment)] for part in containers]
    size = len(json.dumps(texts, separators=(",", ":"), ensure_ascii=False).encode("utf-8", errors="replace"))
    if size > _TASK_DEFINITION_BYTES:
        limit = f"ECS allows a task definition {_TASK_DEFINITION_BYTES}"
        message = f"the variables and commands of `{name}` have {size} bytes, and {limit}"
        yield Problem(at("environment", key=True), message, "read what is long from a file of the image, or from S3")


def _check_task_role(service: Service, at: Locator) -> Iterator[Problem]:
    statements = [statement.model_dump(exclude_defaults=True) for statement in service.task_role.statements]
    size = len(json.dumps(statements, separators=(",", ":")))
    if size > _ROLE_POLICY_CHARACTERS:
        message = f"the statements have {size} characters, and IAM allows a role {_ROLE_POLICY_CHARACTERS}"
        yield Problem(
            at("task_role", "statements", key=True), message, "make a managed policy and name it in `policies`"
        )
