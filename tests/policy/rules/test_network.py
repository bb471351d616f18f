"""Rules for the network, beyond their examples."""

import pytest

from .answers import answers

VPC = 'resource "aws_vpc" "this" {\n  cidr_block = "10.0.0.0/16"\n}\n'
LOOPED = 'resource "aws_vpc" "this" {\n  count      = 1\n  cidr_block = "10.0.0.0/16"\n}\n'
ACL = (
    'resource "aws_network_acl_rule" "this" {{\n  rule_action = "{}"\n  protocol = "{}"\n  cidr_block ='
    ' "{}"\n{}\n}}\n'
)


def log(vpc: str) -> str:
    """Return a flow log."""
    return f'resource "aws_flow_log" "this" {{\n  {vpc}\n}}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (VPC + log("vpc_id = aws_vpc.this.id"), []),
        (LOOPED + log("vpc_id = aws_vpc.this[0].id"), []),
        (VPC + log('vpc_id = "vpc-1"'), ["it has no flow log"]),
        (VPC + log("vpc_id = aws_vpc.other.id"), ["? "]),
        (VPC + log("subnet_id = aws_subnet.one.id"), ["it has no flow log"]),
        (VPC + log("vpc_id = var.vpc_id"), ["? "]),
        (VPC + 'data "aws_vpc" "other" {}\n' + log("vpc_id = data.aws_vpc.other.id"), ["? "]),
        (VPC + VPC.replace('"this"', '"other"') + log("vpc_id = aws_vpc.other.id"), ["it has no flow log"]),
    ],
)
def test_a_flow_log_must_cover_the_vpc(text: str, expected: list[str]) -> None:
    assert answers("FF014", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('resource "aws_default_security_group" "this" {\n  vpc_id = "vpc-1"\n}\n', []),
        ('resource "aws_default_security_group" "this" {\n  ingress = []\n}\n', []),
        ('resource "aws_default_security_group" "this" {\n  egress = var.rules\n}\n', ["? egress"]),
    ],
)
def test_default_groups_have_no_rules(text: str, expected: list[str]) -> None:
    assert answers("FF013", text) == expected


def ports(first: int, last: int) -> str:
    """Return both port arguments."""
    return f"  from_port = {first}\n  to_port = {last}"


INLINE_ACL = f"""\
resource "aws_network_acl" "this" {{
  ingress {{
    action          = "allow"
    protocol        = "tcp"
    ipv6_cidr_block = "::/0"
{ports(22, 22)}
  }}
}}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ACL.format("deny", "tcp", "0.0.0.0/0", ports(22, 22)), []),
        (ACL.format("allow", "tcp", "10.0.0.0/8", ports(22, 22)), []),
        (ACL.format("allow", "tcp", "0.0.0.0/0", ports(1024, 65535)), []),
        (ACL.format("allow", "-1", "0.0.0.0/0", ports(0, 0)), []),
        (ACL.format("allow", "6", "0.0.0.0/0", ports(3380, 3390)), ["port 3389 is open to the internet"]),
        (ACL.format("allow", "tcp", "0.0.0.0/0", ports(22, 22) + "\n  egress = true"), []),
        (INLINE_ACL, ["port 22 is open to the internet"]),
    ],
)
def test_acls_do_not_open_ssh_and_rdp(text: str, expected: list[str]) -> None:
    assert answers("FF015", text) == expected


def nested(*heads: str) -> str:
    """Return nested blocks, the innermost with an argument."""
    *outer, argument = heads
    return "".join(f"{head} {{\n" for head in outer) + argument + "\n}" * len(outer) + "\n"


PUBLIC = ["its tasks get public IP addresses"]
NETWORK = ("network_configuration", "assign_public_ip = true")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (nested('resource "aws_ecs_service" "this"', 'launch_type = "EC2"'), []),
        (
            nested(
                'resource "aws_ecs_service" "this"', "network_configuration", "assign_public_ip = var.public"
            ),
            ["? network_configuration.0.assign_public_ip"],
        ),
        (nested('resource "aws_scheduler_schedule" "this"', "target", "ecs_parameters", *NETWORK), PUBLIC),
        (nested('resource "aws_cloudwatch_event_target" "this"', "ecs_target", *NETWORK), PUBLIC),
    ],
)
def test_tasks_of_all_kinds_stay_private(text: str, expected: list[str]) -> None:
    assert answers("FF017", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (nested('resource "aws_eip" "nat"', 'domain = "vpc"'), []),
        (
            nested('resource "aws_eip_association" "this"', "instance_id = var.instance"),
            ["the instance has a public IP address"],
        ),
        (nested('resource "aws_eip_association" "this"', 'network_interface_id = "eni-1"'), []),
        (
            nested('resource "aws_instance" "this"', "associate_public_ip_address = var.public"),
            ["? associate_public_ip_address"],
        ),
        (nested('resource "aws_instance" "this"', 'ami = "ami-1"'), []),
        (nested('resource "aws_launch_template" "this"', 'name = "runner"'), []),
    ],
)
def test_instances_stay_private(text: str, expected: list[str]) -> None:
    assert answers("FF018", text) == expected


@pytest.mark.parametrize(
    ("table", "gateway", "expected"),
    [
        ("aws_route_table.public.id", '"igw-1"', []),
        ("aws_vpc.this.main_route_table_id", '"igw-1"', ["the main route table has an internet route"]),
        ("aws_vpc.this.main_route_table_id", '"vgw-1"', []),
    ],
)
def test_public_subnets_have_their_own_route_table(table: str, gateway: str, expected: list[str]) -> None:
    text = f'{VPC}resource "aws_route" "this" {{\n  route_table_id = {table}\n  gateway_id = {gateway}\n}}\n'
    assert answers("FF019", text) == expected


ALL = 'Effect = "Allow", Principal = "*", Action = "*"'


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (f'{{ Statement = [{{ {ALL}, Resource = ["*"] }}] }}', ["the policy allows everything"]),
        (f'{{ Statement = {{ {ALL}, Resource = "*" }} }}', ["the policy allows everything"]),
        (f'{{ Statement = [{{ {ALL}, Resource = "arn:aws:s3:::shop/*" }}] }}', []),
        (f'{{ Statement = [{{ {ALL}, Resource = "*", Condition = {{ Bool = {{}} }} }}] }}', []),
        (f'{{ Version = "2008-10-17", Statement = [{{ {ALL}, Resource = "*" }}] }}', []),
    ],
)
def test_endpoint_policies_restrict_something(policy: str, expected: list[str]) -> None:
    assert (
        answers("FF020", f'resource "aws_vpc_endpoint" "s3" {{\n  policy = jsonencode({policy})\n}}\n')
        == expected
    )


def test_an_unknown_endpoint_policy_is_undecided() -> None:
    assert answers("FF020", 'resource "aws_vpc_endpoint" "s3" {\n  policy = var.policy\n}\n') == ["? policy"]


def test_an_endpoint_without_a_policy_passes() -> None:
    assert answers("FF020", 'resource "aws_vpc_endpoint" "s3" {\n  vpc_id = "vpc-1"\n}\n') == []
