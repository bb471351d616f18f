import pytest

from fleetform import topology
from fleetform.catalog.models import IngressConfig, Network, Port, Service
from fleetform.topology import Rule, SecurityGroups

from .environments import CHAIN, environment, service


def test_the_shared_group_is_open_within_itself_to_the_internet_on_public_ports_and_outwards() -> None:
    assert topology.security_groups(environment(security="shared")) == SecurityGroups(
        groups={"app": "Security Group for Application"},
        ingress={
            "app->app": Rule("app", "Allow from This", peer="app"),
            "internet->app:80": Rule("app", "Allow from Any HTTP", cidr="0.0.0.0/0", port=80),
        },
        egress={"app->internet": Rule("app", "Allow to Any", cidr="0.0.0.0/0")},
        members={"orders": "app", "stock": "app", "web": "app", "worker": "app"},
    )


def test_the_shared_group_has_each_public_port_once() -> None:
    services = {"a": service(80, public=True), "b": service(80, public=True), "c": service(8443, public=True)}
    groups = topology.security_groups(environment(services, security="shared"))
    assert groups.ingress == {
        "app->app": Rule("app", "Allow from This", peer="app"),
        "internet->app:80": Rule("app", "Allow from Any HTTP", cidr="0.0.0.0/0", port=80),
        "internet->app:8443": Rule("app", "Allow from Any 8443", cidr="0.0.0.0/0", port=8443),
    }


def test_the_edges_open_just_the_declared_calls() -> None:
    services = {
        "web": service(80, "orders", public=True),
        "orders": service(8080),
        "worker": service(None, "orders"),
    }
    assert topology.security_groups(environment(services)) == SecurityGroups(
        groups={"orders": "Tasks of orders", "web": "Tasks of web", "worker": "Tasks of worker"},
        ingress={
            "internet->web:80": Rule("web", "internet to web", cidr="0.0.0.0/0", port=80),
            "web->orders:8080": Rule("orders", "web calls orders", peer="web", port=8080),
            "worker->orders:8080": Rule("orders", "worker calls orders", peer="worker", port=8080),
        },
        egress={
            "orders->internet:443": Rule(
                "orders", "orders pulls its image and calls AWS", cidr="0.0.0.0/0", port=443
            ),
            "web->internet:443": Rule("web", "web pulls its image and calls AWS", cidr="0.0.0.0/0", port=443),
            "worker->internet:443": Rule(
                "worker", "worker pulls its image and calls AWS", cidr="0.0.0.0/0", port=443
            ),
            "web->orders:8080": Rule("web", "web calls orders", peer="orders", port=8080),
            "worker->orders:8080": Rule("worker", "worker calls orders", peer="orders", port=8080),
        },
        members={"orders": "orders", "web": "web", "worker": "worker"},
    )


BALANCED = {"type": "alb", "certificate": "arn:aws:acm:ap-northeast-1:123456789012:certificate/x"}


def test_only_the_load_balancer_reaches_public_services() -> None:
    services = {"web": service(80, "orders", public=True), "orders": service(8080)}
    groups = topology.security_groups(environment(services, ingress={**BALANCED, "cidrs": ("192.0.2.0/24",)}))
    assert groups == SecurityGroups(
        groups={"orders": "Tasks of orders", "web": "Tasks of web", "ingress": "Load balancer"},
        ingress={
            "web->orders:8080": Rule("orders", "web calls orders", peer="web", port=8080),
            "192.0.2.0/24->ingress:80": Rule(
                "ingress", "192.0.2.0/24 to load balancer", cidr="192.0.2.0/24", port=80
            ),
            "192.0.2.0/24->ingress:443": Rule(
                "ingress", "192.0.2.0/24 to load balancer", cidr="192.0.2.0/24", port=443
            ),
            "ingress->web:80": Rule("web", "load balancer to web", peer="ingress", port=80),
        },
        egress={
            "orders->internet:443": Rule(
                "orders", "orders pulls its image and calls AWS", cidr="0.0.0.0/0", port=443
            ),
            "web->internet:443": Rule("web", "web pulls its image and calls AWS", cidr="0.0.0.0/0", port=443),
            "web->orders:8080": Rule("web", "web calls orders", peer="orders", port=8080),
            "ingress->web:80": Rule("ingress", "load balancer to web", peer="web", port=80),
        },
        members={"orders": "orders", "web": "web"},
    )


def test_without_ingress_nothing_is_open_to_the_internet() -> None:
    groups = topology.security_groups(
        environment({"web": service(80, public=True)}, ingress={"type": "none"})
    )
    assert groups.ingress == {}


def test_services_that_call_each_other_have_a_rule_each_way() -> None:
    groups = topology.security_groups(environment({"a": service(1000, "b"), "b": service(2000, "a")}))
    assert groups.ingress == {
        "a->b:2000": Rule("b", "a calls b", peer="a", port=2000),
        "b->a:1000": Rule("a", "b calls a", peer="b", port=1000),
    }


@pytest.mark.parametrize("security", ["edges", "shared"])
def test_the_order_of_the_services_changes_nothing(security: str) -> None:
    one = environment(security=security)
    other = environment(dict(reversed(CHAIN.items())), security=security)
    assert str(topology.security_groups(one)) == str(topology.security_groups(other))


def keys(groups: SecurityGroups) -> tuple[list[str], list[str]]:
    """Return the keys of ingress and egress rules."""
    return sorted(groups.ingress), sorted(groups.egress)


CERTIFICATE = "arn:aws:acm:ap-northeast-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
SHUT = Network(subnets="private", endpoints=("ecr.api", "ecr.dkr", "logs", "s3"))


def test_a_service_that_calls_itself_has_a_rule_each_way() -> None:
    groups = topology.security_groups(environment({"a": service(1000, "a")}))
    rule = Rule("a", "a calls a", peer="a", port=1000)
    assert groups.ingress == {"a->a:1000": rule}
    assert groups.egress["a->a:1000"] == rule


def test_a_udp_port_is_opened_as_one() -> None:
    services = {
        "a": Service(image="nginx", calls=[{"service": "dns", "port": "dns"}]),
        "dns": Service(image="nginx", ports={"dns": Port(container_port=53, protocol="udp")}),
    }
    groups = topology.security_groups(environment(services))
    assert groups.ingress == {"a->dns:53/udp": Rule("dns", "a calls dns", peer="a", port=53, protocol="udp")}


def test_an_external_network_is_opened_once() -> None:
    """EC2 rejects a second rule for the same network and port."""
    calls = [
        {"host": "api.example.com", "port": 443},
        {"host": "mail.example.com", "port": 587},
        {"host": "smtp.example.com", "port": 587},
        {"host": "db.example.com", "port": 5432, "cidr": "192.0.2.0/24"},
        {"cidr": "192.0.2.0/24", "port": 5432},
        {"cidr": "192.0.2.0/24", "port": 123, "protocol": "udp"},
    ]
    groups = topology.security_groups(environment({"a": Service(image="nginx", calls=calls)}))
    assert groups.ingress == {}
    assert groups.egress == {
        "a->internet:443": Rule(
            "a", "a pulls its image and calls AWS; a calls api.example.com", cidr="0.0.0.0/0", port=443
        ),
        "a->192.0.2.0/24:123/udp": Rule(
            "a", "a calls 192.0.2.0/24", cidr="192.0.2.0/24", port=123, protocol="udp"
        ),
        "a->192.0.2.0/24:5432": Rule(
            "a", "a calls 192.0.2.0/24; a calls db.example.com", cidr="192.0.2.0/24", port=5432
        ),
        "a->internet:587": Rule(
            "a", "a calls mail.example.com; a calls smtp.example.com", cidr="0.0.0.0/0", port=587
        ),
    }


def test_a_description_has_the_255_characters_that_ec2_allows() -> None:
    hosts = [{"host": f"{letter * 60}.example.com", "port": 25} for letter in "abcde"]
    groups = topology.security_groups(environment({"a": Service(image="nginx", calls=hosts)}))
    shown = "; ".join(f"a calls {letter * 60}.example.com" for letter in "abc")
    assert groups.egress["a->internet:25"].description == f"{shown}; a ..."


@pytest.mark.parametrize("security", ["edges", "shared"])
def test_a_load_balancer_is_between_the_internet_and_public_services(security: str) -> None:
    services = {
        "web": Service(image="nginx", port=80, ports={"admin": 9090}, public=True, ingress={"port": "admin"}),
        "orders": service(8080),
    }
    front = IngressConfig(type="alb", certificate=CERTIFICATE)
    groups = topology.security_groups(environment(services, ingress=front, security=security))
    web = groups.members["web"]
    entry = Rule("ingress", "internet to load balancer", cidr="0.0.0.0/0", port=80)
    behind = f"load balancer to {web}"
    own = {"app->app": Rule("app", "Allow from This", peer="app")} if security == "shared" else {}
    assert groups.ingress == own | {
        "internet->ingress:80": entry,
        "internet->ingress:443": Rule("ingress", "internet to load balancer", cidr="0.0.0.0/0", port=443),
        f"ingress->{web}:9090": Rule(web, behind, peer="ingress", port=9090),
    }
    assert {key: rule for key, rule in groups.egress.items() if rule.group == "ingress"} == {
        f"ingress->{web}:9090": Rule("ingress", behind, peer=web, port=9090)
    }
    assert groups.groups["ingress"] == "Load balancer"


@pytest.mark.parametrize(
    ("front", "ingress"),
    [
        (IngressConfig(), ["internet->web:80"]),
        (
            IngressConfig(cidrs=("192.0.2.0/24", "198.51.100.0/24")),
            ["192.0.2.0/24->web:80", "198.51.100.0/24->web:80"],
        ),
        (
            IngressConfig(type="internal_alb", cidrs=("192.0.2.0/24",)),
            ["192.0.2.0/24->ingress:80", "ingress->web:80"],
        ),
        (IngressConfig(type="none"), []),
    ],
)
def test_only_the_environments_networks_may_connect(front: IngressConfig, ingress: list[str]) -> None:
    groups = topology.security_groups(environment({"web": service(80, public=True)}, ingress=front))
    assert sorted(groups.ingress) == ingress


@pytest.mark.parametrize(
    ("front", "ports"),
    [
        (IngressConfig(), {8080}),
        (IngressConfig(type="alb"), {80}),
        (IngressConfig(type="alb", certificate=CERTIFICATE), {80, 443}),
        (IngressConfig(type="none"), set()),
    ],
)
def test_public_ports_are_the_ones_open_from_outside(front: IngressConfig, ports: set[int]) -> None:
    assert topology.public_ports(environment({"web": service(8080, public=True)}, ingress=front)) == ports


def test_without_nat_aws_is_called_inside_the_vpc() -> None:
    groups = topology.security_groups(environment({"a": service(1000)}, network=SHUT))
    assert groups.groups == {"a": "Tasks of a", "endpoints": "VPC endpoints"}
    assert groups.ingress == {"a->endpoints:443": Rule("endpoints", "a calls AWS", peer="a", port=443)}
    assert groups.egress == {
        "a->endpoints:443": Rule("a", "a calls AWS", peer="endpoints", port=443),
        "a->s3:443": Rule("a", "a pulls its image from S3", prefix_list="s3", port=443),
    }


def test_the_shared_group_reaches_the_endpoints_too() -> None:
    groups = topology.security_groups(environment({"a": service(1000)}, network=SHUT, security="shared"))
    assert keys(groups) == (["app->app", "app->endpoints:443"], ["app->internet"])


def test_nat_leads_to_the_internet() -> None:
    groups = topology.security_groups(
        environment({"a": service(1000)}, network={"subnets": "private", "nat": "single"})
    )
    assert keys(groups) == ([], ["a->internet:443", "a->s3:443"])


def test_a_volume_of_efs_is_mounted_inside_the_vpc() -> None:
    volume = {"container_path": "/data", "efs": {"file_system_id": "fs-0123456789abcdef0"}}
    services = {"a": Service(image="nginx", volumes={"data": volume, "scratch": "/scratch"})}
    groups = topology.security_groups(environment(services))
    assert groups.egress["a->efs:2049"] == Rule("a", "a mounts its volumes", cidr="vpc", port=2049)


def test_removing_a_call_removes_only_its_rules() -> None:
    before, after = (
        topology.security_groups(environment({**CHAIN, "worker": service(None, *calls)}))
        for calls in (("stock", "orders"), ("stock",))
    )
    for side in ("ingress", "egress"):
        had, has = getattr(before, side), getattr(after, side)
        assert had.keys() - has.keys() == {"worker->orders:8080"}
        assert has == {key: had[key] for key in has}


def test_renaming_a_service_changes_only_the_rules_that_name_it() -> None:
    renamed = {
        "web": service(80, "sales", public=True),
        "sales": service(8080, "stock"),
        "stock": service(8080),
    }
    old = {
        "web": service(80, "orders", public=True),
        "orders": service(8080, "stock"),
        "stock": service(8080),
    }
    before, after = (topology.security_groups(environment(services)) for services in (old, renamed))
    assert before.ingress.keys() ^ after.ingress.keys() == {
        "web->orders:8080",
        "orders->stock:8080",
        "web->sales:8080",
        "sales->stock:8080",
    }
    assert [
        key for key in before.egress.keys() & after.egress.keys() if before.egress[key] != after.egress[key]
    ] == []
    assert before.egress.keys() & after.egress.keys() == {"web->internet:443", "stock->internet:443"}


@pytest.mark.parametrize("security", ["edges", "shared"])
def test_a_rename_changes_no_group_and_no_rule(security: str) -> None:
    before = {"web": service(80, "orders", public=True), "orders": service(8080)}
    buys = service(8080).model_copy(update={"renamed_from": ("orders",)})
    after = {"web": service(80, "buys", public=True), "buys": buys}
    old, new = (
        topology.security_groups(environment(services, security=security)) for services in (before, after)
    )
    assert new.groups == old.groups
    assert new.ingress == old.ingress
    assert new.egress == old.egress
    assert new.members == {"web": old.members["web"], "buys": old.members["orders"]}
