"""Verification of an environment that is made through the API alone, sound and then with one thing broken."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from fleetform.aws import Access
from fleetform.catalog.models import Discovery
from fleetform.errors import ProgramError
from fleetform.verification import Report, ServiceStatus, verify
from fleetform.workflow import verification
from fleetform.workflow.terraform import Workplace
from tests.deployed import ANYWHERE, RECORDS, Deployment, environment

SOUND_RECORDS = {"routing": "MULTIVALUE", "records": [("A", 10)]}


def test_a_sound_environment_has_no_differences(deployment: Deployment) -> None:
    domain = deployment.namespace
    assert verify(deployment.environment, deployment.access) == Report(
        checks=27,
        differences=(),
        services=(
            ServiceStatus("orders", f"orders.{domain}", 8080, (), running=2, desired=2, registered=2),
            ServiceStatus("web", f"web.{domain}", 80, ("orders",), running=1, desired=1, registered=1),
            ServiceStatus("worker", "", None, ("orders",), running=1, desired=1, registered=0),
        ),
    )


def dns(*, hostnames: bool) -> dict[str, bool]:
    return {"enableDnsHostnames": hostnames, "enableDnsSupport": True}


def range_of_ports(made: Deployment) -> None:
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 90, "IpRanges": [{"CidrIp": ANYWHERE}]}
    made.ec2.authorize_security_group_ingress(GroupId=made.groups["web"], IpPermissions=[permission])


def all_protocols(made: Deployment) -> None:
    permission = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}
    made.ec2.authorize_security_group_egress(GroupId=made.groups["web"], IpPermissions=[permission])


def ipv6(made: Deployment) -> None:
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    made.ec2.authorize_security_group_ingress(GroupId=made.groups["web"], IpPermissions=[permission])


@pytest.mark.parametrize(
    ("break_it", "differences"),
    [
        (
            lambda made: made.ec2.authorize_security_group_ingress(**made.rule("orders", ANYWHERE, 22)),
            ["rule ingress orders tcp 22 0.0.0.0/0: expected absent, found present"],
        ),
        (
            lambda made: made.ec2.authorize_security_group_ingress(**made.rule("default", "web", 22)),
            ["rule ingress default tcp 22 web: expected absent, found present"],
        ),
        (
            lambda made: made.ec2.revoke_security_group_ingress(**made.rule("orders", "web", 8080)),
            ["rule ingress orders tcp 8080 web: expected present, found absent"],
        ),
        (
            lambda made: made.ec2.revoke_security_group_egress(**made.rule("worker", "orders", 8080)),
            ["rule egress worker tcp 8080 orders: expected present, found absent"],
        ),
        (range_of_ports, ["rule ingress web tcp 80-90 0.0.0.0/0: expected absent, found present"]),
        (all_protocols, ["rule egress web -1 None 0.0.0.0/0: expected absent, found present"]),
        (ipv6, ["rule ingress web tcp 80 ::/0: expected absent, found present"]),
        (
            lambda made: made.create_group("extra"),
            ["security groups: expected {default, orders, web, worker}, found {default, extra, orders, web, worker}"],
        ),
        (
            lambda made: made.ec2.modify_vpc_attribute(VpcId=made.vpc, EnableDnsHostnames={"Value": False}),
            [f"DNS of the VPC: expected {dns(hostnames=True)}, found {dns(hostnames=False)}"],
        ),
    ],
)
def test_what_differs_in_the_network_is_told(
    deployment: Deployment, break_it: Callable[[Deployment], object], differences: list[str]
) -> None:
    break_it(deployment)
    assert list(deployment.differences()) == differences


def test_a_second_vpc_of_the_same_name_and_environment_is_told(deployment: Deployment) -> None:
    second = deployment.create_vpc("test")
    report = verify(deployment.environment, deployment.access)
    deployment.ec2.delete_vpc(VpcId=second)
    assert (report.checks, report.differences) == (
        1,
        (f"VPC: expected one named {deployment.prefix}, found none, or several",),
    )


def test_a_vpc_of_another_environment_is_none_of_ours(deployment: Deployment) -> None:
    other = deployment.create_vpc("prod")
    differences = deployment.differences()
    deployment.ec2.delete_vpc(VpcId=other)
    assert differences == ()


def test_a_discovery_service_that_the_catalog_does_not_know_is_told(deployment: Deployment) -> None:
    deployment.create_registry("worker", DnsConfig=RECORDS)
    assert deployment.differences() == ("discovery services: expected {orders, web}, found {orders, web, worker}",)


def test_a_discovery_service_that_is_missing_is_told(deployment: Deployment) -> None:
    arn = deployment.registry_arn("orders")
    deployment.delete_registry("orders")
    assert deployment.differences() == (
        "discovery services: expected {orders, web}, found {web}",
        f"registration of orders: expected ['that of its discovery service'], found ['{arn}']",
        "registered tasks of orders: expected 2, found 0",
    )


def test_records_that_live_too_long_are_told(deployment: Deployment) -> None:
    records = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    deployment.discovery.update_service(Id=deployment.registries["web"], Service={"DnsConfig": records})
    assert deployment.differences() == (
        f"records of web: expected {SOUND_RECORDS}, found {{'routing': 'MULTIVALUE', 'records': [('A', 60)]}}",
    )


def test_records_live_as_long_as_the_catalog_says(deployment: Deployment) -> None:
    records = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    deployment.discovery.update_service(Id=deployment.registries["web"], Service={"DnsConfig": records})
    services = deployment.environment.services
    web = services["web"].model_copy(update={"discovery": Discovery(ttl=60)})
    environment = deployment.environment.model_copy(update={"services": {**services, "web": web}})
    assert verify(environment, deployment.access).differences == ()


def test_a_discovery_service_without_records_is_told(deployment: Deployment) -> None:
    deployment.create_registry("worker")
    assert deployment.differences() == (
        "discovery services: expected {orders, web}, found {orders, web, worker}",
        f"records of worker: expected {SOUND_RECORDS}, found {{'routing': None, 'records': []}}",
    )


def test_a_task_that_is_not_registered_is_told(deployment: Deployment) -> None:
    registry = deployment.registries["orders"]
    instance = deployment.discovery.list_instances(ServiceId=registry)["Instances"][0]["Id"]
    deployment.discovery.deregister_instance(ServiceId=registry, InstanceId=instance)
    assert deployment.differences() == ("registered tasks of orders: expected 2, found 1",)


def test_an_ecs_service_that_is_missing_is_told(deployment: Deployment) -> None:
    deployment.delete_service("worker")
    assert deployment.differences() == ("ECS service of worker: expected present, found absent",)


def test_a_service_that_does_not_register_is_told(deployment: Deployment) -> None:
    deployment.delete_service("orders")
    deployment.create_service("orders", {"PORT": "8080", "CURRENCY": "EUR"}, registered=False)
    assert deployment.differences() == (
        f"registration of orders: expected ['{deployment.registry_arn('orders')}'], found []",
        "registered tasks of orders: expected 2, found 0",
    )


def test_variables_that_differ_are_told(deployment: Deployment) -> None:
    deployment.redefine("orders", {"PORT": "8080", "CURRENCY": "USD"}, "orders")
    assert deployment.differences() == (
        "variables of orders: expected {'PORT': '8080', 'CURRENCY': 'EUR'}, found {'PORT': '8080', 'CURRENCY': 'USD'}",
    )


def test_a_container_of_another_name_has_no_variables(deployment: Deployment) -> None:
    deployment.redefine("orders", {"PORT": "8080", "CURRENCY": "EUR"}, "app")
    assert deployment.differences() == ("variables of orders: expected {'PORT': '8080', 'CURRENCY': 'EUR'}, found {}",)


def test_an_environment_that_was_never_applied_is_an_error_of_the_api(access: Access) -> None:
    with pytest.raises(ClientError, match=r"\(ClusterNotFoundException\)"):
        verify(environment("never-applied"), access)


def test_an_error_of_the_api_becomes_a_message_with_a_remedy(
    terraform_environment: Mapping[str, str], tmp_path: Path
) -> None:
    workplace = Workplace(environment("never-applied"), "terraform", tmp_path, tmp_path, terraform_environment)
    with pytest.raises(ProgramError) as caught:
        verification.verify(workplace)
    assert str(caught.value) == (
        "An error occurred (ClusterNotFoundException) when calling the DescribeServices operation: Cluster not found."
        "; is `test` applied, and are the credentials right?"
    )
