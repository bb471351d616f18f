"""`dev` is the ECS Service Discovery architecture that it is modelled on, value by value."""

import json
from typing import Any

import pytest

from tests.environments.conftest import Plans

NAME = "ecs_service_discovery"


def tags(name: str | None = None) -> dict[str, dict[str, str]]:
    """A name, and the provider's default tags."""
    default = {"application": NAME, "environment": "dev"}
    return {"tags": {"Name": name}, "tags_all": default | {"Name": name}} if name else {"tags_all": default}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "module.network.aws_vpc.this",
            {
                "cidr_block": "10.0.0.0/16",
                "enable_dns_hostnames": True,
                "enable_dns_support": True,
                "instance_tenancy": "default",
                **tags(NAME),
            },
        ),
        ("module.network.aws_internet_gateway.this", tags(NAME)),
        (
            'module.network.aws_subnet.public["public_1"]',
            {"availability_zone": "ap-northeast-1a", "cidr_block": "10.0.1.0/24", **tags(f"{NAME}-public_1")},
        ),
        (
            'module.network.aws_subnet.public["public_2"]',
            {"availability_zone": "ap-northeast-1c", "cidr_block": "10.0.2.0/24", **tags(f"{NAME}-public_2")},
        ),
        ("module.network.aws_route_table.public", tags(f"{NAME}-public")),
        ("module.network.aws_route.public_internet", {"destination_cidr_block": "0.0.0.0/0"}),
        (
            'module.security.aws_security_group.this["app"]',
            {
                "description": "Security Group for Application",
                "name_prefix": f"{NAME}-app-",
                "revoke_rules_on_delete": True,
                **tags(f"{NAME}-app"),
            },
        ),
        (
            'module.security.aws_vpc_security_group_ingress_rule.this["app->app"]',
            {"description": "Allow from This", "ip_protocol": "-1", **tags("app->app")},
        ),
        (
            'module.security.aws_vpc_security_group_ingress_rule.this["internet->app:80"]',
            {
                "cidr_ipv4": "0.0.0.0/0",
                "description": "Allow from Any HTTP",
                "from_port": 80,
                "ip_protocol": "tcp",
                "to_port": 80,
                **tags("internet->app:80"),
            },
        ),
        (
            'module.security.aws_vpc_security_group_egress_rule.this["app->internet"]',
            {
                "cidr_ipv4": "0.0.0.0/0",
                "description": "Allow to Any",
                "ip_protocol": "-1",
                **tags("app->internet"),
            },
        ),
        (
            'module.discovery.aws_service_discovery_private_dns_namespace.this["this"]',
            {"name": "dev.shop.internal", **tags()},
        ),
        *(
            (
                f'module.discovery.aws_service_discovery_service.this["{service}"]',
                {
                    "name": service,
                    "dns_config": [
                        {"dns_records": [{"ttl": 10, "type": "A"}], "routing_policy": "MULTIVALUE"}
                    ],
                    "force_destroy": True,
                    "health_check_custom_config": [{"failure_threshold": 1}],
                    **tags(),
                },
            )
            for service in ("orders", "stock", "web")
        ),
        (
            "module.cluster.aws_ecs_cluster.this",
            {"name": NAME, "setting": [{"name": "containerInsights", "value": "disabled"}], **tags()},
        ),
        *(
            (
                f'module.registry.aws_ecr_repository.this["{service}"]',
                {
                    "name": f"{NAME}-{service}",
                    "encryption_configuration": [{"encryption_type": "AES256"}],
                    "image_scanning_configuration": [{"scan_on_push": True}],
                    "image_tag_mutability": "IMMUTABLE",
                    **tags(),
                },
            )
            for service in ("orders", "stock", "web")
        ),
    ],
)
def test_foundation_has_the_architectures_values(dev: Plans, address: str, expected: dict[str, Any]) -> None:
    assert dev.foundation[address] == expected


def test_foundation_has_nothing_besides(dev: Plans) -> None:
    kinds = sorted({address.split(".")[1] + "." + address.split(".")[2] for address in dev.foundation})
    assert kinds == [
        "cluster.aws_ecs_cluster",
        "cluster.aws_ecs_cluster_capacity_providers",
        "discovery.aws_service_discovery_private_dns_namespace",
        "discovery.aws_service_discovery_service",
        "network.aws_default_network_acl",
        "network.aws_default_route_table",
        "network.aws_default_security_group",
        "network.aws_internet_gateway",
        "network.aws_route",
        "network.aws_route_table",
        "network.aws_route_table_association",
        "network.aws_subnet",
        "network.aws_vpc",
        "registry.aws_ecr_lifecycle_policy",
        "registry.aws_ecr_repository",
        "security.aws_security_group",
        "security.aws_vpc_security_group_egress_rule",
        "security.aws_vpc_security_group_ingress_rule",
    ]


@pytest.mark.parametrize(
    ("service", "environment"),
    [
        ("web", {"ORDERS_URL": "http://orders.dev.shop.internal:8080", "PORT": "80"}),
        ("orders", {"STOCK_URL": "http://stock.dev.shop.internal:8080", "PORT": "8080"}),
        ("stock", {"PORT": "8080"}),
    ],
)
def test_task_definitions_carry_the_urls_of_declared_calls_alone(
    dev: Plans, service: str, environment: dict[str, str]
) -> None:
    definition = dev.services[f"module.{service}.aws_ecs_task_definition.this"]
    (container,) = json.loads(definition["container_definitions"])
    assert {item["name"]: item["value"] for item in container["environment"]} == environment


@pytest.mark.parametrize("service", ["web", "orders", "stock"])
def test_services_run_in_the_public_subnets_and_register_their_tasks(dev: Plans, service: str) -> None:
    planned = dev.services[f'module.{service}.aws_ecs_service.fixed["this"]']
    (network,) = planned["network_configuration"]
    (registry,) = planned["service_registries"]
    assert (planned["name"], planned["desired_count"]) == (f"{NAME}-{service}", 1)
    assert (network["assign_public_ip"], len(network["subnets"]), len(network["security_groups"])) == (
        True,
        2,
        1,
    )
    assert registry["registry_arn"].startswith(
        "arn:aws:servicediscovery:ap-northeast-1:123456789012:service/"
    )
