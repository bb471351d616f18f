"""The load balancer's rules: conflicts and priorities."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetform.base.errors import CatalogError
from fleetform.catalog.models import Ingress, Service
from fleetform.topology.routing import LAST_PRIORITY, priority
from tests.catalog.catalogs import HEAD, loaded


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
    services = {name: Service(image="x:1", port=80, public=True, ingress=ingress) for name in ("api", "orders", "web")}
    assert {name: priority(name, service) for name, service in services.items()} == {
        "api": 47046,
        "orders": 47309,
        "web": 47066,
    }


# Services and their problems.
WRONG: list[tuple[str, list[str]]] = [
    (
        "  a: { image: 'x:1', port: 80, public: true }\n  b: { image: 'x:1', port: 80, public: true, ingress: {} }\n",
        ["8:40: `a` and `b` both receive all requests; add `ingress:` with `paths` or `hosts` to one of them"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { paths: [/x, /y] } }\n"
            "  b: { image: 'x:1', port: 80, public: true, ingress: { paths: [/z, /y] } }\n"
        ),
        ["8:69: `a` already receives `/y`; remove it from one of them"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example], paths: [/x] } "
            "}\n  b: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example], paths: [/x], "
            "priority: 1 } }\n"
        ),
        ["8:85: `a` already receives `a.example/x`; remove it from one of them"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example] } }\n"
            "  b: { image: 'x:1', port: 80, public: true, ingress: { hosts: [a.example] } }\n"
        ),
        ["8:64: `a` already receives `a.example/*`; remove it from one of them"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ingress: { paths: [/x], priority: 7 } }\n"
            "  b: { image: 'x:1', port: 80, public: true, ingress: { paths: [/y], priority: 7 } }\n"
        ),
        ["8:80: the rules of `a` and `b` both have priority 7; give one of them a different `priority`"],
    ),
    (
        (
            "  a: { image: 'x:1', port: 80, public: true, ports: { dns: { container_port: 53, protocol: "
            "udp } }, ingress: { port: dns } }\n"
        ),
        ["7:118: a load balancer forwards only to TCP ports; choose a TCP port"],
    ),
]


@pytest.mark.parametrize(("services", "found"), WRONG, ids=[found[0] for _, found in WRONG])
def test_conflicting_rules_are_refused(tmp_path: Path, services: str, found: list[str]) -> None:
    with pytest.raises(CatalogError) as refused:
        loaded(tmp_path, f"{HEAD}ingress: {{ type: alb }}\nservices:\n{services}", "")
    lines = str(refused.value).splitlines()
    assert [line.removeprefix("envs/catalog.yaml:") for line in lines] == found


def test_without_a_load_balancer_several_services_may_receive_everything(tmp_path: Path) -> None:
    services = "".join(f"  {name}: {{ image: 'x:1', port: 80, public: true }}\n" for name in "ab")
    environment = loaded(tmp_path, f"{HEAD}services:\n{services}", "")
    assert sorted(environment.services) == ["a", "b"]
