from .plans import Resources


def test_group_for_each_service(planned: dict[str, Resources]) -> None:
    """Groups hold exactly the declared rules."""
    assert planned["security"] == {
        'aws_security_group.this["dns"]': {
            "description": "Security group of dns",
            "name_prefix": "shop-dev-dns-",
            "revoke_rules_on_delete": True,
            "tags": {"Name": "shop-dev-dns"},
            "vpc_id": "vpc-0123456789abcdef0",
        },
        'aws_security_group.this["orders"]': {
            "description": "Security group of orders",
            "name_prefix": "shop-dev-orders-",
            "revoke_rules_on_delete": True,
            "tags": {"Name": "shop-dev-orders"},
            "vpc_id": "vpc-0123456789abcdef0",
        },
        'aws_security_group.this["web"]': {
            "description": "Security group of web",
            "name_prefix": "shop-dev-web-",
            "revoke_rules_on_delete": True,
            "tags": {"Name": "shop-dev-web"},
            "vpc_id": "vpc-0123456789abcdef0",
        },
        'aws_vpc_security_group_egress_rule.this["orders->internet"]': {
            "cidr_ipv4": "0.0.0.0/0",
            "description": "to the internet",
            "ip_protocol": "-1",
            "tags": {"Name": "orders->internet"},
        },
        'aws_vpc_security_group_egress_rule.this["orders->s3:443"]': {
            "description": "orders to S3",
            "from_port": 443,
            "ip_protocol": "tcp",
            "prefix_list_id": "pl-61a54008",
            "tags": {"Name": "orders->s3:443"},
            "to_port": 443,
        },
        'aws_vpc_security_group_egress_rule.this["web->dns:53/udp"]': {
            "description": "web to dns",
            "from_port": 53,
            "ip_protocol": "udp",
            "tags": {"Name": "web->dns:53/udp"},
            "to_port": 53,
        },
        'aws_vpc_security_group_egress_rule.this["web->orders:8080"]': {
            "description": "web to orders",
            "from_port": 8080,
            "ip_protocol": "tcp",
            "tags": {"Name": "web->orders:8080"},
            "to_port": 8080,
        },
        'aws_vpc_security_group_ingress_rule.this["internet->web:80"]': {
            "cidr_ipv4": "0.0.0.0/0",
            "description": "internet to web",
            "from_port": 80,
            "ip_protocol": "tcp",
            "tags": {"Name": "internet->web:80"},
            "to_port": 80,
        },
        'aws_vpc_security_group_ingress_rule.this["web->dns:53/udp"]': {
            "description": "web to dns",
            "from_port": 53,
            "ip_protocol": "udp",
            "tags": {"Name": "web->dns:53/udp"},
            "to_port": 53,
        },
        'aws_vpc_security_group_ingress_rule.this["web->orders:8080"]': {
            "description": "web to orders",
            "from_port": 8080,
            "ip_protocol": "tcp",
            "tags": {"Name": "web->orders:8080"},
            "to_port": 8080,
        },
    }


def test_one_shared_group(planned: dict[str, Resources]) -> None:
    """A group may accept everything from itself."""
    assert planned["shared_group"] == {
        'aws_security_group.this["app"]': {
            "description": "Security Group for Application",
            "name_prefix": "shop-dev-app-",
            "revoke_rules_on_delete": True,
            "tags": {"Name": "shop-dev-app"},
            "vpc_id": "vpc-0123456789abcdef0",
        },
        'aws_vpc_security_group_egress_rule.this["app->internet"]': {
            "cidr_ipv4": "0.0.0.0/0",
            "description": "Allow to Any",
            "ip_protocol": "-1",
            "tags": {"Name": "app->internet"},
        },
        'aws_vpc_security_group_ingress_rule.this["app->app"]': {
            "description": "Allow from This",
            "ip_protocol": "-1",
            "tags": {"Name": "app->app"},
        },
        'aws_vpc_security_group_ingress_rule.this["internet->app:80"]': {
            "cidr_ipv4": "0.0.0.0/0",
            "description": "Allow from Any HTTP",
            "from_port": 80,
            "ip_protocol": "tcp",
            "tags": {"Name": "internet->app:80"},
            "to_port": 80,
        },
    }
