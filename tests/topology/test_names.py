from fleetform import topology

from .environments import environment


def test_the_namespace_is_named_after_environment_and_application() -> None:
    assert topology.namespace(environment()) == "dev.shop.internal"


def test_a_service_is_found_in_the_namespace() -> None:
    assert topology.dns_name(environment(), "web") == "web.dev.shop.internal"


def test_services_that_listen_on_a_port_are_discoverable() -> None:
    assert topology.discoverable(environment()) == ("orders", "stock", "web")
