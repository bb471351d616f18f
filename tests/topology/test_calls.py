import pytest

from fleetform import topology
from fleetform.catalog.models import Discovery, Environment, Service
from fleetform.topology import Call

from .environments import CHAIN, environment, service


def http(caller: str, callee: str, port: int, variable: str) -> Call:
    return Call(caller, callee, port, variable=variable, scheme="http")


def calling(*calls: object, ports: dict[str, object] | None = None) -> Environment:
    """Return an environment in which `web` calls, and `orders` can be called."""
    services = {
        "web": Service(image="nginx", port=80, calls=calls),
        "orders": Service(image="orders", port=8080, ports=ports or {}),
    }
    return environment(services)


def test_calls_are_sorted_by_caller_then_callee() -> None:
    assert topology.calls(environment()) == (
        http("orders", "stock", 8080, "STOCK_URL"),
        http("web", "orders", 8080, "ORDERS_URL"),
        http("worker", "orders", 8080, "ORDERS_URL"),
        http("worker", "stock", 8080, "STOCK_URL"),
    )


def test_the_calls_of_a_service_are_only_its_own() -> None:
    assert topology.calls_of(environment(), "worker") == (
        http("worker", "orders", 8080, "ORDERS_URL"),
        http("worker", "stock", 8080, "STOCK_URL"),
    )


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (Call("web", "orders", 8080), "web->orders:8080"),
        (Call("web", "dns", 53, "udp"), "web->dns:53/udp"),
        (Call("web", "api.example.com", 443, cidr="0.0.0.0/0"), "web->api.example.com:443"),
    ],
)
def test_a_call_is_written_one_way_everywhere(call: Call, key: str) -> None:
    assert call.key == key


def test_a_callees_hyphens_become_underscores_in_its_variable() -> None:
    services = {
        "web": Service(image="nginx", calls=["order-api"]),
        "order-api": Service(image="x", port=8080),
    }
    assert topology.calls(environment(services)) == (http("web", "order-api", 8080, "ORDER_API_URL"),)


def test_a_caller_gets_the_url_of_each_callee() -> None:
    assert topology.call_urls(environment(), "worker") == {
        "ORDERS_URL": "http://orders.dev.shop.internal:8080",
        "STOCK_URL": "http://stock.dev.shop.internal:8080",
    }


def test_a_service_without_calls_gets_no_urls() -> None:
    assert topology.call_urls(environment(), "stock") == {}


def test_urls_use_the_namespace_of_the_catalog() -> None:
    assert topology.call_urls(environment(namespace="example.internal"), "web") == {
        "ORDERS_URL": "http://orders.example.internal:8080"
    }


def test_a_port_is_called_by_its_name_with_its_own_protocol() -> None:
    ports = {"admin": 9090, "dns": {"container_port": 53, "protocol": "udp"}}
    env = calling(
        "orders", {"service": "orders", "port": "admin"}, {"service": "orders", "port": "dns"}, ports=ports
    )
    assert topology.calls_of(env, "web") == (
        Call("web", "orders", 53, "udp", "ORDERS_DNS_URL"),
        http("web", "orders", 8080, "ORDERS_URL"),
        http("web", "orders", 9090, "ORDERS_ADMIN_URL"),
    )
    assert topology.call_urls(env, "web") == {
        "ORDERS_DNS_URL": "orders.dev.shop.internal:53",
        "ORDERS_URL": "http://orders.dev.shop.internal:8080",
        "ORDERS_ADMIN_URL": "http://orders.dev.shop.internal:9090",
    }


def test_a_service_may_call_itself() -> None:
    assert topology.calls_of(calling("web"), "web") == (http("web", "web", 80, "WEB_URL"),)


@pytest.mark.parametrize(
    ("callee", "call"),
    [
        (
            {"host": "api.example.com", "port": 443},
            Call("web", "api.example.com", 443, scheme="https", cidr="0.0.0.0/0"),
        ),
        (
            {"host": "db.example.com", "port": 5432, "cidr": "192.0.2.0/24"},
            Call("web", "db.example.com", 5432, cidr="192.0.2.0/24"),
        ),
        (
            {"cidr": "192.0.2.0/24", "port": 123, "protocol": "udp"},
            Call("web", "192.0.2.0/24", 123, "udp", cidr="192.0.2.0/24"),
        ),
        (
            {"service": "payments", "namespace": "prod.bank.internal", "cidr": "192.0.2.0/24", "port": 8080},
            Call("web", "payments.prod.bank.internal", 8080, "tcp", "PAYMENTS_URL", "http", "192.0.2.0/24"),
        ),
    ],
)
def test_an_external_target_has_its_network(callee: dict[str, object], call: Call) -> None:
    assert topology.calls_of(calling(callee), "web") == (call,)


@pytest.mark.parametrize(
    ("callee", "held"),
    [
        ({"host": "api.example.com", "port": 443}, "https://api.example.com"),
        ({"host": "api.example.com", "port": 80}, "http://api.example.com"),
        ({"host": "api.example.com", "port": 8443}, "api.example.com:8443"),
        ({"host": "ntp.example.com", "port": 443, "protocol": "udp"}, "ntp.example.com:443"),
        (
            {"service": "b", "namespace": "x.internal", "cidr": "192.0.2.0/24", "port": 8080},
            "http://b.x.internal:8080",
        ),
        (
            {"service": "b", "namespace": "x.internal", "cidr": "192.0.2.0/24", "port": 443},
            "https://b.x.internal",
        ),
    ],
)
def test_an_external_url_has_a_scheme_if_it_is_known(callee: dict[str, object], held: str) -> None:
    assert topology.call_urls(calling({**callee, "variable": "OUTSIDE"}), "web") == {"OUTSIDE": held}


def test_a_host_without_a_variable_adds_none() -> None:
    assert topology.call_urls(calling({"host": "api.example.com", "port": 443}), "web") == {}


def test_the_url_of_a_service_with_an_srv_record_has_no_port() -> None:
    services = {
        **CHAIN,
        "orders": CHAIN["orders"].model_copy(update={"discovery": Discovery(record_type="SRV")}),
    }
    assert topology.call_urls(environment(services), "web") == {
        "ORDERS_URL": "http+srv://orders.dev.shop.internal"
    }


def test_in_service_connect_callees_come_first() -> None:
    connected = environment(discovery="service_connect")
    assert topology.callees_to_start_first(connected, "worker") == ("orders", "stock")


def test_a_call_cycle_has_no_order() -> None:
    services = {"a": service(1, "b"), "b": service(1, "c"), "c": service(1, "b", "d"), "d": service(1)}
    connected = environment(services, discovery="service_connect")
    assert {name: topology.callees_to_start_first(connected, name) for name in services} == {
        "a": ("b",),
        "b": (),
        "c": ("d",),
        "d": (),
    }


def test_dns_needs_no_order() -> None:
    assert topology.callees_to_start_first(environment(), "worker") == ()
