"""Each rule on one resource: what it refuses, in which words, what it lets pass, and that the unknown passes."""

from collections.abc import Mapping
from pathlib import PurePath

import pytest

from fleetform.policy.rules import RULES, Context
from fleetform.policy.view import UNKNOWN, Known, Resource

CONTEXT = Context(frozenset({80}))
SHELL = {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": 22, "to_port": 22}
POLICY = {"Statement": [{"Effect": "Allow", "Action": ["s3:*", "ecr:GetAuthorizationToken"], "Resource": "*"}]}

OPEN = "open to the internet; set `public: true` on its service or name who calls it in `calls`"
MUTABLE = 'tags can be pushed over; set image_tag_mutability = "IMMUTABLE"'
FOR_EVER = "logs are kept for ever; set retention_in_days"
OTHER_RULES = "its rules undo those of other resources; use aws_vpc_security_group_ingress_rule and _egress_rule"
EVERY_PORT = "every port is open, whatever `calls` says; use `security: edges`"


def verdict(rule: str, values: Mapping[str, Known]) -> str | None:
    """What a rule says of a resource with these arguments, in a catalog whose one public port is 80."""
    kind = str(values.get("type", "thing"))
    return RULES[rule].check(Resource("thing.this", kind, values, PurePath("main.tf"), 1), CONTEXT)


@pytest.mark.parametrize(
    ("rule", "values", "message"),
    [
        ("FF001", SHELL, f"port 22 is {OPEN}"),
        ("FF001", {"cidr_ipv6": "::/0", "ip_protocol": "tcp", "from_port": 22, "to_port": 22}, f"port 22 is {OPEN}"),
        ("FF001", {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"}, f"all ports are {OPEN}"),
        ("FF001", {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": -1}, f"all ports are {OPEN}"),
        ("FF001", {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1", "from_port": UNKNOWN}, f"all ports are {OPEN}"),
        ("FF001", {**SHELL, "from_port": 80, "to_port": 90}, f"ports 80 to 90 are {OPEN}"),
        ("FF002", {}, MUTABLE),
        ("FF002", {"image_tag_mutability": "MUTABLE"}, MUTABLE),
        ("FF002", {"image_tag_mutability": ["IMMUTABLE"]}, MUTABLE),
        ("FF003", {}, FOR_EVER),
        ("FF003", {"retention_in_days": None}, FOR_EVER),
        ("FF003", {"retention_in_days": 0}, FOR_EVER),
        ("FF004", {"policy": POLICY}, "allows s3:*; name the actions that are needed"),
        (
            "FF004",
            {"statement": [{"actions": ["*"]}, {"effect": "Allow", "actions": ["sqs:*", "s3:Get*"]}]},
            "allows *, sqs:*; name the actions that are needed",
        ),
        ("FF004", {"policy": {"Statement": {"Action": "*"}}}, "allows *; name the actions that are needed"),
        ("FF005", {}, "discovery names do not resolve; set enable_dns_hostnames = true"),
        (
            "FF005",
            {"enable_dns_hostnames": False, "enable_dns_support": False},
            "discovery names do not resolve; set enable_dns_support = true and enable_dns_hostnames = true",
        ),
        ("FF008", {"ingress": [{"from_port": 22}]}, OTHER_RULES),
        ("FF008", {"egress": []}, OTHER_RULES),
        ("FF008", {"dynamic": [{"ingress": {}}]}, OTHER_RULES),
        ("FF008", {"type": "aws_security_group_rule"}, OTHER_RULES),
        ("FF006", {"referenced_security_group_id": UNKNOWN, "ip_protocol": "-1"}, EVERY_PORT),
        ("FF006", {"cidr_ipv4": "10.0.0.0/8", "ip_protocol": -1}, EVERY_PORT),
        (
            "FF007",
            {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"},
            "everything may leave; use `security: edges`",
        ),
    ],
)
def test_what_breaks_a_rule_is_told_what_is_wrong_and_how_to_mend_it(
    rule: str, values: Mapping[str, Known], message: str
) -> None:
    assert verdict(rule, values) == message


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("FF001", {**SHELL, "from_port": 80, "to_port": 80}),
        ("FF001", {**SHELL, "cidr_ipv4": "10.0.0.0/8"}),
        ("FF001", {**SHELL, "cidr_ipv4": ["0.0.0.0/0"]}),
        ("FF001", {"referenced_security_group_id": "sg-1", "ip_protocol": "tcp", "from_port": 22, "to_port": 22}),
        ("FF002", {"image_tag_mutability": "IMMUTABLE"}),
        ("FF003", {"retention_in_days": 30}),
        ("FF004", {"policy": {"Statement": [{"Effect": "Deny", "Action": "*"}]}}),
        ("FF004", {"statement": [{"effect": "Deny", "actions": ["*"]}]}),
        ("FF004", {"statement": [{"actions": ["logs:PutLogEvents"], "resources": ["*"]}]}),
        ("FF005", {"enable_dns_hostnames": True}),
        ("FF006", {"cidr_ipv4": "10.0.0.0/8", "ip_protocol": "tcp", "from_port": 22, "to_port": 22}),
        ("FF006", {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"}),
        ("FF007", {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": 443, "to_port": 443}),
        ("FF007", {"referenced_security_group_id": "sg-1", "ip_protocol": "-1"}),
        ("FF008", {"name": "app", "description": "of its own"}),
    ],
)
def test_what_keeps_a_rule_passes(rule: str, values: Mapping[str, Known]) -> None:
    assert verdict(rule, values) is None


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("FF001", {**SHELL, "cidr_ipv4": UNKNOWN}),
        ("FF001", {**SHELL, "from_port": UNKNOWN, "to_port": UNKNOWN}),
        ("FF001", {**SHELL, "from_port": 80, "to_port": UNKNOWN}),
        ("FF002", {"image_tag_mutability": UNKNOWN}),
        ("FF003", {"retention_in_days": UNKNOWN}),
        ("FF004", {"policy": UNKNOWN}),
        ("FF004", {"statement": [{"effect": "Allow", "actions": [UNKNOWN]}]}),
        ("FF005", {"enable_dns_hostnames": UNKNOWN, "enable_dns_support": UNKNOWN}),
        ("FF006", {"ip_protocol": UNKNOWN}),
        ("FF007", {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": UNKNOWN}),
        ("FF007", {"cidr_ipv4": UNKNOWN, "ip_protocol": "-1"}),
    ],
)
def test_the_unknown_never_breaks_a_rule(rule: str, values: Mapping[str, Known]) -> None:
    assert verdict(rule, values) is None


def test_every_rule_has_a_number_a_title_and_a_reason() -> None:
    told = [(rule.id, rule.title.endswith("."), bool(rule.check.__doc__), bool(rule.types)) for rule in RULES.values()]
    assert told == [(f"FF{number:03}", True, True, True) for number in range(1, len(RULES) + 1)]
