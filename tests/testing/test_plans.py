"""What a plan says of calls, public services and images is read from its resources."""

import json
from typing import Any

import pytest

from fleetform.base.errors import InputError
from fleetform.testing import EnvironmentPlan, StackPlan

REGISTRY = "123456789012.dkr.ecr.eu-west-1.localhost:5566"
VPC = "10.0.0.0/16"
Resource = dict[str, Any]


def resource(address: str, index: str | None = None, **values: Any) -> Resource:  # noqa: ANN401 - JSON
    """Return a resource as Terraform shows it."""
    suffix = "" if index is None else f'["{index}"]'
    kind = address.split(".")[-2]
    return {"address": address + suffix, "mode": "managed", "type": kind, "index": index, "values": values}


def rule(direction: str, key: str, group: str, **values: Any) -> Resource:  # noqa: ANN401 - JSON
    """Return a rule of a group, by default for TCP."""
    address = f"module.security.aws_vpc_security_group_{direction}_rule.this"
    return resource(address, key, security_group_id=f"sg-{group}", **{"ip_protocol": "tcp", **values})


def ports(first: int, last: int | None = None) -> dict[str, Any]:
    """Return the ports of a rule."""
    return {"from_port": first, "to_port": first if last is None else last}


def call(caller: str, callee: str, **values: Any) -> list[Resource]:  # noqa: ANN401 - JSON
    """Return the two rules of a call between groups."""
    return [
        rule("egress", f"{caller}->{callee}", caller, referenced_security_group_id=f"sg-{callee}", **values),
        rule("ingress", f"{caller}->{callee}", callee, referenced_security_group_id=f"sg-{caller}", **values),
    ]


def service(
    name: str, *listening: int, group: str = "", image: str = "", sidecar: str = "", protocol: str = "tcp"
) -> list[Resource]:
    """Return the task definition and the service of a module call.

    Args:
        name: The service.
        listening: Its ports.
        group: Its security group. Default: its own.
        image: Its image. Default: one of the environment's repositories.
        sidecar: The image of its sidecar `proxy`. Default: no sidecar.
        protocol: The protocol of its ports.
    """
    own = {
        "name": name,
        "image": image or f"{REGISTRY}/shop-{name}@sha256:0123",
        "portMappings": [{"containerPort": port, "protocol": protocol} for port in listening],
        "environment": [{"name": "LOG", "value": "debug"}],
    }
    containers = [*([{"name": "proxy", "image": sidecar}] if sidecar else []), own]
    network = {
        "security_groups": [f"sg-{group or name}"],
        "subnets": ["subnet-1"],
        "assign_public_ip": True,
    }
    return [
        resource(f"module.{name}.aws_ecs_task_definition.this", container_definitions=json.dumps(containers)),
        resource(f"module.{name}.aws_ecs_service.fixed", "this", network_configuration=[network]),
    ]


def plan(rules: list[Resource], *services: list[Resource]) -> EnvironmentPlan:
    """Return the plan of a small environment in a public subnet."""
    groups = {each["values"]["security_group_id"].removeprefix("sg-") for each in rules}
    route = {"route_table_id": "rtb-1", "gateway_id": "igw-1", "destination_cidr_block": "0.0.0.0/0"}
    association = {"subnet_id": "subnet-1", "route_table_id": "rtb-1"}
    foundation = [
        resource("module.network.aws_vpc.this", cidr_block=VPC),
        resource("module.network.aws_route.public", **route),
        resource("module.network.aws_route_table_association.public", **association),
        *(resource("module.security.aws_security_group.this", key, id=f"sg-{key}") for key in sorted(groups)),
        *rules,
    ]
    urls = {each: f"{REGISTRY}/shop-{each}" for each in ("web", "orders")}
    documents: dict[str, Resource] = {
        "foundation": {
            "root_module": {"child_modules": [{"resources": foundation}]},
            "outputs": {"repository_urls": {"value": urls}, "vpc_id": {"sensitive": False}},
        },
        "services": {"root_module": {"resources": [each for group in services for each in group]}},
    }
    return EnvironmentPlan("dev", {name: StackPlan(name, each) for name, each in documents.items()})


def test_a_call_is_open_if_both_security_groups_allow_it() -> None:
    rules = [*call("web", "orders", **ports(8080)), call("orders", "web", **ports(80))[0]]
    assert plan(rules, service("web", 80), service("orders", 8080)).calls == {"web->orders:8080"}


def test_a_call_names_a_port_that_the_callee_does_not_declare() -> None:
    rules = call("web", "orders", **ports(22))
    assert plan(rules, service("web", 80), service("orders", 8080)).calls == {"web->orders:22"}


def test_a_call_names_a_protocol_other_than_tcp() -> None:
    rules = call("web", "orders", ip_protocol="udp", **ports(53))
    planned = plan(rules, service("web"), service("orders", 53, protocol="udp"))
    assert planned.calls == {"web->orders:53/udp"}


def test_a_range_of_ports_stands_for_those_that_the_callee_listens_on() -> None:
    rules = call("web", "orders", **ports(8000, 9000))
    planned = plan(rules, service("web"), service("orders", 80, 8080, 8081))
    assert planned.calls == {"web->orders:8080", "web->orders:8081"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (ports(8000, 9000), "web->orders:8000-9000"),
        ({"ip_protocol": "udp", **ports(8000, 9000)}, "web->orders:8000-9000/udp"),
        ({"ip_protocol": "-1"}, "web->orders:*"),
    ],
    ids=["ports", "UDP", "everything"],
)
def test_a_range_of_ports_without_a_listener_is_shown_as_a_range(
    values: dict[str, Any], expected: str
) -> None:
    assert plan(call("web", "orders", **values), service("web"), service("orders")).calls == {expected}


def test_services_that_share_a_group_reach_each_other_where_they_listen() -> None:
    rules = [
        *call("app", "app", ip_protocol="-1"),
        rule("ingress", "internet", "app", cidr_ipv4="0.0.0.0/0", **ports(80)),
    ]
    planned = plan(rules, service("web", 80, group="app"), service("orders", 8080, group="app"))
    assert planned.calls == {"orders->orders:8080", "orders->web:80", "web->orders:8080", "web->web:80"}
    assert planned.public == {"web:80"}


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "8.8.8.0/24"])
def test_a_service_is_public_if_public_addresses_may_connect(cidr: str) -> None:
    block = {"cidr_ipv6" if ":" in cidr else "cidr_ipv4": cidr}
    rules = [rule("ingress", "in", "web", **block, **ports(80))]
    assert plan(rules, service("web", 80), service("orders", 8080)).public == {"web:80"}


def test_a_service_is_not_public_if_only_private_networks_may_connect() -> None:
    planned = plan([rule("ingress", "in", "web", cidr_ipv4="10.8.0.0/16", **ports(80))], service("web", 80))
    assert planned.public == frozenset()
    assert [str(each) for each in planned.openings] == ["10.8.0.0/16->web:80/tcp"]


@pytest.mark.parametrize(("scheme", "expected"), [("internet-facing", {"web:80"}), ("internal", set())])
def test_a_service_behind_a_load_balancer_is_as_public_as_that(scheme: str, expected: set[str]) -> None:
    rules = [
        rule("ingress", "in", "ingress", cidr_ipv4="0.0.0.0/0", **ports(443)),
        *call("ingress", "web", **ports(80)),
        *call("web", "orders", **ports(8080)),
    ]
    place: Resource = {
        "security_groups": ["sg-ingress"],
        "subnets": ["subnet-1"],
        "internal": scheme == "internal",
    }
    balancer = [
        resource("module.ingress.aws_lb.this", **place),
        resource("module.ingress.aws_lb_listener.https", port=443),
    ]
    planned = plan(rules, balancer, service("web", 80), service("orders", 8080))
    assert planned.public == expected
    assert planned.calls == {"web->orders:8080"}


def test_images_of_own_repositories_are_named_without_the_registry() -> None:
    elsewhere = "registry.example.com:5000/orders:1.2@sha256:0123"
    planned = plan([], service("web", sidecar="envoy:v1.34.0"), service("orders", image=elsewhere))
    external = {"web/proxy": "envoy:v1.34.0", "orders": elsewhere}
    assert planned.images == {"web": "shop-web@sha256:0123", **external}
    assert planned.external_images == external


def test_a_service_has_the_variables_of_its_own_container() -> None:
    assert plan([], service("web", 80, sidecar="envoy:1")).environment("web") == {"LOG": "debug"}


def test_a_stack_has_planned_values_by_address_and_known_outputs() -> None:
    foundation = plan([]).stack("foundation")
    assert foundation.resources["module.network.aws_vpc.this"] == {"cidr_block": VPC}
    assert foundation.outputs == {
        "repository_urls": {"web": f"{REGISTRY}/shop-web", "orders": f"{REGISTRY}/shop-orders"}
    }


def test_an_unknown_stack_or_service_is_reported_with_a_suggestion() -> None:
    planned = plan([], service("web", 80))
    with pytest.raises(InputError) as stack:
        planned.stack("service")
    with pytest.raises(InputError) as unknown:
        planned.environment("wep")
    assert [str(stack.value), str(unknown.value)] == [
        "unknown stack `service` of dev; did you mean `services`?",
        "unknown service `wep` of dev; did you mean `web`?",
    ]
