"""Safe settings of the shipped modules, and which rule says so when one is turned off."""

from pathlib import PurePath
from typing import NamedTuple


class Mutation(NamedTuple):
    """One setting turned off.

    Attributes:
        file: The module's file.
        safe: How it ships; stands there exactly `times` times.
        unsafe: What takes its place.
        rules: The rules that must fire, and no others.
        times: How often it stands there.
    """

    file: PurePath
    safe: str
    unsafe: str
    rules: frozenset[str]
    times: int = 1


def _of(file: str, safe: str, unsafe: str, *rules: str, times: int = 1) -> Mutation:
    return Mutation(PurePath("modules", file), safe, unsafe, frozenset(rules), times)


MUTATIONS = (
    _of("ecs_service/roles.tf", '"aws:Source', '"aws:Principal', "FF078", times=2),
    _of("ecs_service/task_definition.tf", 'encryption = "ENABLED"', 'encryption = "DISABLED"', "FF086"),
    _of("ingress/logs.tf", "force_destroy = !var.deletion_protection", "force_destroy = true", "FF090"),
    _of("ingress/logs.tf", "block_public_policy     = true", "block_public_policy     = false", "FF082"),
    _of("ingress/logs.tf", "aws:SecureTransport", "aws:ViaAWSService", "FF084"),
    _of("network/flow_logs.tf", '"logs:DescribeLogGroups"', '"logs:*"', "FF004"),
    _of("network/flow_logs.tf", '"aws:Source', '"aws:Principal', "FF078", times=2),
    _of("network/vpc.tf", "enable_dns_hostnames = true", "enable_dns_hostnames = false", "FF005"),
    _of("network/vpc.tf", "enable_dns_support   = true", "enable_dns_support   = false", "FF005"),
    _of("registry/repositories.tf", '"IMMUTABLE"', '"MUTABLE"', "FF002"),
)
