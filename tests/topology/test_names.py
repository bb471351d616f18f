from fleetform import topology
from fleetform.catalog.models import Discovery, ServiceConnect

from .environments import CHAIN, environment, service

ORDERS = CHAIN["orders"].model_copy(
    update={"service_connect": ServiceConnect(alias="order-api"), "discovery": Discovery(record_type="SRV")}
)
SERVICES = {**CHAIN, "orders": ORDERS}


def test_the_namespace_is_named_after_environment_and_application() -> None:
    assert topology.namespace(environment()) == "dev.shop.internal"


def test_a_service_has_a_dns_name_in_the_namespace() -> None:
    assert topology.dns_name(environment(), "web") == "web.dev.shop.internal"


def test_services_that_listen_on_a_port_are_discoverable() -> None:
    assert topology.discoverable_services(environment()) == ("orders", "stock", "web")


def test_a_service_is_found_by_its_alias_in_service_connect() -> None:
    connected = environment(SERVICES, discovery="service_connect")
    assert topology.dns_name(connected, "orders") == "order-api.dev.shop.internal"


def test_an_alias_means_nothing_without_service_connect() -> None:
    assert topology.dns_name(environment(SERVICES), "orders") == "orders.dev.shop.internal"


def test_services_with_srv_records_are_listed() -> None:
    assert topology.services_with_srv_record(environment(SERVICES)) == ("orders",)


def test_service_connect_has_no_srv_records() -> None:
    assert topology.services_with_srv_record(environment(SERVICES, discovery="service_connect")) == ()


def test_a_renamed_service_keeps_its_original_dns_name() -> None:
    buys = service(8080).model_copy(update={"renamed_from": ("shop", "orders")})
    renamed = environment({"web": service(80, "buys"), "buys": buys})
    assert topology.call_urls(renamed, "web") == {"BUYS_URL": "http://shop.dev.shop.internal:8080"}
    assert topology.discoverable_services(renamed) == ("shop", "web")
    assert renamed.full_name("buys") == "shop-dev-shop"
    assert renamed.full_name("web") == "shop-dev-web"
