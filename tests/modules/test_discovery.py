from .plans import Resources


def test_example(planned: dict[str, Resources]) -> None:
    """Each service has an A record that ECS alone keeps, and a cached address lives as long as asked."""
    assert planned["discovery"] == {
        'aws_service_discovery_private_dns_namespace.this["this"]': {
            "name": "dev.shop.internal",
            "vpc": "vpc-0123456789abcdef0",
        },
        'aws_service_discovery_service.this["orders"]': {
            "dns_config": [{"dns_records": [{"ttl": 10, "type": "A"}], "routing_policy": "MULTIVALUE"}],
            "force_destroy": True,
            "health_check_custom_config": [{"failure_threshold": 1}],
            "name": "orders",
        },
        'aws_service_discovery_service.this["web"]': {
            "dns_config": [{"dns_records": [{"ttl": 60, "type": "A"}], "routing_policy": "MULTIVALUE"}],
            "force_destroy": True,
            "health_check_custom_config": [{"failure_threshold": 1}],
            "name": "web",
        },
    }


def test_existing_namespace(planned: dict[str, Resources]) -> None:
    """Services are made in a namespace that is there, with SRV records where they are asked for."""
    assert planned["existing_namespace"] == {
        'aws_service_discovery_service.this["orders"]': {
            "dns_config": [
                {
                    "dns_records": [{"ttl": 10, "type": "SRV"}],
                    "namespace_id": "ns-0123456789abcdef",
                    "routing_policy": "MULTIVALUE",
                }
            ],
            "force_destroy": True,
            "health_check_custom_config": [{"failure_threshold": 1}],
            "name": "orders",
        }
    }


def test_namespace_of_service_connect(planned: dict[str, Resources]) -> None:
    """Service Connect needs a namespace and nothing in it."""
    assert planned["namespace_of_service_connect"] == {
        'aws_service_discovery_http_namespace.this["this"]': {"name": "dev.shop.internal"}
    }
