from typing import Any

import pytest

from fleetform import topology
from fleetform.catalog.models import Environment, Service
from fleetform.topology import Call, Rule, SecurityGroups


def service(port: int | None = None, *calls: str, public: bool = False) -> Service:
    return Service(image="nginx", port=port, calls=calls, public=public)


CHAIN = {
    "web": service(80, "orders", public=True),
    "orders": service(8080, "stock"),
    "stock": service(8080),
    "worker": service(None, "stock", "orders"),
}


def environment(services: dict[str, Service] = CHAIN, **values: Any) -> Environment:  # noqa: ANN401 - any of its fields
    fixed = {"name": "dev", "application": "shop", "account": "123456789012", "region": "ap-northeast-1"}
    zones = ("ap-northeast-1a", "ap-northeast-1c")
    return Environment(**{"zones": zones, "services": services, **fixed, **values})


def test_calls_are_sorted_by_caller_then_callee() -> None:
    assert topology.calls(environment()) == (
        Call("orders", "stock", 8080),
        Call("web", "orders", 8080),
        Call("worker", "orders", 8080),
        Call("worker", "stock", 8080),
    )


def test_the_calls_of_one_service_are_its_own() -> None:
    assert topology.calls_of(environment(), "worker") == (Call("worker", "orders", 8080), Call("worker", "stock", 8080))


def test_a_call_is_written_one_way_everywhere() -> None:
    assert Call("web", "orders", 8080).key == "web->orders:8080"


def test_a_callees_hyphens_become_underscores_in_its_variable() -> None:
    assert Call("web", "order-api", 8080).variable == "ORDER_API_URL"


def test_a_caller_gets_the_url_of_each_callee() -> None:
    assert topology.urls(environment(), "worker") == {
        "ORDERS_URL": "http://orders.dev.shop.internal:8080",
        "STOCK_URL": "http://stock.dev.shop.internal:8080",
    }


def test_a_service_without_calls_gets_no_urls() -> None:
    assert topology.urls(environment(), "stock") == {}


def test_urls_follow_a_namespace_that_is_given() -> None:
    assert topology.urls(environment(namespace="example.internal"), "web") == {
        "ORDERS_URL": "http://orders.example.internal:8080"
    }


def test_the_namespace_is_named_after_environment_and_application() -> None:
    assert topology.namespace(environment()) == "dev.shop.internal"


def test_a_service_is_found_in_the_namespace() -> None:
    assert topology.dns_name(environment(), "web") == "web.dev.shop.internal"


def test_services_that_listen_on_a_port_are_discoverable() -> None:
    assert topology.discoverable(environment()) == ("orders", "stock", "web")


def test_subnets_are_the_networks_blocks_after_the_first() -> None:
    assert topology.public_subnets(environment()) == {
        "public_1": ("10.0.1.0/24", "ap-northeast-1a"),
        "public_2": ("10.0.2.0/24", "ap-northeast-1c"),
    }


def test_a_zone_that_is_added_moves_no_subnet() -> None:
    more = environment(zones=("ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"))
    assert topology.public_subnets(more) == topology.public_subnets(environment()) | {
        "public_3": ("10.0.3.0/24", "ap-northeast-1d")
    }


def test_the_smallest_network_has_room_for_the_most_zones() -> None:
    zones = tuple(f"ap-northeast-1{letter}" for letter in "abcdef")
    smallest = environment(zones=zones, network={"cidr": "192.168.8.0/21"})
    assert list(topology.public_subnets(smallest).values()) == [
        (f"192.168.{8 + number}.0/24", zone) for number, zone in enumerate(zones, start=1)
    ]


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
            "internet->web:80": Rule("web", "Anyone calls web", cidr="0.0.0.0/0", port=80),
            "web->orders:8080": Rule("orders", "web calls orders", peer="web", port=8080),
            "worker->orders:8080": Rule("orders", "worker calls orders", peer="worker", port=8080),
        },
        egress={
            "orders->internet:443": Rule("orders", "orders pulls its image and calls AWS", cidr="0.0.0.0/0", port=443),
            "web->internet:443": Rule("web", "web pulls its image and calls AWS", cidr="0.0.0.0/0", port=443),
            "worker->internet:443": Rule("worker", "worker pulls its image and calls AWS", cidr="0.0.0.0/0", port=443),
            "web->orders:8080": Rule("web", "web calls orders", peer="orders", port=8080),
            "worker->orders:8080": Rule("worker", "worker calls orders", peer="orders", port=8080),
        },
        members={"orders": "orders", "web": "web", "worker": "worker"},
    )


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
