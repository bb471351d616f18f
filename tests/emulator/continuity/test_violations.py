"""What must work and does not, in worlds of plain values."""

from dataclasses import replace

import pytest

from fleetform.emulator.continuity.violations import (
    Expectations,
    ExpectedCall,
    ExpectedService,
    Violation,
    violations,
)
from fleetform.emulator.continuity.world import Route, Rule, Service, Task, World

WEB = Task(
    id="w",
    address="10.0.0.4",
    subnet="subnet-a",
    groups=frozenset({"sg-web"}),
    ports=frozenset({("tcp", 80)}),
    images=frozenset({"web@sha256:1"}),
)
ORDERS = Task(
    id="o",
    address="10.0.1.4",
    subnet="subnet-b",
    groups=frozenset({"sg-orders"}),
    ports=frozenset({("tcp", 8080)}),
)
EGRESS = Rule("egress", "sg-web", "tcp", 8080, 8080, peer="sg-orders")
INGRESS = Rule("ingress", "sg-orders", "tcp", 8080, 8080, peer="sg-web")
FROM_BALANCER = Rule("ingress", "sg-web", "tcp", 80, 80, peer="sg-lb")
ROUTE = Route(frozenset({"sg-lb"}), frozenset({("10.0.0.4", 80)}))
WORLD = World(
    services={
        "shop-web": Service("ACTIVE", 1, (WEB,), is_scaled=True),
        "shop-orders": Service("ACTIVE", 1, (ORDERS,)),
    },
    subnets=frozenset({"subnet-a", "subnet-b"}),
    rules=frozenset({EGRESS, INGRESS, FROM_BALANCER}),
    names={"orders.shop": frozenset({"o"})},
    routes=(ROUTE,),
    images=frozenset({"web@sha256:1"}),
)
EXPECTED = Expectations(
    region="eu-central-1",
    cluster="shop",
    services=(
        ExpectedService("web", ("shop-web",), is_public=True, is_scaled=True),
        ExpectedService("orders", ("shop-orders", "shop-shipping"), ("orders.shop", "shipping.shop")),
    ),
    calls=(ExpectedCall("web", "orders", (8080, 9090)),),
)


def with_service(name: str, service: Service) -> World:
    return replace(WORLD, services={**WORLD.services, name: service})


def found(world: World) -> list[tuple[str, tuple[str, ...], str]]:
    return [(each.check, each.services, each.detail) for each in sorted(violations(world, EXPECTED))]


def test_a_sound_world_has_no_violations() -> None:
    assert violations(WORLD, EXPECTED) == frozenset()


@pytest.mark.parametrize("status", ["DRAINING", "INACTIVE"])
def test_a_service_must_be_active(status: str) -> None:
    world = with_service("shop-orders", Service(status, 1))
    assert violations(world, EXPECTED) == {Violation("service", ("orders",), "no ECS service is ACTIVE")}


def test_a_service_may_go_on_under_another_of_its_names() -> None:
    services = {"shop-web": WORLD.services["shop-web"], "shop-shipping": WORLD.services["shop-orders"]}
    world = replace(WORLD, services=services, names={"shipping.shop": frozenset({"o"})})
    assert violations(world, EXPECTED) == frozenset()


def test_a_service_must_have_a_task() -> None:
    assert found(with_service("shop-orders", Service("ACTIVE", 1))) == [
        ("service", ("orders",), "no task runs")
    ]


def test_a_service_may_be_scaled_to_no_task() -> None:
    assert found(with_service("shop-orders", Service("ACTIVE", 0))) == []


def test_tasks_need_their_subnet() -> None:
    assert found(replace(WORLD, subnets=frozenset({"subnet-a"}))) == [
        ("subnet", ("orders",), "tasks run in subnet-b, which does not exist")
    ]


def test_tasks_need_their_images() -> None:
    assert found(replace(WORLD, images=frozenset())) == [
        ("image", ("web",), "tasks run web@sha256:1, which is not in ECR")
    ]


def test_scaling_must_stay() -> None:
    world = with_service("shop-web", replace(WORLD.services["shop-web"], is_scaled=False))
    assert found(world) == [("scaling", ("web",), "no scalable target has a policy")]


def test_a_callee_must_be_found_by_one_of_its_names() -> None:
    assert found(replace(WORLD, names={"orders.shop": frozenset({"earlier"})})) == [
        ("call", ("web", "orders"), "the caller finds the callee in no namespace"),
        ("name", ("orders",), "orders.shop or shipping.shop leads to no task"),
    ]


@pytest.mark.parametrize("caller_is_connected", [True, False])
def test_a_name_in_service_connect_is_for_callers_that_are_part_of_it(
    caller_is_connected: bool,  # noqa: FBT001 -- the parameter of the test
) -> None:
    orders = Service("ACTIVE", 1, (ORDERS,), is_connected=True, aliases=frozenset({"orders.shop"}))
    web = replace(WORLD.services["shop-web"], is_connected=caller_is_connected)
    world = replace(WORLD, services={"shop-web": web, "shop-orders": orders}, names={})
    missing = [("call", ("web", "orders"), "the caller finds the callee in no namespace")]
    assert found(world) == ([] if caller_is_connected else missing)


@pytest.mark.parametrize(("rule", "direction"), [(EGRESS, "egress"), (INGRESS, "ingress")])
def test_a_call_needs_its_rule_on_both_sides(rule: Rule, direction: str) -> None:
    assert found(replace(WORLD, rules=WORLD.rules - {rule})) == [
        ("call", ("web", "orders"), f"no {direction} rule for tcp port 8080")
    ]


def test_a_call_needs_a_rule_for_the_port_on_which_each_running_task_listens() -> None:
    new = replace(ORDERS, id="n", address="10.0.1.5", ports=frozenset({("tcp", 9090)}))
    assert found(with_service("shop-orders", Service("ACTIVE", 1, (ORDERS, new)))) == [
        ("call", ("web", "orders"), "no egress rule for tcp port 9090"),
        ("call", ("web", "orders"), "no ingress rule for tcp port 9090"),
    ]


@pytest.mark.parametrize(
    "rule",
    [
        Rule("egress", "sg-web", "-1", cidr="0.0.0.0/0"),
        Rule("egress", "sg-web", "tcp", 8000, 9000, cidr="10.0.1.0/24"),
        Rule("egress", "sg-web", "tcp", 8080, 8080, peer="sg-orders"),
    ],
)
def test_a_rule_for_more_than_the_call_is_enough(rule: Rule) -> None:
    assert found(replace(WORLD, rules=WORLD.rules - {EGRESS} | {rule})) == []


@pytest.mark.parametrize(
    "rule",
    [
        Rule("egress", "sg-web", "udp", 8080, 8080, peer="sg-orders"),
        Rule("egress", "sg-web", "tcp", 8081, 9000, peer="sg-orders"),
        Rule("egress", "sg-web", "tcp", 8080, 8080, cidr="10.0.2.0/24"),
        Rule("egress", "sg-web", "tcp", 8080, 8080, peer="sg-web"),
        Rule("egress", "sg-other", "tcp", 8080, 8080, peer="sg-orders"),
    ],
)
def test_a_rule_for_something_else_is_not_enough(rule: Rule) -> None:
    assert found(replace(WORLD, rules=WORLD.rules - {EGRESS} | {rule})) == [
        ("call", ("web", "orders"), "no egress rule for tcp port 8080")
    ]


@pytest.mark.parametrize(
    "world",
    [
        replace(WORLD, routes=()),
        replace(WORLD, routes=(replace(ROUTE, targets=frozenset()),)),
        replace(WORLD, routes=(replace(ROUTE, targets=frozenset({("10.0.0.4", 8080)})),)),
        replace(WORLD, rules=WORLD.rules - {FROM_BALANCER}),
    ],
    ids=["no rule", "no target", "another port", "a closed group"],
)
def test_a_load_balancer_must_lead_to_a_public_service(world: World) -> None:
    assert found(world) == [
        ("public", ("web",), "neither a load balancer nor a public address leads to a task")
    ]


def test_a_public_address_with_an_open_port_is_enough() -> None:
    web = replace(WORLD.services["shop-web"], tasks=(replace(WEB, is_public=True),))
    opened = Rule("ingress", "sg-web", "tcp", 80, 80, cidr="0.0.0.0/0")
    closed = replace(with_service("shop-web", web), routes=())
    assert len(found(closed)) == 1
    assert found(replace(closed, rules=WORLD.rules | {opened})) == []
