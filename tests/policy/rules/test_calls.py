"""Rules for the call graph, beyond their examples: only `web` calls `orders`, on port 8080."""

from collections.abc import Sequence

import pytest

from fleetform.catalog.models import Environment
from fleetform.hcl.eval.resource_view import View
from fleetform.policy.rules import built_in_rules
from fleetform.policy.verdicts import check_environment
from tests.policy.examples import ENVIRONMENT, view

from .answers import answers

STATE = """\
data "terraform_remote_state" "foundation" {
  backend = "s3"
}

locals {
  foundation = data.terraform_remote_state.foundation.outputs
}
"""
ORDERS, WEB, WORKER = (
    f'local.foundation.security_group_ids["{name}"]' for name in ("orders", "web", "worker")
)
UNDECLARED = ["worker can reach orders on port 8080, but does not declare the call"]


def way(group: str, peer: str, first: int = 8080, last: int = 8080, protocol: str = "tcp") -> str:
    """Return a hand-written rule that opens one group to a different one."""
    return f"""\
{STATE}
resource "aws_vpc_security_group_ingress_rule" "this" {{
  security_group_id            = {group}
  referenced_security_group_id = {peer}
  ip_protocol                  = "{protocol}"
  from_port                    = {first}
  to_port                      = {last}
}}
"""


def test_the_older_resource_type_is_checked_too() -> None:
    text = f"""\
{STATE}
resource "aws_security_group_rule" "this" {{
  type                     = "ingress"
  security_group_id        = {ORDERS}
  source_security_group_id = {WORKER}
  protocol                 = "tcp"
  from_port                = 8080
  to_port                  = 8080
}}
"""
    assert answers("FF022", text) == UNDECLARED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (way(ORDERS, WEB), []),
        (way(ORDERS, WORKER), UNDECLARED),
        (way(ORDERS, WORKER, 8000, 9000), UNDECLARED),
        (way(ORDERS, WORKER, protocol="-1"), UNDECLARED),
        (way(ORDERS, ORDERS), []),
        (way(ORDERS, '"sg-bastion"'), []),
        (way('"sg-database"', WORKER), []),
        (way("aws_security_group.database.id", WORKER), []),
        (way(ORDERS, WORKER, 9090, 9090), []),
        (way(ORDERS, WORKER).replace('"tcp"', "var.protocol"), ["? ip_protocol"]),
    ],
)
def test_an_open_call_between_services_is_declared(text: str, expected: list[str]) -> None:
    assert answers("FF022", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (way(ORDERS, '"sg-bastion"'), []),
        (
            way(ORDERS, '"sg-bastion"', 9090, 9090),
            ["port 9090 of orders is open, but the service listens on 8080"],
        ),
        (
            way(ORDERS, WEB, 8080, 8090),
            ["ports 8080 to 8090 of orders are open, but the service listens on 8080"],
        ),
        (way(WORKER, WEB), ["port 8080 of worker is open, but the service listens on no port"]),
        (way(ORDERS, WEB, protocol="-1"), []),
        (way(ORDERS, WEB, -1, -1, protocol="icmp"), []),
    ],
)
def test_every_open_port_has_a_listener(text: str, expected: list[str]) -> None:
    assert answers("FF023", text) == expected


def found(identifier: str, text: str, environment: Environment) -> list[str]:
    """Return the messages of a rule in an environment."""
    verdicts = check_environment(view(text), {identifier: built_in_rules()[identifier]}, environment)
    return [finding.message for finding in verdicts.findings]


@pytest.mark.parametrize("identifier", ["FF022", "FF023"])
def test_services_with_a_shared_group_are_ignored(identifier: str) -> None:
    shared = ENVIRONMENT.model_copy(update={"security": "shared"})
    assert found(identifier, way(ORDERS, WORKER, 9090, 9090), shared) == []


def task(service: str, *variables: tuple[str, str]) -> str:
    """Return a task definition with variables, whose values are HCL."""
    lines = "\n".join(f'{{ name = "{name}", value = {value} }},' for name, value in variables)
    return f"""\
resource "aws_ecs_task_definition" "this" {{
  family = "shop-tiny-{service}"
  container_definitions = jsonencode([{{
    name = "{service}"
    environment = [
{lines}
    ]
  }}])
}}
"""


NAMED = ".tiny.shop.internal"


def leads(variable: str, label: str) -> list[str]:
    """Return the message about an unknown service."""
    return [f"{variable} points to unknown service {label}"]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("A", f'"http://orders{NAMED}:8080/items?x=1"', []),
        ("A", f'"http://order{NAMED}:8080"', leads("A", "order")),
        ("A", f'"redis://user:secret@cache{NAMED}:6379/0"', leads("A", "cache")),
        ("A", f'"orders{NAMED}"', []),
        ("A", f'"web{NAMED}"', []),
        ("A", f'"https://web{NAMED}"', []),
        ("A", f'"http://orders{NAMED}"', ["A points to port 80 of orders, but the service listens on 8080"]),
        ("A", f'"orders{NAMED}:8080,stock{NAMED}:8080"', leads("A", "stock")),
        ("A", f'"http://worker{NAMED}:80"', leads("A", "worker")),
        ("A", f'"http://order{NAMED}.example.com"', []),
        ("A", '"http://orders.prod.shop.internal:80"', []),
        ("A", f'"_http._tcp.order{NAMED}"', []),
        ("A", "8080", []),
        ("ALLOWED_ORIGINS", f'"http://order{NAMED}"', []),
        ("NO_PROXY", f'"{NAMED}"', []),
        ("DATABASE_HOST", "var.host", ["? container_definitions.0.environment.0.value"]),
        ("COLOUR", "var.colour", []),
    ],
)
def test_service_urls_are_correct(variable: str, value: str, expected: list[str]) -> None:
    assert answers("FF024", task("web", (variable, value))) == expected


@pytest.mark.parametrize(
    "made",
    [
        'resource "aws_service_discovery_service" "cache" {\n  name = "cache"\n}\n',
        f'resource "aws_route53_record" "cache" {{\n  name = "cache{NAMED}"\n}}\n',
    ],
)
def test_a_hand_written_name_is_accepted(made: str) -> None:
    assert answers("FF024", made + task("web", ("CACHE", f'"cache{NAMED}:6379"'))) == []


def test_an_existing_namespace_may_have_other_names() -> None:
    others = ENVIRONMENT.model_copy(update={"namespace_arn": "arn:aws:servicediscovery:::namespace/ns-1"})
    assert found("FF024", task("web", ("A", f'"cache{NAMED}:6379"')), others) == []


@pytest.mark.parametrize(
    ("service", "name", "expected"),
    [
        ("web", "orders", []),
        ("worker", "orders", ["worker has the address of orders in A, but does not declare the call"]),
        ("orders", "orders", []),
        ("migration", "orders", []),
        ("worker", "cache", []),
    ],
)
def test_a_service_with_a_url_declares_the_call(service: str, name: str, expected: list[str]) -> None:
    assert answers("FF025", task(service, ("A", f'"{name}{NAMED}"'))) == expected


def checked(containers: Sequence[str]) -> str:
    """Return the task definition of `web` with some containers."""
    body = f"container_definitions = jsonencode([{', '.join(containers)}])"
    return f'resource "aws_ecs_task_definition" "web" {{\n  family = "shop-tiny-web"\n  {body}\n}}\n'


UNASKED = ["web has no health check"]


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        (['{ name = "web", healthCheck = var.check }'], ["? container_definitions.0.healthCheck"]),
        (['{ name = "web" }', '{ name = "agent", healthCheck = { command = ["CMD", "true"] } }'], UNASKED),
        (['{ name = "agent" }', '{ name = "web", healthCheck = { command = ["CMD", "true"] } }'], []),
    ],
)
def test_a_public_service_has_a_health_check(containers: Sequence[str], expected: list[str]) -> None:
    assert answers("FF026", checked(containers)) == expected


def test_a_load_balancer_has_its_own_health_check() -> None:
    balanced = ENVIRONMENT.model_copy(
        update={"ingress": ENVIRONMENT.ingress.model_copy(update={"type": "alb"})}
    )
    assert found("FF026", checked(['{ name = "web" }']), balanced) == []


def test_the_position_of_a_name_survives_the_cache() -> None:
    rule = built_in_rules()["FF024"]
    assert rule.keeps is not None
    known = View(
        tuple(resource.without_origin(rule.keeps(resource)) for resource in view(rule.bad).resources)
    )
    verdicts = check_environment(known, {rule.id: rule}, ENVIRONMENT)
    assert [(finding.place.line, finding.place.column) for finding in verdicts.findings] == [(7, 30), (8, 29)]
