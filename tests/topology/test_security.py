import pytest

from fleetform import topology
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


@pytest.mark.parametrize("security", ["edges", "shared"])
def test_a_rename_changes_no_group_and_no_rule(security: str) -> None:
    before = {"web": service(80, "orders", public=True), "orders": service(8080)}
    buys = service(8080).model_copy(update={"renamed_from": ("orders",)})
    after = {"web": service(80, "buys", public=True), "buys": buys}
    old, new = (topology.security_groups(environment(services, security=security)) for services in (before, after))
    assert (new.groups, new.ingress, new.egress) == (old.groups, old.ingress, old.egress)
    assert new.members == {"web": old.members["web"], "buys": old.members["orders"]}
