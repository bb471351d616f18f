"""Security groups: who may open a connection to whom."""

from collections.abc import Iterator

from fleetform.policy.rule import Facts, Fault, Severity, Undecided, rule
from fleetform.policy.values import Unknown
from fleetform.policy.view import Resource

_RULES = "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"
_ANYWHERE = ("0.0.0.0/0", "::/0")
_ALL_PROTOCOLS = ("-1", -1)


def _open_to_anywhere(resource: Resource) -> bool:
    return any(resource.value(key) in _ANYWHERE for key in ("cidr_ipv4", "cidr_ipv6"))


def _for_all_protocols(resource: Resource) -> bool:
    return resource.value("ip_protocol") in _ALL_PROTOCOLS


@rule(
    "FF001",
    "Only public ports are open to the internet.",
    "aws_vpc_security_group_ingress_rule",
    severity=Severity.HIGH,
    why="A port that is open to any address is scanned within minutes.",
    link=_RULES,
    checkov=("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260", "CKV_AWS_277"),
    good="""\
resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id = "sg-1"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
""",
    bad="""\
resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = "sg-1"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}
""",
)
def only_public_ports_face_the_internet(resource: Resource, facts: Facts) -> Iterator[Fault | Undecided]:
    """Public are the ports of public services, or those of the load balancer in front of them."""
    anywhere = [key for key in ("cidr_ipv4", "cidr_ipv6") if resource.value(key) in _ANYWHERE]
    if not anywhere:
        yield from (Undecided((key,)) for key in ("cidr_ipv4", "cidr_ipv6") if isinstance(resource.value(key), Unknown))
        return
    first, last = resource.value("from_port"), resource.value("to_port")
    remedy = "set `public: true` on its service or name who calls it in `calls`"
    if _for_all_protocols(resource):
        yield Fault("all ports are open to the internet", remedy, (anywhere[0],))
    elif isinstance(first, Unknown) or isinstance(last, Unknown):
        yield Undecided(("from_port",) if isinstance(first, Unknown) else ("to_port",))
    elif first != last or first not in facts.public_ports:
        what = f"port {first} is" if first == last else f"ports {first} to {last} are"
        yield Fault(f"{what} open to the internet", remedy, (anywhere[0],))


@rule(
    "FF006",
    "Security groups are opened by port.",
    "aws_vpc_security_group_ingress_rule",
    severity=Severity.MEDIUM,
    why="A group open to another on every port lets services call what they did not declare.",
    link=_RULES,
    good="""\
resource "aws_vpc_security_group_ingress_rule" "orders" {
  security_group_id            = "sg-1"
  referenced_security_group_id = "sg-2"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}
""",
    bad="""\
resource "aws_vpc_security_group_ingress_rule" "orders" {
  security_group_id            = "sg-1"
  referenced_security_group_id = "sg-2"
  ip_protocol                  = "-1"
}
""",
)
def groups_are_opened_by_port(resource: Resource, _: Facts) -> Iterator[Fault | Undecided]:
    """What is open to anywhere is FF001's."""
    if _open_to_anywhere(resource):
        return
    if isinstance(resource.value("ip_protocol"), Unknown):
        yield Undecided(("ip_protocol",))
    elif _for_all_protocols(resource):
        yield Fault("every port is open, whatever `calls` says", "use `security: edges`", ("ip_protocol",))


@rule(
    "FF007",
    "Egress is opened by port.",
    "aws_vpc_security_group_egress_rule",
    severity=Severity.MEDIUM,
    why="Whatever runs in a task can send anything anywhere.",
    link=_RULES,
    checkov=("CKV_AWS_382",),
    good="""\
resource "aws_vpc_security_group_egress_rule" "web" {
  security_group_id = "sg-1"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
""",
    bad="""\
resource "aws_vpc_security_group_egress_rule" "web" {
  security_group_id = "sg-1"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}
""",
)
def egress_is_opened_by_port(resource: Resource, _: Facts) -> Iterator[Fault | Undecided]:
    """To other groups, FF006 says it of the group that is called."""
    if isinstance(resource.value("ip_protocol"), Unknown):
        yield Undecided(("ip_protocol",))
    elif _for_all_protocols(resource) and _open_to_anywhere(resource):
        yield Fault("everything may leave", "use `security: edges`", ("ip_protocol",))


@rule(
    "FF008",
    "Security group rules are resources of their own.",
    *("aws_security_group", "aws_default_security_group", "aws_security_group_rule"),
    severity=Severity.MEDIUM,
    why="Inline rules and aws_security_group_rule undo what other resources say.",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html",
    good='resource "aws_security_group" "web" {\n  vpc_id = "vpc-1"\n}\n',
    bad="""\
resource "aws_security_group" "web" {
  vpc_id = "vpc-1"

  ingress {
    self      = true
    protocol  = "-1"
    from_port = 0
    to_port   = 0
  }
}
""",
)
def rules_are_resources_of_their_own(resource: Resource, _: Facts) -> Iterator[Fault | Undecided]:
    """A plan shows what AWS has as inline rules, too: the text alone tells who wrote them."""
    remedy = "use aws_vpc_security_group_ingress_rule and _egress_rule"
    if resource.type == "aws_security_group_rule":
        yield Fault("its rules undo those of other resources", remedy)
    elif inline := sorted(resource.values.keys() & {"ingress", "egress"}):
        yield Fault("its rules undo those of other resources", remedy, (inline[0],))
