"""From resources and rules to findings, less the exceptions that the environment gives reasons for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from fleetform import topology
from fleetform.catalog.files import environment_file
from fleetform.catalog.models import Environment, PolicyException
from fleetform.policy.folders import Folders
from fleetform.policy.rules import RULES, Context
from fleetform.policy.view import Resource, resources
from fleetform.stacks import stacks

UNUSED_EXCEPTION = "FF000"
"""An exception that excepts nothing: it would hide the next mistake."""


@dataclass(frozen=True, order=True)
class Finding:
    """One policy rule broken at one address.

    Attributes:
        file: The stack's file that asks for the resource.
        line: 1-based.
        rule: The rule's id.
        address: The resource's address in its stack.
        message: What is wrong and how to mend it.
    """

    file: PurePath
    line: int
    rule: str
    address: str
    message: str

    def __str__(self) -> str:
        """One line: place, rule, address, message."""
        return f"{self.file.as_posix()}:{self.line}: {self.rule} {self.address}: {self.message}"


def check(environment: Environment, folders: Folders) -> list[Finding]:
    """The findings of an environment's stacks as they stand on disk, sorted by place.

    Raises:
        CheckFailedError: A file is not valid HCL.
    """
    context = Context(topology.public_ports(environment))
    found: list[Finding] = []
    for stack in stacks(environment):
        for resource in resources(folders, PurePath("envs", environment.name, stack.name)):
            found += _findings(resource, context)
    unused = [
        _unused(exception, environment)
        for exception in environment.exceptions
        if not any(_excepts(exception, finding) for finding in found)
    ]
    kept = [
        finding for finding in found if not any(_excepts(exception, finding) for exception in environment.exceptions)
    ]
    return sorted([*kept, *unused])


def _findings(resource: Resource, context: Context) -> Iterable[Finding]:
    for rule in RULES.values():
        if resource.type in rule.types and (message := rule.check(resource, context)):
            yield Finding(resource.file, resource.line, rule.id, resource.address, message)


def _excepts(exception: PolicyException, finding: Finding) -> bool:
    pattern = ".*".join(re.escape(part) for part in exception.address.split("*"))
    return exception.rule == finding.rule and re.fullmatch(pattern, finding.address) is not None


def _unused(exception: PolicyException, environment: Environment) -> Finding:
    message = f"the exception for {exception.rule} excepts nothing; remove it"
    file = environment_file(environment.name)
    return Finding(file, 1, UNUSED_EXCEPTION, exception.address, message)
