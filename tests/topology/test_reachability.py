"""The connections that rules allow are those that the catalog declares."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fleetform import topology
from fleetform.base.errors import CheckFailedError
from fleetform.catalog.models import Environment, IngressConfig, Network, Service
from fleetform.topology.applied_rule import AppliedRule
from fleetform.topology.reachability import Opening, find_differences, openings, read_network, read_rules
from tests import graphs
from tests.graphs import environments, reached

few = settings(max_examples=100)


@few
@given(environments())
def test_every_graph_allows_its_calls_and_nothing_else(env: Environment) -> None:
    assert find_differences(env, reached(env, graphs.rules(env))) == ()


@few
@given(environments(), st.data())
def test_a_missing_rule_closes_a_connection(env: Environment, data: st.DataObject) -> None:
    rules = graphs.rules(env)
    assume(graphs.needed(rules))
    missing = data.draw(st.sampled_from(graphs.needed(rules)))
    assert find_differences(env, reached(env, rules - {missing})) != ()


@few
@given(environments(), st.data())
def test_an_undeclared_call_is_reported(env: Environment, data: st.DataObject) -> None:
    caller, callee = (data.draw(st.sampled_from(sorted(env.services))) for _ in range(2))
    added = {
        AppliedRule("egress", caller, "tcp", 22, 22, peer=callee),
        AppliedRule("ingress", callee, "tcp", 22, 22, peer=caller),
    }
    differences = find_differences(env, reached(env, graphs.rules(env) | added))
    assert differences == (f"{caller}->{callee}:22/tcp is open and not declared",)


@few
@given(environments())
def test_the_groups_allow_the_ports_that_their_rules_open(env: Environment) -> None:
    groups = topology.security_groups(env)
    opened = openings(reached(env, graphs.rules(env)))
    ports = {80, 8080, *(service.port for service in env.services.values() if service.port)}
    for caller, callee in permutations(env.services, 2):
        assert {port for port in ports if groups.allow(caller, callee, port)} == {
            port
            for port in ports
            for opening in opened
            if (opening.source, opening.target) == (caller, callee)
            if opening.protocol != "udp"
            if opening.first <= port <= opening.last
        }


@few
@given(environments())
def test_no_two_rules_of_a_direction_are_equal(env: Environment) -> None:
    """EC2 rejects a rule that exists already, with any description."""
    for side in ("ingress", "egress"):
        planned = topology.security_groups(env)
        rules = [graphs.applied(side, rule) for rule in getattr(planned, side).values()]
        assert len(set(rules)) == len(rules)


def resource(address: str, index: str | None = None, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a resource in the form of `terraform show -json`."""
    return {
        "address": address,
        "mode": "managed",
        "type": address.split(".")[2],
        "index": index,
        "values": values,
    }


def document(key: str, *resources: dict[str, Any]) -> dict[str, Any]:
    """Return a plan or a state with resources in modules."""
    return {key: {"root_module": {"child_modules": [{"resources": list(resources)}]}}}


def group(key: str) -> dict[str, Any]:
    return resource("module.security.aws_security_group.this", key, id=f"sg-{key}")


def rule(side: str, own: str, port: int, **end: str) -> dict[str, Any]:
    address = f"module.security.aws_vpc_security_group_{side}_rule.this"
    return resource(
        address, security_group_id=f"sg-{own}", ip_protocol="tcp", from_port=port, to_port=port, **end
    )


def subnet(name: str, **gateway: str) -> list[dict[str, Any]]:
    table = {"route_table_id": f"rtb-{name}"}
    route = resource("module.network.aws_route.this", destination_cidr_block="0.0.0.0/0", **table, **gateway)
    return [route, resource("module.network.aws_route_table_association.this", subnet_id=name, **table)]


def balancer(*, internal: bool) -> dict[str, Any]:
    ends: Any = {"security_groups": ["sg-ingress"], "subnets": ["public"]}
    return resource("module.ingress.aws_lb.this", internal=internal, **ends)


def foundation(*, internal: bool = False) -> list[dict[str, Any]]:
    """Return a load balancer in a public subnet, `web` behind it, its endpoint and its logs' prefix list."""
    return [
        resource("module.network.aws_vpc.this", cidr_block="10.0.0.0/16"),
        *subnet("public", gateway_id="igw-1"),
        *subnet("private", nat_gateway_id="nat-1"),
        *map(group, ("endpoints", "ingress", "web")),
        balancer(internal=internal),
        resource("module.ingress.aws_lb_listener.http", port=80),
        resource("module.network.aws_vpc_endpoint.this", security_group_ids=["sg-endpoints"]),
        resource(
            "module.network.aws_vpc_endpoint.s3",
            service_name="com.amazonaws.eu-west-1.s3",
            prefix_list_id="pl-1",
        ),
        rule("ingress", "ingress", 80, cidr_ipv4="0.0.0.0/0"),
        rule("ingress", "ingress", 8080, cidr_ipv4="0.0.0.0/0"),
        rule("ingress", "web", 80, referenced_security_group_id="sg-ingress"),
        rule("egress", "ingress", 80, referenced_security_group_id="sg-web"),
        rule("ingress", "endpoints", 443, referenced_security_group_id="sg-web"),
        rule("egress", "web", 443, referenced_security_group_id="sg-endpoints"),
        rule("egress", "web", 443, prefix_list_id="pl-1"),
        rule("egress", "web", 443, cidr_ipv4="0.0.0.0/0"),
    ]


def web(subnets: str) -> dict[str, Any]:
    network = {"security_groups": ["sg-web"], "subnets": [subnets], "assign_public_ip": False}
    return resource("module.web.aws_ecs_service.fixed", "this", network_configuration=[network])


def open_connections(subnets: str, *, internal: bool = False) -> set[str]:
    env = read_network(
        document("values", *foundation(internal=internal)), document("planned_values", web(subnets))
    )
    return set(map(str, openings(env)))


WITHIN = {"ingress->web:80/tcp", "web->endpoints:443/tcp", "web->s3:443/tcp"}


def test_the_internet_reaches_the_listeners_of_a_load_balancer() -> None:
    """Its group is also open on 8080, on which it does not listen."""
    assert open_connections("private") == {*WITHIN, "internet->ingress:80/tcp", "web->internet:443/tcp"}


def test_an_internal_load_balancer_is_unreachable_from_outside() -> None:
    assert open_connections("private", internal=True) == {*WITHIN, "web->internet:443/tcp"}


def test_a_task_without_a_public_address_cannot_use_an_internet_gateway() -> None:
    assert open_connections("public") == {*WITHIN, "internet->ingress:80/tcp"}


def test_a_plan_before_the_first_apply_is_refused() -> None:
    address = "module.security.aws_vpc_security_group_ingress_rule.this"
    with pytest.raises(CheckFailedError) as refused:
        read_rules(document("planned_values", resource(address, ip_protocol="-1")))
    assert str(refused.value) == (
        f"{address}: its security group does not exist yet; apply the foundation, or plan with existing"
        " groups"
    )


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [(80, 80, "internet->web:80/tcp"), (80, 90, "internet->web:80-90/tcp")],
)
def test_an_opening_is_written_with_its_ports(first: int, last: int, shown: str) -> None:
    assert str(Opening("internet", "web", "tcp", first, last)) == shown


def test_two_rules_open_what_both_allow() -> None:
    env = graphs.environment(
        {"a": Service(image="nginx"), "b": Service(image="nginx")}, ingress=IngressConfig(type="none")
    )
    rules = {
        AppliedRule("egress", "a", "-1", peer="b"),
        AppliedRule("ingress", "b", "tcp", 80, 90, peer="a"),
        AppliedRule("ingress", "b", "udp", 53, 53, cidr="10.0.0.0/24"),
        AppliedRule("egress", "b", "tcp", 1, 85, cidr="10.0.0.0/8"),
        AppliedRule("ingress", "a", "udp", 1, 85, peer="b"),
    }
    found = openings(reached(env, frozenset(rules)))
    assert set(map(str, found)) == {"a->b:53/udp", "a->b:80-90/tcp", "b->10.0.0.0/8:1-85/tcp"}


def test_in_a_shared_group_only_undeclared_entries_are_reported() -> None:
    services = {
        "web": Service(image="nginx", port=80, public=True),
        "orders": Service(image="nginx", port=8080),
    }
    env = graphs.environment(services, security="shared", network=Network())
    opened = AppliedRule("ingress", "app", "tcp", 22, 22, cidr="0.0.0.0/0")
    assert find_differences(env, reached(env, graphs.rules(env))) == ()
    assert find_differences(env, reached(env, graphs.rules(env) | {opened})) == (
        "internet->orders:22/tcp is open and not declared",
        "internet->web:22/tcp is open and not declared",
    )
