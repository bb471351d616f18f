"""Checks of services against AWS's tables and quotas, each with its source.

Checks of environments are in environments.py. Quotas that AWS raises on request are notices, in notices.py.
"""

import json
from collections.abc import Iterator

from fleetform.base.errors import Problem
from fleetform.catalog.constants import FARGATE_MEMORY
from fleetform.catalog.locator import Locator, locator
from fleetform.catalog.models import Container, Service, Services
from fleetform.catalog.nodes import Node

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
_MAX_TASK_DEFINITION_BYTES = 64 * 1024
_MAX_CONTAINERS = 10

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: a role's inline policies.
_MAX_ROLE_POLICY_CHARACTERS = 10_240

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
_MAX_CONDITION_VALUES = 5


def check_service_limits(services: Services, tree: Node) -> Iterator[Problem]:
    """Check each valid service against AWS's limits."""
    for name, service in services.items():
        at = locator(tree, "services", name)
        yield from _check_size(service, at)
        yield from _check_sidecar_sizes(service, at)
        yield from _check_task_definition(name, service, at)
        yield from _check_task_role(service, at)
        if (
            service.ingress is not None
            and len(service.ingress.paths) + len(service.ingress.hosts) > _MAX_CONDITION_VALUES
        ):
            message = f"a load balancer rule can have at most {_MAX_CONDITION_VALUES} paths and hosts"
            yield Problem(at("ingress", key=True), message, "combine some with wildcards")


def _check_size(service: Service, at: Locator) -> Iterator[Problem]:
    if service.cpu not in FARGATE_MEMORY:
        legal = ", ".join(map(str, FARGATE_MEMORY))
        yield Problem(at("cpu"), f"Fargate does not offer {service.cpu} CPU units", f"use one of {legal}")
    elif service.memory not in FARGATE_MEMORY[service.cpu]:
        legal = ", ".join(map(str, FARGATE_MEMORY[service.cpu]))
        message = f"Fargate does not offer {service.cpu} CPU units with {service.memory} MiB"
        place = at("memory" if "memory" in service.model_fields_set else "cpu")
        yield Problem(place, message, f"set `memory` to one of {legal}")


def _check_sidecar_sizes(service: Service, at: Locator) -> Iterator[Problem]:
    if len(service.other_containers) >= _MAX_CONTAINERS:
        message = f"a task can have at most {_MAX_CONTAINERS} containers, including the service's own"
        yield Problem(at("sidecars", key=True), message, f"keep at most {_MAX_CONTAINERS - 1} sidecars")
    for key, limit in (("cpu", service.cpu), ("memory", service.memory)):
        total = sum(getattr(sidecar, key) or 0 for sidecar in service.sidecars.values())
        if total > limit:
            message = f"the sidecars' `{key}` adds up to {total}, but the task has only {limit}"
            yield Problem(at("sidecars", key=True), message, f"raise the service's `{key}`, or lower theirs")


def _check_task_definition(name: str, service: Service, at: Locator) -> Iterator[Problem]:
    """Check the size of the catalog's part of the task definition, as JSON; the rest adds to it."""
    containers: list[Container] = [service, *service.sidecars.values()]
    texts = [[part.command, part.entry_point, dict(part.environment)] for part in containers]
    size = len(json.dumps(texts, separators=(",", ":"), ensure_ascii=False).encode("utf-8", errors="replace"))
    if size > _MAX_TASK_DEFINITION_BYTES:
        limit = f"ECS limits a task definition to {_MAX_TASK_DEFINITION_BYTES}"
        message = f"the variables and commands of `{name}` take {size} bytes, but {limit}"
        yield Problem(
            at("environment", key=True), message, "move long values to a file in the image or to S3"
        )


def _check_task_role(service: Service, at: Locator) -> Iterator[Problem]:
    statements = [statement.model_dump(exclude_defaults=True) for statement in service.task_role.statements]
    size = len(json.dumps(statements, separators=(",", ":")))
    if size > _MAX_ROLE_POLICY_CHARACTERS:
        message = (
            f"the statements have {size} characters, but IAM limits a role to {_MAX_ROLE_POLICY_CHARACTERS}"
        )
        yield Problem(
            at("task_role", "statements", key=True),
            message,
            "create a managed policy and list it in `policies`",
        )
