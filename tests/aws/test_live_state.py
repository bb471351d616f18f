"""The applied services, read from the AWS API, and the ports that their rules open."""

import pytest

from fleetform.aws.clients import Access
from fleetform.aws.live_state import AppliedService, read_applied
from fleetform.base.errors import ProgramError
from fleetform.topology.applied_rule import AppliedRule
from tests.deployed import Deployment, environment
from tests.local_runtime.applied import ANYWHERE, call, container, definition, everyone, sample, service
from tests.local_runtime.applied import environment as applied


def test_services_are_read_from_the_api(deployment: Deployment) -> None:
    found = read_applied(deployment.environment, deployment.access)
    families = [
        (each.name, each.desired_count, each.definition["family"], each.dns_name, each.groups)
        for each in found.services
    ]
    prefix, domain = deployment.prefix, deployment.namespace
    assert families == [
        ("orders", 2, f"{prefix}-orders", f"orders.{domain}", ("orders",)),
        ("web", 1, f"{prefix}-web", f"web.{domain}", ("web",)),
        ("worker", 1, f"{prefix}-worker", None, ("worker",)),
    ]


def test_rules_and_network_are_read_from_the_api(deployment: Deployment) -> None:
    found = read_applied(deployment.environment, deployment.access)
    https = {
        AppliedRule("egress", name, "tcp", 443, 443, cidr=ANYWHERE) for name in ("orders", "web", "worker")
    }
    calls = call("web", "orders", 8080) | call("worker", "orders", 8080)
    rules = frozenset({*https, *calls, everyone("web", 80)})
    assert found.rules == rules
    assert found.network == "10.0.0.0/16"


def test_the_definition_is_the_one_that_runs_now(deployment: Deployment) -> None:
    deployment.redefine("web", {"PORT": "81"}, "web")
    definition = read_applied(deployment.environment, deployment.access).service("web").definition
    assert definition["revision"] == 2
    assert definition["containerDefinitions"][0]["environment"] == [{"name": "PORT", "value": "81"}]


def test_a_log_router_is_left_out_of_the_containers_and_their_dependencies() -> None:
    router = container("log_router", firelensConfiguration={"type": "fluentbit"})
    waits = [{"containerName": name, "condition": "START"} for name in ("log_router", "proxy")]
    web, proxy = container("web", dependsOn=waits), container("proxy", dependsOn=waits[:1])
    found = AppliedService("web", 1, definition("web", [router, web, proxy]), None, ("web",))
    assert found.containers == [{**web, "dependsOn": waits[1:]}, {**proxy, "dependsOn": []}]


def test_a_service_that_is_not_applied_is_reported(deployment: Deployment) -> None:
    deployment.delete_service("worker")
    with pytest.raises(ProgramError) as caught:
        read_applied(deployment.environment, deployment.access)
    assert str(caught.value) == "test: not applied yet: worker; `invoke apply --env test` creates it"


def test_an_environment_without_its_network_is_reported(access: Access) -> None:
    with pytest.raises(ProgramError) as caught:
        read_applied(environment("never-applied"), access)
    assert str(caught.value) == (
        "test: no VPC named never-applied-test, or several; `invoke apply --env test` creates it"
    )


def test_an_api_error_becomes_a_message_with_a_remedy(access: Access) -> None:
    made = Deployment(environment("half-applied"), access)
    vpc = made.create_vpc("test")
    with pytest.raises(ProgramError) as caught:
        read_applied(made.environment, access)
    made.ec2.delete_vpc(VpcId=vpc)
    assert str(caught.value) == (
        "An error occurred (ClusterNotFoundException) when calling the DescribeServices operation: Cluster"
        " not found."
        "; check that `test` is applied, and the credentials"
    )


INGRESS = AppliedRule("ingress", "orders", "tcp", 8080, 8080, peer="web")
EGRESS = AppliedRule("egress", "web", "tcp", 8080, 8080, peer="orders")


@pytest.mark.parametrize(
    ("rules", "ports"),
    [
        ({INGRESS, EGRESS}, (8080,)),
        ({INGRESS}, ()),
        ({EGRESS}, ()),
        ({INGRESS, AppliedRule("egress", "web", "-1", cidr=ANYWHERE)}, (8080,)),
        ({INGRESS, AppliedRule("egress", "web", "tcp", 443, 443, cidr=ANYWHERE)}, ()),
        ({INGRESS, AppliedRule("egress", "web", "tcp", 8000, 9000, cidr="10.0.128.0/17")}, (8080,)),
        ({INGRESS, AppliedRule("egress", "web", "tcp", 8000, 9000, cidr="10.1.0.0/16")}, ()),
        ({INGRESS, AppliedRule("egress", "web", "-1", cidr="::/0")}, ()),
        ({INGRESS, AppliedRule("egress", "web", "udp", 8080, 8080, peer="orders")}, ()),
        ({INGRESS, AppliedRule("egress", "web", "tcp", 8080, 8080, peer="sg-0123")}, ()),
        ({INGRESS, AppliedRule("egress", "orders", "-1", cidr=ANYWHERE)}, ()),
        ({EGRESS, AppliedRule("ingress", "orders", "-1", peer="web")}, (8080,)),
        ({EGRESS, everyone("orders", 8080)}, (8080,)),
        ({EGRESS, everyone("orders", 8081)}, ()),
    ],
)
def test_a_port_is_open_if_both_sides_allow_it(rules: set[AppliedRule], ports: tuple[int, ...]) -> None:
    found = applied([service("web", 80), service("orders", 8080)], rules)
    assert found.allows("web", "orders") == ports
    assert found.allows("orders", "web") == ()


def test_udp_ports_are_opened_by_udp_rules() -> None:
    mapping = {"containerPort": 53, "hostPort": 53, "protocol": "udp"}
    dns = AppliedService(
        "dns", 1, definition("dns", [container("dns", portMappings=[mapping])]), None, ("dns",)
    )
    rules = {
        AppliedRule("ingress", "dns", "udp", 53, 53, peer="web"),
        AppliedRule("egress", "web", "udp", 53, 53, peer="dns"),
    }
    found = applied([service("web", 80), dns], rules)
    assert found.allows("web", "dns", "udp") == (53,)
    assert found.allows("web", "dns") == ()


BALANCER = {everyone("ingress", 443), *call("ingress", "web", 80)}


@pytest.mark.parametrize(
    ("rules", "ports"),
    [
        (BALANCER, (80,)),
        (BALANCER - {everyone("ingress", 443)}, ()),
        (BALANCER | {everyone("orders", 8080)}, (80,)),
        ({everyone("orders", 8080), *call("orders", "web", 80)}, ()),
    ],
)
def test_a_service_behind_a_public_load_balancer_is_public(
    rules: set[AppliedRule], ports: tuple[int, ...]
) -> None:
    assert applied([service("web", 80), service("orders", 8080)], rules).public("web") == ports


@pytest.mark.parametrize("cidr", [ANYWHERE, "::/0"])
def test_a_service_that_is_open_to_the_internet_is_public(cidr: str) -> None:
    rules = {AppliedRule("ingress", "web", "tcp", 1, 100, cidr=cidr)}
    found = applied([service("web", 80), service("orders", 8080)], rules)
    assert found.public("web") == (80,)
    assert found.public("orders") == ()


@pytest.mark.parametrize(("front", "ports"), [(ANYWHERE, (80,)), ("203.0.113.0/24", ())])
def test_a_load_balancer_that_is_open_to_the_internet_makes_its_service_public(
    front: str, ports: tuple[int, ...]
) -> None:
    rules = call("ingress", "web", 80) | {AppliedRule("ingress", "ingress", "tcp", 443, 443, cidr=front)}
    found = applied([service("web", 80), service("orders", 8080)], rules)
    assert found.public("web") == ports
    assert found.public("orders") == ()


def test_a_service_that_a_public_service_calls_is_not_public() -> None:
    rules = call("web", "orders", 8080) | {everyone("web", 80)}
    assert applied([service("web", 80), service("orders", 8080)], rules).public("orders") == ()


def test_a_service_that_is_open_to_some_addresses_is_not_public() -> None:
    rules = {AppliedRule("ingress", "web", "tcp", 80, 80, cidr="203.0.113.0/24")}
    assert applied([service("web", 80)], rules).public("web") == ()


@pytest.mark.parametrize(
    ("cidr", "outward"),
    [
        (ANYWHERE, True),
        ("::/0", True),
        ("192.0.2.0/24", True),
        ("10.0.0.0/16", False),
        ("10.0.7.0/24", False),
    ],
)
def test_a_service_that_may_call_outside_the_vpc_goes_outward(cidr: str, outward: bool) -> None:  # noqa: FBT001 - a parameter of the test
    rules = {AppliedRule("egress", "web", "tcp", 443, 443, cidr=cidr)}
    found = applied([service("web", 80), service("orders", 8080)], rules)
    assert found.outward("web") == outward
    assert found.outward("orders") is False


def test_only_the_calls_are_open_in_the_sample() -> None:
    found = sample(shared=False)
    names = ("orders", "stock", "web")
    opened = {
        (one, other): found.allows(one, other) for one in names for other in names if found.allows(one, other)
    }
    assert opened == {("web", "orders"): (8080,), ("orders", "stock"): (8080,)}
