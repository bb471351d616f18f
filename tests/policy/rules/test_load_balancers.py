"""Rules for load balancers, beyond their examples."""

import pytest

from .answers import answers

STATE = 'data "terraform_remote_state" "foundation" {\n  backend = "s3"\n}\n'
CLEAR = ["requests from the internet are not encrypted"]


def balancer(*lines: str) -> str:
    """Return a load balancer."""
    return "\n".join(('resource "aws_lb" "this" {', *lines, "}\n"))


def listener(action: str, *, protocol: str = "HTTP", arn: str = "aws_lb.this.arn", name: str = "this") -> str:
    """Return a listener with one default action."""
    head = f'resource "aws_lb_listener" "{name}" {{\n  load_balancer_arn = {arn}\n  protocol = "{protocol}"\n'
    return f"{head}  default_action {{\n{action}\n  }}\n}}\n"


def rule(arn: str, kind: str = "forward") -> str:
    """Return a rule of a listener."""
    action = f'action {{\n    type = "{kind}"\n  }}'
    return f'resource "aws_lb_listener_rule" "this" {{\n  listener_arn = {arn}\n  {action}\n}}\n'


FORWARD, FIXED = 'type = "forward"', 'type = "fixed-response"'
ELSEWHERE = STATE + rule("data.terraform_remote_state.foundation.outputs.listener_arn")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (balancer() + listener(FORWARD), CLEAR),
        (balancer() + listener(FORWARD, protocol="HTTPS"), []),
        (balancer() + listener(FIXED), []),
        (balancer() + listener('type = "redirect"\nredirect {\n  protocol = "HTTPS"\n}'), []),
        (balancer() + listener('type = "redirect"\nredirect {\n  host = "example.com"\n}'), CLEAR),
        (balancer("internal = true") + listener(FORWARD), []),
        (balancer("internal = var.internal") + listener(FORWARD), ["? load_balancer_arn"]),
        (listener(FORWARD, arn="var.balancer"), ["? load_balancer_arn"]),
        (listener(FORWARD, arn='"arn:aws:elasticloadbalancing:::loadbalancer/app/other/1"'), []),
        (balancer() + listener(FIXED) + rule("aws_lb_listener.this.arn"), CLEAR),
        (balancer() + listener(FIXED) + rule("aws_lb_listener.this.arn", "fixed-response"), []),
        (balancer() + listener(FIXED) + ELSEWHERE, CLEAR),
        (balancer() + listener(FIXED) + listener(FIXED, protocol="HTTPS", name="https") + ELSEWHERE, []),
    ],
)
def test_requests_from_the_internet_are_encrypted(text: str, expected: list[str]) -> None:
    assert answers("FF027", text) == expected


OLD = "accepts TLS 1.0 or 1.1"


@pytest.mark.parametrize(
    ("protocol", "policy", "expected"),
    [
        ("HTTPS", '"ELBSecurityPolicy-TLS13-1-3-2021-06"', []),
        ("HTTPS", '"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"', []),
        ("HTTPS", '"ELBSecurityPolicy-TLS-1-2-Ext-2018-06"', []),
        ("HTTPS", '"ELBSecurityPolicy-FS-1-2-Res-2020-10"', []),
        ("HTTPS", '"ELBSecurityPolicy-TLS13-1-0-2021-06"', [f"ELBSecurityPolicy-TLS13-1-0-2021-06 {OLD}"]),
        (
            "TLS",
            '"ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04"',
            [f"ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04 {OLD}"],
        ),
        ("TLS", '"ELBSecurityPolicy-TLS-1-1-2017-01"', [f"ELBSecurityPolicy-TLS-1-1-2017-01 {OLD}"]),
        ("HTTPS", '"ELBSecurityPolicy-FS-2018-06"', [f"ELBSecurityPolicy-FS-2018-06 {OLD}"]),
        ("HTTPS", "null", [f"ELBSecurityPolicy-2016-08 {OLD}"]),
        ("HTTPS", "var.policy", ["? ssl_policy"]),
        ("HTTP", "null", []),
        ("TCP", "null", []),
    ],
)
def test_listeners_require_tls_1_2(protocol: str, policy: str, expected: list[str]) -> None:
    text = f'resource "aws_lb_listener" "this" {{\n  protocol = "{protocol}"\n  ssl_policy = {policy}\n}}\n'
    assert answers("FF028", text) == expected


@pytest.mark.parametrize("identifier", ["FF029", "FF031", "FF032"])
def test_network_load_balancers_are_ignored(identifier: str) -> None:
    text = balancer('load_balancer_type = "network"', 'desync_mitigation_mode = "monitor"')
    assert answers(identifier, text) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), ["access logs are off"]),
        (("internal = true",), []),
        (("internal = var.internal",), ["? internal"]),
        (("access_logs {\n  enabled = var.logs\n}",), ["? access_logs.0.enabled"]),
        (("internal = var.internal", "access_logs {\n  enabled = true\n}"), []),
    ],
)
def test_requests_from_the_internet_are_logged(lines: tuple[str, ...], expected: list[str]) -> None:
    assert answers("FF031", balancer(*lines)) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", []),
        ('protocol = "HTTP"\n', []),
        ('protocol = "HTTP"\nhealth_check {\n  path = "/healthz"\n}', []),
        ('protocol = "HTTP"\nhealth_check {\n  matcher = "200,301-302"\n}', []),
        ('protocol = "HTTP"\nhealth_check {\n  matcher = "401"\n}', []),
        ('protocol = "HTTP"\nhealth_check {\n  matcher = "200,404"\n}', ["200,404 accepts error responses"]),
        ('protocol = "HTTPS"\nhealth_check {\n  matcher = "200-599"\n}', ["200-599 accepts error responses"]),
        ('protocol = "HTTP"\nhealth_check {\n  matcher = var.codes\n}', ["? health_check.0.matcher"]),
        ('protocol = "HTTP"\nprotocol_version = "GRPC"\nhealth_check {\n  matcher = "0-99"\n}', []),
        ('protocol = "TCP"\nhealth_check {\n  protocol = "TCP"\n}', []),
    ],
)
def test_error_responses_are_unhealthy(lines: str, expected: list[str]) -> None:
    assert answers("FF033", f'resource "aws_lb_target_group" "this" {{\n{lines}\n}}\n') == expected
