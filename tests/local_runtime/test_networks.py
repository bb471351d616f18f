"""The networks: whom they join, and where their addresses are."""

import ipaddress
from itertools import combinations

import pytest

from fleetform.aws.live_state import AppliedEnvironment, AppliedService
from fleetform.base.errors import InputError
from fleetform.local_runtime.networks import Network, choose_cidr_block, networks
from fleetform.topology.applied_rule import AppliedRule
from tests.local_runtime.applied import (
    ANYWHERE,
    OPEN_GROUP,
    call,
    container,
    definition,
    environment,
    everyone,
    https,
    sample,
    service,
)

BLOCK = "198.18.0.0/18"


def found(applied: AppliedEnvironment, block: str = BLOCK) -> tuple[Network, ...]:
    return networks(applied, "shop-local", block)


def joined(applied: AppliedEnvironment) -> dict[str, tuple[tuple[str, ...], str | None, bool]]:
    """Members, callee and whether it is internal, of each network."""
    return {network.name: (network.members, network.callee, network.internal) for network in found(applied)}


def subnets(applied: AppliedEnvironment, block: str = BLOCK) -> dict[str, str]:
    return {network.name: network.subnet for network in found(applied, block)}


def test_each_call_has_a_network_and_each_service_that_calls_out_its_own() -> None:
    assert joined(sample(shared=False)) == {
        "orders--outward": (("orders",), "orders", False),
        "orders--stock": (("orders", "stock"), "stock", True),
        "stock--outward": (("stock",), "stock", False),
        "web--orders": (("orders", "web"), "orders", True),
        "web--outward": (("web",), "web", False),
    }


def test_where_the_engine_does_not_keep_them_apart_only_public_services_have_a_way_out() -> None:
    made = networks(sample(shared=False), "shop-local", BLOCK, isolating=False)
    assert [network.name for network in made] == ["orders--stock", "web--orders", "web--outward"]


def test_a_group_that_is_open_within_itself_is_one_network() -> None:
    assert joined(sample(shared=True)) == {
        "app": (("orders", "stock", "web"), None, True),
        "orders--outward": (("orders",), "orders", False),
        "stock--outward": (("stock",), "stock", False),
        "web--outward": (("web",), "web", False),
    }


def test_a_service_outside_of_an_open_group_is_reached_by_a_network_of_the_call() -> None:
    services = [service("web", 80, group="app"), service("orders", 8080, group="app"), service("bank", 8443)]
    rules = {*OPEN_GROUP, *call("app", "bank", 8443)}
    assert joined(environment(services, rules)) == {
        "app": (("orders", "web"), None, True),
        "orders--bank": (("bank", "orders"), "bank", True),
        "orders--outward": (("orders",), "orders", False),
        "web--bank": (("bank", "web"), "bank", True),
        "web--outward": (("web",), "web", False),
    }


def test_a_group_with_a_closed_port_is_not_a_network() -> None:
    services = [service("web", 80, group="app"), service("orders", 8080, group="app")]
    rules = call("app", "app", 8080)
    assert joined(environment(services, rules)) == {
        "orders--orders": (("orders",), "orders", True),
        "web--orders": (("orders", "web"), "orders", True),
    }


def test_a_call_by_udp_has_a_network_too() -> None:
    mapping = {"containerPort": 53, "hostPort": 53, "protocol": "udp"}
    dns = AppliedService(
        "dns", 1, definition("dns", [container("dns", portMappings=[mapping])]), None, ("dns",)
    )
    rules = {
        AppliedRule("ingress", "dns", "udp", 53, 53, peer="web"),
        AppliedRule("egress", "web", "udp", 53, 53, peer="dns"),
    }
    assert joined(environment([service("web", 80), dns], rules)) == {
        "web--dns": (("dns", "web"), "dns", True)
    }


def test_a_rule_without_a_counterpart_opens_nothing() -> None:
    services = [service("web", 80), service("orders", 8080)]
    assert (
        joined(environment(services, {AppliedRule("egress", "web", "tcp", 8080, 8080, peer="orders")})) == {}
    )


def test_services_without_tasks_are_in_no_network() -> None:
    services = [service("web", 80, tasks=0), service("orders", 8080)]
    rules = {*call("web", "orders", 8080), everyone("web", 80), https("web"), https("orders")}
    assert joined(environment(services, rules)) == {"orders--outward": (("orders",), "orders", False)}


def test_services_without_ports_call_and_are_not_called() -> None:
    services = [service("worker", None), service("orders", 8080)]
    assert joined(environment(services, call("worker", "orders", 8080))) == {
        "worker--orders": (("orders", "worker"), "orders", True)
    }


def test_a_public_service_without_calls_has_a_network_that_leads_out() -> None:
    assert joined(environment([service("web", 80)], {everyone("web", 80)})) == {
        "web--outward": (("web",), "web", False)
    }


def test_a_service_that_is_called_outward_must_not_take_the_name_of_a_network() -> None:
    services = [service("web", 80), service("outward", 8080)]
    with pytest.raises(InputError) as caught:
        found(environment(services, {*call("web", "outward", 8080), https("web")}))
    assert str(caught.value) == (
        "two networks would have the name web--outward; rename the service `outward`"
    )


def mesh(count: int) -> list[AppliedService]:
    return [service(f"service-{chr(ord('a') + number)}", 8080) for number in range(count)]


def all_calls(services: list[AppliedService]) -> set[AppliedRule]:
    return {rule for one, other in combinations(services, 2) for rule in call(one.name, other.name, 8080)}


def test_a_new_call_moves_no_other_network() -> None:
    services = mesh(6)
    before = subnets(environment(services, all_calls(services[:4])))
    after = subnets(environment(services, all_calls(services)))
    assert {name: after[name] for name in before} == before


def test_no_two_networks_overlap_however_full_the_block_is() -> None:
    services = mesh(9)
    applied = environment(services, all_calls(services))
    places = [ipaddress.IPv4Network(subnet) for subnet in subnets(applied, "10.99.0.0/22").values()]
    assert len(places) == 36
    assert [pair for pair in combinations(places, 2) if pair[0].overlaps(pair[1])] == []
    assert all(place.subnet_of(ipaddress.IPv4Network("10.99.0.0/22")) for place in places)


@pytest.mark.parametrize(("tasks", "length"), [(1, 28), (13, 28), (14, 27), (29, 27), (30, 26), (253, 24)])
def test_a_network_has_an_address_for_each_task_and_three_for_itself(tasks: int, length: int) -> None:
    applied = environment([service("web", 80, tasks=tasks)], {https("web")})
    assert ipaddress.IPv4Network(subnets(applied)["web--outward"]).prefixlen == length


def test_a_block_that_is_too_small_is_reported() -> None:
    applied = environment([service("web", 80), service("orders", 8080)], {https("web"), https("orders")})
    with pytest.raises(InputError) as caught:
        found(applied, "10.99.0.0/28")
    assert str(caught.value) == (
        "10.99.0.0/28 is too small for 2 networks; set FLEETFORM_NETWORKS to a larger free block"
    )


def test_a_network_that_is_larger_than_the_block_is_reported() -> None:
    with pytest.raises(InputError) as caught:
        found(environment([service("web", 80, tasks=14)], {https("web")}), "10.99.0.0/28")
    assert str(caught.value) == (
        "10.99.0.0/28 is too small for 1 networks; set FLEETFORM_NETWORKS to a larger free block"
    )


def test_an_environments_block_follows_from_its_prefix() -> None:
    prefixes = ("shop-local", "shop-prod", "shop-dev", "ecs_service_discovery")
    assert [choose_cidr_block(prefix, {}) for prefix in prefixes] == [
        "198.18.0.0/18",
        "198.18.192.0/18",
        "198.19.0.0/18",
        "198.19.192.0/18",
    ]


def test_another_block_can_be_chosen() -> None:
    assert choose_cidr_block("shop-local", {"FLEETFORM_NETWORKS": "172.30.0.0/20"}) == "172.30.0.0/20"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "here",
            "FLEETFORM_NETWORKS: Expected 4 octets in 'here'; set an IPv4 network, such as 172.30.0.0/18",
        ),
        (
            "172.30.0.1/18",
            "FLEETFORM_NETWORKS: 172.30.0.1/18 has host bits set; set an IPv4 network, such as 172.30.0.0/18",
        ),
        (
            "172.30.0.0/29",
            "FLEETFORM_NETWORKS=172.30.0.0/29: too small for a network; use a block such as 172.30.0.0/18",
        ),
    ],
)
def test_an_invalid_block_is_refused(value: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        choose_cidr_block("shop-local", {"FLEETFORM_NETWORKS": value})
    assert str(caught.value) == message


def test_a_rule_for_everyone_lets_the_environments_own_services_in_too() -> None:
    services = [service("web", 443), service("orders", 8080)]
    rules = {everyone("web", 443), AppliedRule("egress", "orders", "tcp", 443, 443, cidr=ANYWHERE)}
    assert joined(environment(services, rules)) == {
        "orders--outward": (("orders",), "orders", False),
        "orders--web": (("orders", "web"), "web", True),
        "web--outward": (("web",), "web", False),
    }
