"""Security groups: the open connections."""

from collections.abc import Callable, Iterator

from fleetform.hcl.eval.resource_view import Resource
from fleetform.hcl.eval.values import Path, Unknown
from fleetform.policy.helpers.networks import is_internet, is_large_public
from fleetform.policy.helpers.openings import EGRESS, INGRESS, Opening, describe_ports, find_openings
from fleetform.policy.rule import Facts, Severity, Undecided, Violation, rule

_RULES = "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"
_DEFAULT = "aws_default_security_group"
# None, or the provider's default.
_NO_DESCRIPTION = (None, "", "Managed by Terraform")
_WIDE_RANGE = 100
"""The number of ports from which on a range is hardly deliberate."""
ADMINISTRATIVE = {
    22: "SSH",
    23: "Telnet",
    445: "SMB",
    1433: "SQL Server",
    1521: "Oracle",
    2375: "Docker",
    2379: "etcd",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5439: "Redshift",
    5900: "VNC",
    5985: "WinRM",
    6379: "Redis",
    9042: "Cassandra",
    9200: "OpenSearch",
    10250: "kubelet",
    11211: "Memcached",
    27017: "MongoDB",
}
"""Ports that give control of a machine or of data."""

Answers = Iterator[Violation | Undecided]


def _each(resource: Resource, check: Callable[[Opening], Answers]) -> Answers:
    """Apply a check to all ingress rules of a resource."""
    for opening in find_openings(resource):
        if isinstance(opening, Undecided):
            yield opening
        else:
            yield from check(opening)


def _anywhere(opening: Opening) -> list[Path]:
    return [at for at, network in opening.networks if is_internet(network)]


def _remedy(resource: Resource, in_catalog: str, in_code: str) -> str:
    """Return the remedy: in the catalog for rendered rules, or in a hand-written rule."""
    return in_catalog if resource.address.startswith("module.security.") else in_code


def _are_public(ports: range, facts: Facts) -> bool:
    return len(ports) <= len(facts.public_ports) and facts.public_ports.issuperset(ports)


@rule(
    "FF001",
    "Only public ports are open to the internet.",
    *INGRESS,
    _DEFAULT,
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
def only_public_ports_face_the_internet(resource: Resource, facts: Facts) -> Answers:
    """Public are the ports of public services, or those of the load balancer in front of them."""

    def check(opening: Opening) -> Answers:
        ports, anywhere = opening.ports, _anywhere(opening)
        if ports is None or (isinstance(ports, range) and _are_public(ports, facts)):
            return
        if not anywhere:
            yield from (Undecided(at) for at, network in opening.networks if isinstance(network, Unknown))
        elif isinstance(ports, Undecided):
            yield ports
        else:
            what = (
                "all ports are"
                if opening.is_all_ports
                else f"{describe_ports(ports)} {'is' if len(ports) == 1 else 'are'}"
            )
            in_catalog = "set `public: true` on its service, or declare its callers in `calls`"
            remedy = _remedy(resource, in_catalog, "name the networks that need it")
            yield Violation(f"{what} open to the internet", remedy, anywhere[0])

    return _each(resource, check)


@rule(
    "FF006",
    "Security groups open specific ports.",
    *INGRESS,
    severity=Severity.MEDIUM,
    why="With every port open between two groups, services can make calls that they do not declare.",
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
def groups_are_opened_by_port(resource: Resource, _: Facts) -> Answers:
    """Leave rules that are open to the internet to FF001."""

    def check(opening: Opening) -> Answers:
        if _anywhere(opening):
            return
        if isinstance(opening.ports, Undecided):
            yield opening.ports
        elif opening.is_all_ports:
            remedy = _remedy(resource, "use `security: edges`", "open only the ports that are called")
            yield Violation("every port is open, regardless of `calls`", remedy, opening.protocol[0])

    return _each(resource, check)


@rule(
    "FF007",
    "Egress rules open specific ports.",
    *EGRESS,
    severity=Severity.MEDIUM,
    why="Otherwise code in a task can send anything anywhere.",
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
def egress_is_opened_by_port(resource: Resource, _: Facts) -> Answers:
    """Leave egress to other groups to FF006, which checks the called group."""
    for opening in find_openings(resource, "egress"):
        if isinstance(opening, Undecided):
            yield opening
            continue
        ports, anywhere = opening.ports, _anywhere(opening)
        unknown = [at for at, network in opening.networks if isinstance(network, Unknown)]
        if isinstance(ports, Undecided) and (anywhere or unknown):
            yield ports
        elif opening.is_all_ports and anywhere:
            remedy = _remedy(resource, "use `security: edges`", "open only the ports that it calls")
            yield Violation("all outbound traffic is allowed", remedy, opening.protocol[0])
        elif opening.is_all_ports:
            yield from map(Undecided, unknown)


@rule(
    "FF008",
    "Security group rules are separate resources.",
    *("aws_security_group", "aws_security_group_rule"),
    severity=Severity.MEDIUM,
    why="Inline rules and aws_security_group_rule conflict with rules in other resources.",
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
def rules_are_separate_resources(resource: Resource, _: Facts) -> Answers:
    """The provider's documentation advises against both other kinds."""
    remedy = "use aws_vpc_security_group_ingress_rule and aws_vpc_security_group_egress_rule"
    if resource.type == "aws_security_group_rule":
        yield Violation(
            "rules of this type have no unique ID, and conflict with those of other types", remedy
        )
    elif inline := sorted(resource.values.keys() & {"ingress", "egress"}):
        yield Violation("inline rules conflict with those of other resources", remedy, (inline[0],))


@rule(
    "FF010",
    "Administrative and database ports are closed to large networks.",
    *INGRESS,
    severity=Severity.HIGH,
    why="One leaked password or one bug behind these ports exposes a whole machine or all its data.",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-19",
    good="""\
resource "aws_vpc_security_group_ingress_rule" "bastion" {
  security_group_id = "sg-1"
  cidr_ipv4         = "203.0.113.0/28"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}
""",
    bad="""\
resource "aws_security_group" "database" {
  description = "The database"
  vpc_id      = "vpc-1"

  ingress {
    description = "Members of the application"
    self        = true
    protocol    = "tcp"
    from_port   = 5432
    to_port     = 5432
  }

  ingress {
    description      = "The office"
    cidr_blocks      = ["10.0.0.0/8", "52.0.0.0/11"]
    ipv6_cidr_blocks = ["2a01::/16"]
    protocol         = "tcp"
    from_port        = 5432
    to_port          = 5439
  }
}
""",
)
def administrative_ports_are_closed_to_large_networks(resource: Resource, facts: Facts) -> Answers:
    """Do not trust networks larger than a site; FF001 reports ports that are open to the internet."""

    def check(opening: Opening) -> Answers:
        ports = opening.ports
        large_networks = [
            at for at, network in opening.networks if is_large_public(network) and not is_internet(network)
        ]
        if isinstance(ports, Undecided):
            yield from [ports] if large_networks else []
            return
        open_ports = [f"{port} ({name})" for port, name in ADMINISTRATIVE.items() if ports and port in ports]
        if not ports or not open_ports:
            return
        if _are_public(ports, facts):
            large_networks += _anywhere(opening)
        yield from (Undecided(at) for at, network in opening.networks if isinstance(network, Unknown))
        for at in large_networks:
            what = f"{_ports_in_words(open_ports)} open to {resource.value(*at)}"
            yield Violation(what, "name the addresses that need it", at)

    return _each(resource, check)


def _ports_in_words(ports: list[str]) -> str:
    return f"port {ports[0]} is" if len(ports) == 1 else f"ports {', '.join(ports)} are"


@rule(
    "FF011",
    "Port ranges contain no administrative or database ports.",
    *INGRESS,
    severity=Severity.MEDIUM,
    why="A wide range opens databases and shells along with the intended ports.",
    link=_RULES,
    good="""\
resource "aws_vpc_security_group_ingress_rule" "hosts" {
  security_group_id            = "sg-1"
  referenced_security_group_id = "sg-2"
  ip_protocol                  = "tcp"
  from_port                    = 32768
  to_port                      = 65535
}
""",
    bad="""\
resource "aws_vpc_security_group_ingress_rule" "hosts" {
  security_group_id            = "sg-1"
  referenced_security_group_id = "sg-2"
  ip_protocol                  = "tcp"
  from_port                    = 1024
  to_port                      = 65535
}
""",
)
def ranges_hold_no_administrative_ports(resource: Resource, _: Facts) -> Answers:
    """FF006 checks all ports, FF001 the internet; ephemeral ports of ECS on EC2 are above all these ports."""

    def check(opening: Opening) -> Answers:
        ports = opening.ports
        if _anywhere(opening) or opening.is_all_ports or ports is None:
            return
        if isinstance(ports, Undecided):
            yield ports
        elif len(ports) >= _WIDE_RANGE and (
            names := [name for port, name in ADMINISTRATIVE.items() if port in ports]
        ):
            what = f"{describe_ports(ports)} are open, including {', '.join(names[:3])}"
            yield Violation(
                what, "open only the ports that are called, one per rule", (*opening.at, "from_port")
            )

    return _each(resource, check)


@rule(
    "FF012",
    "Security groups and their rules have descriptions.",
    *dict.fromkeys((*INGRESS, *EGRESS)),
    severity=Severity.LOW,
    why="A rule whose purpose is unknown is never removed.",
    link=_RULES,
    checkov=("CKV_AWS_23",),
    good="""\
resource "aws_security_group" "web" {
  description = "Tasks of web"
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  description                  = "load balancer to web"
  security_group_id            = aws_security_group.web.id
  referenced_security_group_id = "sg-2"
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}
""",
    bad="""\
resource "aws_security_group" "web" {
  vpc_id = "vpc-1"

  ingress {
    security_groups = ["sg-2"]
    protocol        = "tcp"
    from_port       = 80
    to_port         = 80
  }
}

resource "aws_vpc_security_group_egress_rule" "web" {
  security_group_id            = aws_security_group.web.id
  referenced_security_group_id = "sg-2"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
}
""",
)
def groups_and_rules_have_descriptions(resource: Resource, _: Facts) -> Answers:
    """A group's description can never be changed, a rule's can."""
    if resource.type == "aws_security_group":
        yield from _described(resource, ())
    for direction in ("ingress", "egress"):
        for opening in find_openings(resource, direction):
            if isinstance(opening, Undecided):
                yield opening
            else:
                yield from _described(resource, opening.at)


def _described(resource: Resource, at: Path) -> Answers:
    description = resource.value(*at, "description")
    if isinstance(description, Unknown) and not description.present:
        yield Undecided((*at, "description"))
    elif description in _NO_DESCRIPTION:
        yield Violation("it has no description", "set description", (*at, "description"))


@rule(
    "FF021",
    "Prefix lists do not contain the whole internet.",
    *("aws_ec2_managed_prefix_list", "aws_ec2_managed_prefix_list_entry"),
    severity=Severity.HIGH,
    why="A rule with such a list is open to the internet, but does not look like it.",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html",
    good="""\
resource "aws_ec2_managed_prefix_list" "offices" {
  name           = "offices"
  address_family = "IPv4"
  max_entries    = 5

  entry {
    cidr = "203.0.113.0/28"
  }
}
""",
    bad="""\
resource "aws_ec2_managed_prefix_list" "offices" {
  name           = "offices"
  address_family = "IPv4"
  max_entries    = 5

  entry {
    cidr = "203.0.113.0/28"
  }

  entry {
    cidr = "0.0.0.0/0"
  }
}
""",
)
def prefix_lists_are_not_the_internet(resource: Resource, _: Facts) -> Answers:
    """Check the blocks of a list, and separate entries."""
    entries = resource.value("entry", default=[])
    if isinstance(entries, Unknown):
        yield Undecided(("entry",))
    inline_entries = (
        [("entry", index, "cidr") for index in range(len(entries))] if isinstance(entries, list) else []
    )
    for at in [("cidr",), *inline_entries]:
        cidr = resource.value(*at)
        if isinstance(cidr, Unknown):
            yield Undecided(at)
        elif is_internet(cidr):
            yield Violation(f"the list contains {cidr}", "use it directly in the rule that needs it", at)
