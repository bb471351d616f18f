"""VPC, subnets, routes and endpoints."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fleetform.hcl.eval.resource_view import Resource, View
from fleetform.hcl.eval.values import Path, Unknown, Value
from fleetform.policy.helpers.networks import is_internet
from fleetform.policy.helpers.references import is_referenced
from fleetform.policy.helpers.statements import find_statements
from fleetform.policy.requirements import FALSE, TRUE, number, require
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, environment_rule, rule

if TYPE_CHECKING:
    from fleetform.catalog.models import Environment

_VPC = "https://docs.aws.amazon.com/vpc/latest/userguide"
_SECURITY_HUB = "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"

Answers = Iterator[Violation | Undecided]


@rule(
    "FF005",
    "The VPC resolves DNS names.",
    "aws_vpc",
    severity=Severity.HIGH,
    why="Without DNS support and host names, applies succeed, but service discovery names do not resolve.",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html",
    good='resource "aws_vpc" "this" {\n  enable_dns_hostnames = true\n}\n',
    bad='resource "aws_vpc" "this" {\n  enable_dns_support = false\n}\n',
)
def the_vpc_resolves_names(resource: Resource, _: Facts) -> Answers:
    """DNS support is on by default, host names are off."""
    for name, default in (("enable_dns_support", True), ("enable_dns_hostnames", False)):
        violation = Violation("service discovery names do not resolve", f"set {name} = true", (name,))
        yield from require(resource, TRUE, violation, default=default)


@environment_rule(
    "FF013",
    "The default security group of a VPC has no rules.",
    *("aws_vpc", "aws_default_security_group"),
    severity=Severity.MEDIUM,
    why="Anything started without a security group gets this one, whose members may reach each other.",
    link=f"{_SECURITY_HUB}#ec2-2",
    checkov=("CKV2_AWS_12",),
    good="""\
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}
""",
    bad="""\
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc" "other" {
  cidr_block = "10.1.0.0/16"
}

resource "aws_default_security_group" "other" {
  vpc_id = aws_vpc.other.id

  ingress {
    self      = true
    protocol  = "-1"
    from_port = 0
    to_port   = 0
  }
}
""",
)
def default_groups_are_closed(
    view: View, _: "Environment"
) -> Iterator[tuple[Resource, Violation | Undecided]]:
    """Terraform removes the default rules once it manages the group."""
    groups = view.of("aws_default_security_group")
    for vpc in view.of("aws_vpc"):
        remedy = "add an aws_default_security_group without rules"
        yield from _require_related(
            vpc, is_referenced(vpc, groups, "vpc_id"), "its default security group allows traffic", remedy
        )
    for group in groups:
        for direction in ("ingress", "egress"):
            rules = group.value(direction, default=[])
            if isinstance(rules, Unknown):
                yield group, Undecided((direction,))
            elif rules:
                yield group, Violation("the default security group has rules", "remove them", (direction,))


def _require_related(
    resource: Resource,
    exists: bool | None,  # noqa: FBT001 - three states
    message: str,
    remedy: str,
) -> Iterator[tuple[Resource, Violation | Undecided]]:
    if exists is None:
        yield resource, Undecided()
    elif not exists:
        yield resource, Violation(message, remedy)


@environment_rule(
    "FF014",
    "VPCs have flow logs.",
    *("aws_vpc", "aws_flow_log"),
    severity=Severity.MEDIUM,
    why="Without flow logs, there is no record of which hosts were connected.",
    link=f"{_VPC}/flow-logs.html",
    checkov=("CKV2_AWS_11",),
    good="""\
resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_flow_log" "this" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  log_destination = "arn:aws:s3:::shop-prod-flow-logs"
}
""",
    bad='resource "aws_vpc" "this" {\n  cidr_block = "10.0.0.0/16"\n}\n',
)
def traffic_is_recorded(view: View, _: "Environment") -> Iterator[tuple[Resource, Violation | Undecided]]:
    """A flow log of a subnet or an interface covers only a part."""
    logs = [log for log in view.of("aws_flow_log") if log.value("vpc_id") is not None]
    for vpc in view.of("aws_vpc"):
        remedy = "set `network.flow_logs: true`, or add an aws_flow_log"
        yield from _require_related(vpc, is_referenced(vpc, logs, "vpc_id"), "it has no flow log", remedy)


@rule(
    "FF015",
    "Network ACLs do not open SSH or RDP to the internet.",
    *("aws_network_acl", "aws_network_acl_rule", "aws_default_network_acl"),
    severity=Severity.MEDIUM,
    why="A network ACL is the second line of defense when a security group is too open.",
    link=f"{_SECURITY_HUB}#ec2-21",
    checkov=("CKV_AWS_231", "CKV_AWS_232"),
    good="""\
resource "aws_network_acl_rule" "https" {
  network_acl_id = "acl-1"
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "tcp"
  cidr_block     = "0.0.0.0/0"
  from_port      = 443
  to_port        = 443
}
""",
    bad="""\
resource "aws_network_acl_rule" "ssh" {
  network_acl_id = "acl-1"
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "tcp"
  cidr_block     = "0.0.0.0/0"
  from_port      = 22
  to_port        = 22
}
""",
)
def acls_are_closed_to_ssh_and_rdp(resource: Resource, _: Facts) -> Answers:
    """Check named ports: the default ACL allows everything, and responses need all ephemeral ports."""
    for at in _acl_rules(resource):
        ends = [number(resource.value(*at, key)) for key in ("from_port", "to_port")]
        first, last = (int(end) if isinstance(end, (int, float)) else -1 for end in ends)
        ports = [port for port in (_SSH, _RDP) if first <= port <= last and last - first < _NARROW]
        action = resource.value(*at, "rule_action", default=resource.value(*at, "action"))
        if not ports or action != "allow" or str(resource.value(*at, "protocol")).lower() not in _TCP:
            continue
        for key in ("cidr_block", "ipv6_cidr_block"):
            if is_internet(resource.value(*at, key)):
                yield Violation(
                    f"port {ports[0]} is open to the internet", "name the networks that need it", (*at, key)
                )


_SSH, _RDP = 22, 3389
_NARROW = 100
_TCP = frozenset({"tcp", "6"})


def _acl_rules(resource: Resource) -> Iterable[Path]:
    if resource.type == "aws_network_acl_rule":
        return [()] if resource.value("egress", default=False) is False else []
    rules = resource.value("ingress", default=[])
    return [("ingress", index) for index in range(len(rules))] if isinstance(rules, list) else []


@rule(
    "FF016",
    "Subnets do not assign public IP addresses by default.",
    "aws_subnet",
    severity=Severity.MEDIUM,
    why="Anything started there is on the internet, whether that was intended or not.",
    link=f"{_SECURITY_HUB}#ec2-15",
    checkov=("CKV_AWS_130",),
    good='resource "aws_subnet" "public" {\n  vpc_id = "vpc-1"\n}\n',
    bad='resource "aws_subnet" "public" {\n  vpc_id                  = "vpc-1"\n  map_public_ip_on_launch ='
    " true\n}\n",
)
def subnets_assign_no_public_addresses(resource: Resource, _: Facts) -> Answers:
    """Tasks that need a public IP address request it."""
    remedy = "remove map_public_ip_on_launch, and assign public IP addresses only where needed"
    violation = Violation("everything in it gets a public IP address", remedy, ("map_public_ip_on_launch",))
    yield from require(resource, FALSE, violation, default=False)


# The argument of each type that assigns public IP addresses.
_PUBLIC_TASKS: dict[str, Path] = {
    "aws_ecs_service": ("network_configuration", 0, "assign_public_ip"),
    "aws_scheduler_schedule": (
        *("target", 0, "ecs_parameters", 0),
        *("network_configuration", 0, "assign_public_ip"),
    ),
    "aws_cloudwatch_event_target": ("ecs_target", 0, "network_configuration", 0, "assign_public_ip"),
}


@rule(
    "FF017",
    "Tasks in private subnets have no public IP addresses.",
    *_PUBLIC_TASKS,
    severity=Severity.MEDIUM,
    why="A public IP address does not work there. In a public subnet, it would expose the task.",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-2",
    checkov=("CKV_AWS_333",),
    good="""\
resource "aws_ecs_service" "web" {
  network_configuration {
    subnets = ["subnet-1"]
  }
}
""",
    bad="""\
resource "aws_ecs_service" "web" {
  network_configuration {
    subnets          = ["subnet-1"]
    assign_public_ip = true
  }
}
""",
)
def private_tasks_have_no_public_addresses(resource: Resource, facts: Facts) -> Answers:
    """In public subnets, tasks need public IP addresses to pull their images."""
    if facts.private:
        violation = Violation(
            "its tasks get public IP addresses", "set assign_public_ip = false", _PUBLIC_TASKS[resource.type]
        )
        yield from require(resource, FALSE, violation, default=False)


@rule(
    "FF018",
    "Instances have no public IP addresses.",
    *("aws_instance", "aws_launch_template", "aws_eip", "aws_eip_association"),
    severity=Severity.MEDIUM,
    why="Only a security group separates them from the internet. Session Manager needs no public IP address.",
    link=f"{_SECURITY_HUB}#ec2-9",
    checkov=("CKV_AWS_88",),
    good='resource "aws_instance" "runner" {\n  associate_public_ip_address = false\n}\n',
    bad="""\
resource "aws_instance" "runner" {
  associate_public_ip_address = true
}

resource "aws_launch_template" "runner" {
  network_interfaces {
    associate_public_ip_address = "true"
  }
}

resource "aws_eip" "runner" {
  instance = aws_instance.runner.id
}
""",
)
def instances_have_no_public_addresses(resource: Resource, _: Facts) -> Answers:
    """Without the argument, the subnet decides: FF016."""
    if resource.type.startswith("aws_eip"):
        at: Path = ("instance",) if resource.type == "aws_eip" else ("instance_id",)
        if resource.value(*at, default="") != "":
            yield Violation("the instance has a public IP address", "reach it through Session Manager", at)
        return
    for at in _address_paths(resource):
        violation = Violation("it gets a public IP address", "set associate_public_ip_address = false", at)
        yield from require(resource, (*FALSE, ""), violation, default=False)


def _address_paths(resource: Resource) -> Iterable[Path]:
    if resource.type == "aws_instance":
        return [("associate_public_ip_address",)]
    interfaces = resource.value("network_interfaces", default=[])
    count = len(interfaces) if isinstance(interfaces, list) else 0
    return [("network_interfaces", index, "associate_public_ip_address") for index in range(count)]


@rule(
    "FF019",
    "The main route table of a VPC has no internet route.",
    *("aws_default_route_table", "aws_route"),
    severity=Severity.MEDIUM,
    why="Otherwise every subnet without its own route table is public.",
    link=f"{_VPC}/subnet-route-tables.html#main-route-table",
    good="""\
resource "aws_default_route_table" "this" {
  default_route_table_id = "rtb-1"
  route                  = []
}
""",
    bad="""\
resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_default_route_table" "this" {
  default_route_table_id = aws_vpc.this.default_route_table_id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
}

resource "aws_route" "internet" {
  route_table_id         = aws_vpc.this.main_route_table_id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}
""",
)
def main_route_tables_are_private(resource: Resource, _: Facts) -> Answers:
    """A separate route table for public subnets shows which ones are public."""
    if resource.type == "aws_route":
        table = resource.value("route_table_id")
        is_main = isinstance(table, Unknown) and table.reference.endswith(_MAIN_TABLES)
        routes: list[Path] = [()] if is_main else []
    else:
        inline_routes = resource.value("route", default=[])
        routes = (
            [("route", index) for index in range(len(inline_routes))]
            if isinstance(inline_routes, list)
            else []
        )
    for at in routes:
        if _is_internet_gateway(resource.value(*at, "gateway_id")):
            yield Violation(
                "the main route table has an internet route",
                "move it to an aws_route_table",
                (*at, "gateway_id"),
            )


_MAIN_TABLES = (".main_route_table_id", ".default_route_table_id")


def _is_internet_gateway(value: Value) -> bool:
    if isinstance(value, Unknown):
        return "aws_internet_gateway." in value.reference
    return isinstance(value, str) and value.startswith("igw-")


@rule(
    "FF020",
    "VPC endpoint policies restrict access.",
    *("aws_vpc_endpoint", "aws_vpc_endpoint_policy"),
    severity=Severity.LOW,
    why="The policy looks like a restriction, but allows everyone every action on any account's resources.",
    link="https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
    good="""\
resource "aws_vpc_endpoint_policy" "s3" {
  vpc_endpoint_id = "vpce-1"
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource =\
 "arn:aws:s3:::shop-prod/*" }]
  })
}
""",
    bad="""\
resource "aws_vpc_endpoint_policy" "s3" {
  vpc_endpoint_id = "vpce-1"
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Principal = "*", Action = "*", Resource = "*" }]
  })
}
""",
)
def endpoint_policies_restrict(resource: Resource, _: Facts) -> Answers:
    """A gateway's policy must name every principal: it restricts actions, resources or conditions."""
    if resource.value("policy", "Version") == _DEFAULT_POLICY:
        return
    for statement in find_statements(resource, "policy", documents=False):
        if isinstance(statement, Undecided):
            yield statement
        elif not statement.get("Condition") and all(
            "*" in statement.items(key) for key in ("Action", "Resource")
        ):
            yield Violation(
                "the policy allows everything", "restrict actions, resources or conditions", statement.path
            )


# The version of AWS's default policy for endpoints, as a plan shows it.
_DEFAULT_POLICY = "2008-10-17"
