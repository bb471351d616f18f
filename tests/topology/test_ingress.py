import pytest

from fleetform import topology
from fleetform.catalog.models import Service
from fleetform.topology import Route
from fleetform.topology.routing import priority

from .environments import environment, service

CERTIFICATE = "arn:aws:acm:ap-northeast-1:123456789012:certificate/x"


def test_each_public_service_has_a_route() -> None:
    ingress = {"paths": ("/admin/*",), "hosts": ("shop.example.com",), "port": "admin"}
    admin = Service(image="x:1", port=80, ports={"admin": 9090}, public=True, ingress=ingress)
    services = {"web": service(8080, public=True), "orders": service(8080), "admin": admin}
    assert topology.routes(environment(services, ingress={"type": "internal_alb"})) == {
        "admin": Route(9090, priority("admin", admin), ("shop.example.com",), ("/admin/*",)),
        "web": Route(8080, 50_000, (), ("/*",)),
    }


@pytest.mark.parametrize("kind", ["direct", "none"])
def test_without_a_load_balancer_there_are_no_routes_and_no_listeners(kind: str) -> None:
    made = environment({"web": service(80, public=True)}, ingress={"type": kind})
    assert (topology.routes(made), topology.listener_ports(made)) == ({}, ())


@pytest.mark.parametrize(("certificate", "ports"), [(None, (80,)), (CERTIFICATE, (80, 443))])
def test_a_certificate_enables_https(certificate: str | None, ports: tuple[int, ...]) -> None:
    assert topology.listener_ports(environment(ingress={"type": "alb", "certificate": certificate})) == ports


@pytest.mark.parametrize(
    ("kind", "subnets", "front"),
    [
        ("alb", "private", "public"),
        ("alb", "public", "public"),
        ("internal_alb", "private", "private"),
        ("internal_alb", "public", "public"),
    ],
)
def test_an_internal_load_balancer_is_in_private_subnets(kind: str, subnets: str, front: str) -> None:
    made = environment(ingress={"type": kind}, network={"subnets": subnets, "nat": "single"})
    assert topology.load_balancer_subnets(made) == front
