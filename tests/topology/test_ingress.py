from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetform import topology
from fleetform.catalog.models import Ingress, Service
from fleetform.topology import Route
from fleetform.topology.ingress import LAST_PRIORITY, priorities, priority

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
    env = environment({"web": service(80, public=True)}, ingress={"type": kind})
    assert topology.routes(env) == {}
    assert topology.listener_ports(env) == ()


@pytest.mark.parametrize(("certificate", "ports"), [(None, (80,)), (CERTIFICATE, (80, 443))])
def test_a_certificate_enables_https(certificate: str | None, ports: tuple[int, ...]) -> None:
    assert topology.listener_ports(environment(ingress={"type": "alb", "certificate": certificate})) == ports


@pytest.mark.parametrize(
    ("kind", "subnets", "expected"),
    [
        ("alb", "private", "public"),
        ("alb", "public", "public"),
        ("internal_alb", "private", "private"),
        ("internal_alb", "public", "public"),
    ],
)
def test_an_internal_load_balancer_is_in_private_subnets(kind: str, subnets: str, expected: str) -> None:
    env = environment(ingress={"type": kind}, network={"subnets": subnets, "nat": "single"})
    assert topology.load_balancer_subnets(env) == expected


def public(**ingress: object) -> Service:
    return Service.model_validate({"image": "x:1", "port": 80, "public": True, "ingress": ingress or None})


def test_a_priority_in_the_catalog_is_used() -> None:
    assert priority("web", public(paths=["/a"], priority=7)) == 7


@pytest.mark.parametrize("service", [public(), public(deregistration_delay=5)])
def test_a_catch_all_service_has_the_last_priority(service: Service) -> None:
    assert priority("web", service) == LAST_PRIORITY


def test_more_specific_rules_are_tried_first() -> None:
    services = [
        public(hosts=["a.example.com"], paths=["/api/*"]),
        public(hosts=["a.example.com"]),
        public(hosts=["*.example.com"], paths=["/api/*"]),
        public(hosts=["*.example.com", "a.example.com"]),
        public(paths=["/api/v1/orders"]),
        public(paths=["/api/v1/*"]),
        public(paths=["/api"]),
        public(paths=["/api*"]),
        public(paths=["/a?i/v1/orders", "/api/v1/orders/*"]),
        public(),
    ]
    numbers = [priority("web", service) for service in services]
    assert all(one < other for one, other in pairwise(numbers)), numbers


PATHS = st.lists(st.text("ab/*?", min_size=0, max_size=40).map("/{}".format), max_size=3)
HOSTS = st.lists(st.sampled_from(["a.example", "*.a.example"]), max_size=2)


@given(st.from_regex(r"[a-z]{1,10}", fullmatch=True), HOSTS, PATHS)
def test_a_derived_priority_is_valid_and_not_the_last(name: str, hosts: list[str], paths: list[str]) -> None:
    number = priority(name, public(hosts=hosts, paths=paths))
    assert 1 <= number < LAST_PRIORITY or not (hosts or paths)


def test_priorities_stay_as_they_are() -> None:
    """A change here would change the rules of everyone's load balancers."""
    ingress = Ingress(paths=("/api/*",))
    services = {
        name: Service(image="x:1", port=80, public=True, ingress=ingress) for name in ("api", "orders", "web")
    }
    assert {name: priority(name, service) for name, service in services.items()} == {
        "api": 47046,
        "orders": 47309,
        "web": 47066,
    }


def balanced(**services: Service) -> dict[str, int]:
    return priorities(environment(services, ingress={"type": "alb"}))


def test_a_hundred_services_with_hosts_have_different_priorities() -> None:
    """Computed from names only, 8 or so of them would be equal."""
    services = {f"service-{number}": public(hosts=[f"{number}.example.com"]) for number in range(100)}
    numbers = balanced(**services)
    assert len(set(numbers.values())) == 100
    kept = [name for name, service in services.items() if numbers[name] == priority(name, service)]
    assert len(kept) == len({priority(name, service) for name, service in services.items()})


def test_the_later_of_two_names_with_the_same_number_gets_the_next() -> None:
    a, b = colliding_names()
    service = public(hosts=["x.example.com"])
    number = priority(a, service)
    assert balanced(**{b: service}) == {b: number}
    assert balanced(**{a: service, b: service}) == {a: number, b: number + 1}


def test_a_computed_priority_leaves_a_number_of_the_catalog_free() -> None:
    service = public(hosts=["x.example.com"])
    number = priority("web", service)
    assert balanced(web=service, api=public(hosts=["y.example.com"], priority=number)) == {
        "api": number,
        "web": number + 1,
    }


def colliding_names() -> tuple[str, str]:
    """Return two names, sorted, with the same number."""
    names: dict[int, str] = {}
    for index in range(1000):
        name = f"service-{index:03}"
        number = priority(name, public(hosts=["x.example.com"]))
        if number in names:
            return names[number], name
        names[number] = name
    raise AssertionError
