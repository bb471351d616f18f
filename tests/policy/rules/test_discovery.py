"""Rules for service discovery, beyond their examples."""

import pytest

from .answers import answers


def service(*lines: str, ttl: str = "10", kind: str = "A", outside: str = "") -> str:
    """Return the discovery service `orders`."""
    records = f'dns_records {{\n  type = "{kind}"\n  ttl = {ttl}\n}}\n'
    body = "\n".join(lines)
    return (
        'resource "aws_service_discovery_service" "orders" {\n  name = "orders"\n'
        f"  dns_config {{\n{records}{body}\n  }}\n{outside}\n}}\n"
    )


def task(*stops: str) -> str:
    """Return the task definition of `orders`, with a container for each stop timeout."""
    containers = ", ".join(f"{{ stopTimeout = {stop} }}" for stop in stops)
    return (
        'resource "aws_ecs_task_definition" "orders" {\n  family = "shop-tiny-orders"\n'
        f"  container_definitions = jsonencode([{containers}])\n}}\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service(ttl="60"), []),
        (service(ttl='"61"'), ["callers cache the address for 61 seconds, even if the task has stopped"]),
        (service(ttl="var.ttl"), ["? dns_config.0.dns_records.0.ttl"]),
        (service(ttl="30") + task("30"), []),
        (
            service(ttl="31") + task("30"),
            ["callers cache the address for 31 seconds, but the task stops within 30"],
        ),
        (
            service(ttl="31") + task("null"),
            ["callers cache the address for 31 seconds, but the task stops within 30"],
        ),
        (service(ttl="31") + task("2", "40"), []),
        (
            service(ttl="100") + task("120"),
            ["callers cache the address for 100 seconds, even if the task has stopped"],
        ),
        (service(ttl="31") + task("var.stop"), []),
    ],
)
def test_records_expire_in_time(text: str, expected: list[str]) -> None:
    assert answers("FF034", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service(outside="health_check_custom_config {\n  failure_threshold = 1\n}"), []),
        (service(outside='health_check_config {\n  type = "HTTP"\n}'), []),
        ('resource "aws_service_discovery_service" "orders" {\n  namespace_id = "ns-1"\n}\n', []),
    ],
)
def test_dns_returns_healthy_tasks(text: str, expected: list[str]) -> None:
    assert answers("FF035", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service(), []),
        (service('routing_policy = "WEIGHTED"', kind="CNAME"), []),
        (service('routing_policy = "WEIGHTED"', kind="SRV"), ["a DNS answer contains only one task"]),
    ],
)
def test_answers_have_several_tasks(text: str, expected: list[str]) -> None:
    assert answers("FF036", text) == expected
