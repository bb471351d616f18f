"""VPC, subnets, routes and endpoints."""

from collections.abc import Iterator

from fleetform.policy.requirements import require
from fleetform.policy.rule import Facts, Fault, Severity, Undecided, rule
from fleetform.policy.view import Resource


@rule(
    "FF005",
    "The VPC resolves DNS names.",
    "aws_vpc",
    severity=Severity.HIGH,
    why="Without DNS support and host names nothing fails, and names of service discovery do not resolve.",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html",
    good='resource "aws_vpc" "this" {\n  enable_dns_hostnames = true\n}\n',
    bad='resource "aws_vpc" "this" {\n  enable_dns_support = false\n}\n',
)
def the_vpc_resolves_names(resource: Resource, _: Facts) -> Iterator[Fault | Undecided]:
    """DNS support is on by default, host names are off."""
    for name, default in (("enable_dns_support", True), ("enable_dns_hostnames", False)):
        fault = Fault("discovery names do not resolve", f"set {name} = true", (name,))
        yield from require(resource, (True,), fault, default=default)
