"""Rules for security groups, beyond their examples."""

import pytest

from .answers import answers

ANYWHERE = 'cidr_ipv4 = "0.0.0.0/0"'


def ingress(*lines: str) -> str:
    """Return a separate rule; TCP unless a line overrides it."""
    protocol = () if any("ip_protocol" in line for line in lines) else ('ip_protocol = "tcp"',)
    return block('resource "aws_vpc_security_group_ingress_rule" "this"', *protocol, *lines)


def inline(*rules: tuple[str, ...]) -> str:
    """Return a group with inline rules."""
    return block(
        'resource "aws_security_group" "this"',
        *(block("ingress", 'protocol = "tcp"', *rule) for rule in rules),
    )


def block(head: str, *lines: str) -> str:
    """Return a block with a line for each argument."""
    return "\n".join((f"{head} {{", *lines, "}"))


def port(first: int, last: int | None = None) -> tuple[str, str]:
    """Return the arguments for some ports."""
    return f"from_port = {first}", f"to_port = {first if last is None else last}"


SSH = ["port 22 is open to the internet"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ingress(ANYWHERE, *port(443)), []),
        (ingress(ANYWHERE, *port(22)), SSH),
        (ingress('cidr_ipv6 = "::/0"', *port(22)), SSH),
        (ingress('cidr_ipv6 = "0:0:0:0:0:0:0:0/0"', *port(22)), SSH),
        (ingress('cidr_ipv4 = "128.0.0.0/1"', *port(22)), SSH),
        (ingress('cidr_ipv4 = "10.0.0.0/8"', *port(22)), []),
        (ingress('cidr_ipv6 = "fd00::/8"', *port(22)), []),
        (ingress(ANYWHERE, 'from_port = "443"', 'to_port = "443"'), []),
        (ingress(ANYWHERE, *port(443, 444)), ["ports 443 to 444 are open to the internet"]),
        (ingress(ANYWHERE, *port(0, 65535)), ["all ports are open to the internet"]),
        (ingress(ANYWHERE, 'ip_protocol = "-1"'), ["all ports are open to the internet"]),
        (ingress(ANYWHERE, "ip_protocol = 6", *port(22)), SSH),
        (ingress(ANYWHERE, 'ip_protocol = "icmp"', *port(-1)), []),
        (ingress("cidr_ipv4 = var.office", *port(22)), ["? cidr_ipv4"]),
        (ingress("cidr_ipv4 = var.office", *port(443)), []),
        (ingress(ANYWHERE, "from_port = var.port", "to_port = 22"), ["? from_port"]),
        (ingress('cidr_ipv4 = "10.0.0.0/8"', "from_port = var.port", "to_port = 22"), []),
        (ingress(ANYWHERE, "ip_protocol = var.protocol"), ["? ip_protocol"]),
        (ingress('prefix_list_id = "pl-1"', *port(22)), []),
    ],
)
def test_only_public_ports_are_open_to_the_internet(text: str, expected: list[str]) -> None:
    assert answers("FF001", text) == expected


def test_a_self_rule_does_not_hide_the_next_one() -> None:
    text = inline(
        ("self = true", *port(0, 65535)),
        ('cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]', *port(22)),
        ('ipv6_cidr_blocks = ["::/0"]', *port(3389)),
    )
    assert answers("FF001", text) == [*SSH, "port 3389 is open to the internet"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (block('resource "aws_security_group" "this"', "ingress = []"), []),
        (block('resource "aws_security_group" "this"', "ingress = var.rules"), ["? ingress"]),
        (inline(("cidr_blocks = var.office", *port(22))), ["? ingress.0.cidr_blocks"]),
        (inline(("cidr_blocks = [var.office]", *port(22))), ["? ingress.0.cidr_blocks.0"]),
        (
            block(
                'resource "aws_security_group_rule" "this"',
                'type = "ingress"',
                'protocol = "all"',
                'cidr_blocks = ["0.0.0.0/0"]',
                *port(0),
            ),
            ["all ports are open to the internet"],
        ),
        (
            block(
                'resource "aws_security_group_rule" "this"',
                'type = "egress"',
                'protocol = "tcp"',
                'cidr_blocks = ["0.0.0.0/0"]',
                *port(22),
            ),
            [],
        ),
        (block('resource "aws_security_group_rule" "this"', "type = var.type"), ["? type"]),
        (
            block(
                'resource "aws_default_security_group" "this"',
                block("ingress", 'protocol = "tcp"', 'cidr_blocks = ["0.0.0.0/0"]', *port(22)),
            ),
            SSH,
        ),
    ],
)
def test_every_form_of_a_rule_is_checked(text: str, expected: list[str]) -> None:
    assert answers("FF001", text) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("self = true", *port(0, 65535)), ["every port is open, regardless of `calls`"]),
        (("self = true", *port(1, 65535)), ["every port is open, regardless of `calls`"]),
        (("self = true", *port(8080)), []),
        (('cidr_blocks = ["0.0.0.0/0"]', *port(0, 65535)), []),
        (("self = true", "from_port = var.port", "to_port = 80"), ["? ingress.0.from_port"]),
    ],
)
def test_groups_are_opened_by_port(lines: tuple[str, ...], expected: list[str]) -> None:
    assert answers("FF006", inline(lines)) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (('protocol = "-1"', 'cidr_blocks = ["0.0.0.0/0"]', *port(0)), ["all outbound traffic is allowed"]),
        (('protocol = "-1"', 'ipv6_cidr_blocks = ["::/0"]', *port(0)), ["all outbound traffic is allowed"]),
        (('protocol = "-1"', 'security_groups = ["sg-1"]', *port(0)), []),
        (('protocol = "-1"', "cidr_blocks = [var.network]", *port(0)), ["? egress.0.cidr_blocks.0"]),
        (('protocol = "tcp"', 'cidr_blocks = ["0.0.0.0/0"]', *port(443)), []),
        (("protocol = var.protocol", 'security_groups = ["sg-1"]', *port(0)), []),
    ],
)
def test_egress_is_opened_by_port(lines: tuple[str, ...], expected: list[str]) -> None:
    text = block('resource "aws_security_group" "this"', block("egress", *lines))
    assert answers("FF007", text) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (('cidr_ipv4 = "203.0.113.7/32"', *port(22)), []),
        (('cidr_ipv4 = "203.0.113.0/24"', *port(22)), []),
        (('cidr_ipv4 = "100.64.0.0/10"', *port(22)), []),
        (('cidr_ipv4 = "203.0.112.0/23"', *port(22)), ["port 22 (SSH) is open to 203.0.112.0/23"]),
        (('cidr_ipv4 = "52.0.0.0/11"', *port(8080)), []),
        (('cidr_ipv4 = "52.0.0.0/11"', *port(27017)), ["port 27017 (MongoDB) is open to 52.0.0.0/11"]),
        (('cidr_ipv6 = "2001:db8::/48"', *port(22)), []),
        # FF001 says these.
        ((ANYWHERE, *port(22)), []),
        (("cidr_ipv4 = var.office", *port(22)), ["? cidr_ipv4"]),
        (("cidr_ipv4 = var.office", *port(8080)), []),
        (('cidr_ipv4 = "52.0.0.0/11"', "from_port = var.port", "to_port = 80"), ["? from_port"]),
        (('referenced_security_group_id = "sg-1"', *port(5432)), []),
        (('cidr_ipv4 = "no network"', *port(22)), []),
    ],
)
def test_administrative_ports_are_closed_to_large_networks(
    lines: tuple[str, ...], expected: list[str]
) -> None:
    assert answers("FF010", ingress(*lines)) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (port(20000, 30000), ["ports 20000 to 30000 are open, including MongoDB"]),
        (port(32768, 65535), []),
        (port(5432, 5433), []),
        (port(0, 65535), []),
        (("from_port = var.port", "to_port = 80"), ["? from_port"]),
    ],
)
def test_ranges_hold_no_administrative_ports(lines: tuple[str, ...], expected: list[str]) -> None:
    assert answers("FF011", ingress('referenced_security_group_id = "sg-1"', *lines)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ingress('description = ""'), ["it has no description"]),
        (ingress("description = var.why"), ["? description"]),
        (ingress('description = "${var.who} calls"'), []),
        (
            block('resource "aws_security_group" "this"', 'description = "Managed by Terraform"'),
            ["it has no description"],
        ),
        (
            block('resource "aws_security_group" "this"', 'description = "Web"', "egress = var.rules"),
            ["? egress"],
        ),
        (block('resource "aws_security_group_rule" "this"', 'type = "egress"'), ["it has no description"]),
    ],
)
def test_groups_and_rules_have_descriptions(text: str, expected: list[str]) -> None:
    assert answers("FF012", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (block('resource "aws_ec2_managed_prefix_list" "this"'), []),
        (block('resource "aws_ec2_managed_prefix_list" "this"', "entry = var.entries"), ["? entry"]),
        (
            block('resource "aws_ec2_managed_prefix_list" "this"', block("entry", "cidr = var.cidr")),
            ["? entry.0.cidr"],
        ),
        (
            block('resource "aws_ec2_managed_prefix_list_entry" "this"', 'cidr = "::/0"'),
            ["the list contains ::/0"],
        ),
        (block('resource "aws_ec2_managed_prefix_list_entry" "this"', 'cidr = "10.0.0.0/8"'), []),
    ],
)
def test_prefix_lists_are_not_the_internet(text: str, expected: list[str]) -> None:
    assert answers("FF021", text) == expected
