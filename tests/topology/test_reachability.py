"""Who reaches whom, computed from rules alone, is what the catalog says."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fleetform import topology
from fleetform.base.errors import CheckFailedError
from fleetform.catalog.models import Environment, IngressConfig, Network, Service
from fleetform.topology.applied_rule import AppliedRule
from fleetform.topology.reachability import Connection, connections, differences, read, read_rules
from tests import graphs
from tests.graphs import environments, reached

few = settings(max_examples=100)


@few
@given(environments())
def test_every_call_is_possible_and_nothing_else_whatever_the_graph(made: Environment) -> None:
    assert differences(made, reached(made, graphs.rules(made))) == ()


@few
@given(environments(), st.data())
def test_a_rule_that_is_missing_closes_a_way(made: Environment, data: st.DataObject) -> None:
    rules = graphs.rules(made)
    assume(graphs.needed(rules))
    missing = data.draw(st.sampled_from(graphs.needed(rules)))
    assert differences(made, reached(made, rules - {missing})) != ()


@few
@given(environments(), st.data())
def test_a_call_that_nobody_declared_is_told(made: Environment, data: st.DataObject) -> None:
    caller, callee = (data.draw(st.sampled_from(sorted(made.services))) for _ in range(2))
    added = {
        AppliedRule("egress", caller, "tcp", 22, 22, peer=callee),
        AppliedRule("ingress", callee, "tcp", 22, 22, peer=caller),
    }
    found = differences(made, reached(made, graphs.rules(made) | added))
    assert found == (f"{caller}->{callee}:22/tcp is open and not declared",)


@few
@given(environments())
def test_no_two_rules_of_a_direction_open_the_same(made: Environment) -> None:
    """EC2 refuses a rule that is there already, whatever its description."""
    for side in ("ingress", "egress"):
        planned = topology.security_groups(made)
        found = [graphs.applied(side, rule) for rule in getattr(planned, side).values()]
        assert len(set(found)) == len(found)


def resource(address: str, index: str | None = None, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A resource as `terraform show -json` has it."""
    return {"address": address, "mode": "managed", "type": address.split(".")[2], "index": index, "values": values}


def document(key: str, *resources: dict[str, Any]) -> dict[str, Any]:
    """Resources of modules as a plan or a state has them."""
    return {key: {"root_module": {"child_modules": [{"resources": list(resources)}]}}}


def group(key: str) -> dict[str, Any]:
    return resource("module.security.aws_security_group.this", key, id=f"sg-{key}")


def rule(side: str, own: str, port: int, **end: str) -> dict[str, Any]:
    address = f"module.security.aws_vpc_security_group_{side}_rule.this"
    return resource(address, security_group_id=f"sg-{own}", ip_protocol="tcp", from_port=port, to_port=port, **end)


def subnet(name: str, **gateway: str) -> list[dict[str, Any]]:
    table = {"route_table_id": f"rtb-{name}"}
    route = resource("module.network.aws_route.this", destination_cidr_block="0.0.0.0/0", **table, **gateway)
    return [route, resource("module.network.aws_route_table_association.this", subnet_id=name, **table)]


def balancer(*, internal: bool) -> dict[str, Any]:
    ends: Any = {"security_groups": ["sg-ingress"], "subnets": ["public"]}
    return resource("module.ingress.aws_lb.this", internal=internal, **ends)


def foundation(*, internal: bool = False) -> list[dict[str, Any]]:
    """A load balancer in a public subnet, `web` behind it, its endpoint and its logs' prefix list."""
    return [
        resource("module.network.aws_vpc.this", cidr_block="10.0.0.0/16"),
        *subnet("public", gateway_id="igw-1"),
        *subnet("private", nat_gateway_id="nat-1"),
        *map(group, ("endpoints", "ingress", "web")),
        balancer(internal=internal),
        resource("module.ingress.aws_lb_listener.http", port=80),
        resource("module.network.aws_vpc_endpoint.this", security_group_ids=["sg-endpoints"]),
        resource(
            "module.network.aws_vpc_endpoint.s3", service_name="com.amazonaws.eu-west-1.s3", prefix_list_id="pl-1"
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


def ways(subnets: str, *, internal: bool = False) -> set[str]:
    made = read(document("values", *foundation(internal=internal)), document("planned_values", web(subnets)))
    return set(map(str, connections(made)))


WITHIN = {"ingress->web:80/tcp", "web->endpoints:443/tcp", "web->s3:443/tcp"}


def test_the_internet_reaches_the_listeners_of_a_load_balancer() -> None:
    """Its group is open on 8080 too, where it does not listen."""
    assert ways("private") == {*WITHIN, "internet->ingress:80/tcp", "web->internet:443/tcp"}


def test_an_internal_load_balancer_is_reached_by_nobody_outside() -> None:
    assert ways("private", internal=True) == {*WITHIN, "web->internet:443/tcp"}


def test_a_task_without_a_public_address_has_no_way_through_an_internet_gateway() -> None:
    assert ways("public") == {*WITHIN, "internet->ingress:80/tcp"}


def test_a_plan_before_anything_is_applied_says_that_it_tells_nothing() -> None:
    address = "module.security.aws_vpc_security_group_ingress_rule.this"
    with pytest.raises(CheckFailedError) as refused:
        read_rules(document("planned_values", resource(address, ip_protocol="-1")))
    assert str(refused.value) == (
        f"{address}: its security group is not made yet; apply the foundation, or plan over groups that are there"
    )


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [(80, 80, "internet->web:80/tcp"), (80, 90, "internet->web:80-90/tcp")],
)
def test_a_way_is_written_with_its_ports(first: int, last: int, shown: str) -> None:
    assert str(Connection("internet", "web", "tcp", first, last)) == shown


def test_two_rules_open_what_they_have_in_common() -> None:
    made = graphs.environment(
        {"a": Service(image="nginx"), "b": Service(image="nginx")}, ingress=IngressConfig(type="none")
    )
    rules = {
        AppliedRule("egress", "a", "-1", peer="b"),
        AppliedRule("ingress", "b", "tcp", 80, 90, peer="a"),
        AppliedRule("ingress", "b", "udp", 53, 53, cidr="10.0.0.0/24"),
        AppliedRule("egress", "b", "tcp", 1, 85, cidr="10.0.0.0/8"),
        AppliedRule("ingress", "a", "udp", 1, 85, peer="b"),
    }
    found = connections(reached(made, frozenset(rules)))
    assert set(map(str, found)) == {"a->b:53/udp", "a->b:80-90/tcp", "b->10.0.0.0/8:1-85/tcp"}


def test_in_the_shared_group_only_who_enters_is_told() -> None:
    services = {"web": Service(image="nginx", port=80, public=True), "orders": Service(image="nginx", port=8080)}
    made = graphs.environment(services, security="shared", network=Network())
    opened = AppliedRule("ingress", "app", "tcp", 22, 22, cidr="0.0.0.0/0")
    assert differences(made, reached(made, graphs.rules(made))) == ()
    assert differences(made, reached(made, graphs.rules(made) | {opened})) == (
        "internet->orders:22/tcp is open and not declared",
        "internet->web:22/tcp is open and not declared",
    )
