from fleetform import topology
from fleetform.catalog.models import Discovery
from fleetform.topology import Call

from .environments import CHAIN, environment, service


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


def test_the_url_of_a_service_with_an_srv_record_has_no_port() -> None:
    services = {**CHAIN, "orders": CHAIN["orders"].model_copy(update={"discovery": Discovery(record_type="SRV")})}
    assert topology.urls(environment(services), "web") == {"ORDERS_URL": "http+srv://orders.dev.shop.internal"}


def test_in_service_connect_callees_come_first() -> None:
    connected = environment(discovery="service_connect")
    assert topology.callees_first(connected, "worker") == ("orders", "stock")


def test_in_a_circle_nobody_comes_first() -> None:
    services = {"a": service(1, "b"), "b": service(1, "c"), "c": service(1, "b", "d"), "d": service(1)}
    connected = environment(services, discovery="service_connect")
    assert {name: topology.callees_first(connected, name) for name in services} == {
        "a": ("b",),
        "b": (),
        "c": ("d",),
        "d": (),
    }


def test_dns_needs_no_order() -> None:
    assert topology.callees_first(environment(), "worker") == ()
