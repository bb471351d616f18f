"""References between resources."""

import re
from collections.abc import Collection, Iterable

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown, Value

_MODULES = re.compile(r"^(module\.[\w-]+(\[[^]]*])?\.)+")


def refers_to(value: Value, resource: Resource) -> bool | None:
    """Return whether a value is an attribute of a resource of the same stack; None if that is unknown.

    A value that Terraform knows only after an apply is matched by reference, one that a plan knows by ID.
    """
    if not isinstance(value, Unknown):
        return value is not None and value in (resource.value("id"), resource.value("arn"))
    address = resource.address.removesuffix("[*]")
    if value.reference.startswith((f"{address}.", f"{resource.address}.")):
        return True
    if address != resource.address and value.reference.startswith(f"{address}["):
        return True
    return False if _MODULES.sub("", value.reference).startswith("aws_") else None


def is_referenced(resource: Resource, others: Iterable[Resource], *path: str) -> bool | None:
    """Return whether one of the others refers to a resource by its value at a path; None if unknown."""
    answers = {_refers_from(other, path, resource) for other in others}
    return True if True in answers else None if None in answers else False


def _refers_from(holder: Resource, path: Path, resource: Resource) -> bool | None:
    answer = refers_to(holder.value(*path), resource)
    return answer if holder.stack == resource.stack else None if answer is None else False


def find_referenced(value: Value, resources: Collection[Resource]) -> Resource | None:
    """Return the one of a stack's resources that a value refers to; None without one or if unknown."""
    return next((resource for resource in resources if refers_to(value, resource)), None)
