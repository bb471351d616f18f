"""Verification of an environment that is made through the API alone, sound and then with one thing broken."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from fleetform.aws import Access
from fleetform.catalog.models import Environment, Service
from fleetform.errors import ProgramError
from fleetform.verification import Report, ServiceStatus, verify
from fleetform.workflow import verification
from fleetform.workflow.terraform import Workplace

REGION = "eu-central-1"
ANYWHERE = "0.0.0.0/0"
RECORDS = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 10}]}
SOUND_RECORDS = {"routing": "MULTIVALUE", "records": [("A", 10)]}
TASKS = {"orders": 2, "web": 1, "worker": 1}

INGRESS = {("web", ANYWHERE, 80), ("orders", "web", 8080), ("orders", "worker", 8080)}
EGRESS = {
    *((name, ANYWHERE, 443) for name in TASKS),
    ("web", "orders", 8080),
    ("worker", "orders", 8080),
}


def environment(application: str) -> Environment:
    """`web`, from the internet, and `worker`, which has no port, both call `orders`."""
    return Environment(
        name="test",
        application=application,
        account="123456789012",
        region=REGION,
        zones=(f"{REGION}a", f"{REGION}b"),
        services={
            "web": Service(image="nginx:1.29", port=80, public=True, calls=("orders",)),
            "orders": Service(image="nginx:1.29", port=8080, desired_count=2, environment={"CURRENCY": "EUR"}),
            "worker": Service(image="nginx:1.29", calls=("orders",)),
        },
    )


class Deployment:
    """An environment as the API has it, with what is needed to break it."""

    def __init__(self, environment: Environment, access: Access) -> None:
        self.environment = environment
        self.access = access
        self.ec2 = access.client("ec2")
        self.ecs = access.client("ecs")
        self.discovery = access.client("servicediscovery")
        self.prefix = self.environment.prefix
        self.namespace = f"test.{environment.application}.internal"
        self.groups: dict[str, str] = {}
        self.registries: dict[str, str] = {}

    def differences(self) -> tuple[str, ...]:
        """What verification finds."""
        return verify(self.environment, self.access).differences

    def create(self) -> None:
        """Makes everything as the catalog says."""
        self.vpc = self.create_vpc("test")
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        network = {"VpcId": self.vpc, "CidrBlock": "10.0.1.0/24"}
        self.subnet = self.ec2.create_subnet(**network)["Subnet"]["SubnetId"]
        (default,) = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])[
            "SecurityGroups"
        ]
        self.groups["default"] = default["GroupId"]
        self.revoke_all("default")
        for name in TASKS:
            self.create_group(name)
        for rule in INGRESS:
            self.ec2.authorize_security_group_ingress(**self.rule(*rule))
        for rule in EGRESS:
            self.ec2.authorize_security_group_egress(**self.rule(*rule))
        self.create_discovery()
        self.ecs.create_cluster(clusterName=self.prefix)
        url = f"http://orders.{self.namespace}:8080"
        self.create_service("web", {"PORT": "80", "ORDERS_URL": url})
        self.create_service("orders", {"PORT": "8080", "CURRENCY": "EUR"})
        self.create_service("worker", {"ORDERS_URL": url})

    def create_vpc(self, environment_tag: str) -> str:
        """Makes a VPC of the application's name, and returns its id."""
        tags = [{"Key": "Name", "Value": self.prefix}, {"Key": "environment", "Value": environment_tag}]
        specification = [{"ResourceType": "vpc", "Tags": tags}]
        vpc: str = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)["Vpc"]["VpcId"]
        return vpc

    def create_group(self, key: str) -> None:
        """Makes a security group without rules, with such a name as Terraform makes of a prefix."""
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": "Name", "Value": f"{self.prefix}-{key}"}]}]
        name = f"{self.prefix}-{key}-20250101"
        self.groups[key] = self.ec2.create_security_group(
            GroupName=name, Description=key, VpcId=self.vpc, TagSpecifications=tags
        )["GroupId"]
        self.revoke_all(key)

    def revoke_all(self, key: str) -> None:
        """Removes every rule of a group."""
        filters = [{"Name": "group-id", "Values": [self.groups[key]]}]
        for rule in self.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]:
            end = "egress" if rule["IsEgress"] else "ingress"
            revoke = getattr(self.ec2, f"revoke_security_group_{end}")
            revoke(GroupId=self.groups[key], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])

    def rule(self, group: str, peer: str, port: int) -> dict[str, object]:
        """The parameters that authorize or revoke a TCP rule."""
        other = (
            {"UserIdGroupPairs": [{"GroupId": self.groups[peer]}]}
            if peer in self.groups
            else {"IpRanges": [{"CidrIp": peer}]}
        )
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **other}
        return {"GroupId": self.groups[group], "IpPermissions": [permission]}

    def create_discovery(self) -> None:
        """Makes the namespace, and the discovery services of those that have a port."""
        self.discovery.create_private_dns_namespace(Name=self.namespace, Vpc=self.vpc)
        pages = self.discovery.get_paginator("list_namespaces").paginate()
        found = [item for page in pages for item in page["Namespaces"] if item["Name"] == self.namespace]
        self.namespace_id = found[0]["Id"]
        for name in ("orders", "web"):
            self.create_registry(name, DnsConfig=RECORDS)

    def create_registry(self, name: str, **settings: object) -> None:
        """Makes a discovery service."""
        created = self.discovery.create_service(Name=name, NamespaceId=self.namespace_id, **settings)
        self.registries[name] = created["Service"]["Id"]

    def delete_registry(self, name: str) -> None:
        """Removes a discovery service and what is registered with it."""
        for instance in self.discovery.list_instances(ServiceId=self.registries[name])["Instances"]:
            self.discovery.deregister_instance(ServiceId=self.registries[name], InstanceId=instance["Id"])
        self.discovery.delete_service(Id=self.registries.pop(name))

    def registry_arn(self, name: str) -> str:
        """The ARN of a discovery service."""
        arn: str = self.discovery.get_service(Id=self.registries[name])["Service"]["Arn"]
        return arn

    def define(self, name: str, variables: Mapping[str, str], container: str) -> str:
        """Registers a task definition."""
        pairs = [{"name": key, "value": value} for key, value in variables.items()]
        definition = {"name": container, "image": "nginx:1.29", "memory": 128, "environment": pairs}
        answer = self.ecs.register_task_definition(
            family=f"{self.prefix}-{name}", networkMode="awsvpc", containerDefinitions=[definition]
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create_service(self, name: str, variables: Mapping[str, str], *, registered: bool = True) -> None:
        """Makes an ECS service whose tasks run at once."""
        registries = [{"registryArn": self.registry_arn(name)}] if registered and name in self.registries else []
        self.ecs.create_service(
            cluster=self.prefix,
            serviceName=f"{self.prefix}-{name}",
            taskDefinition=self.define(name, variables, name),
            desiredCount=TASKS[name],
            serviceRegistries=registries,
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": [self.subnet], "securityGroups": [self.groups[name]]}
            },
        )

    def redefine(self, name: str, variables: Mapping[str, str], container: str) -> None:
        """Lets a service run another task definition."""
        definition = self.define(name, variables, container)
        self.ecs.update_service(cluster=self.prefix, service=f"{self.prefix}-{name}", taskDefinition=definition)

    def delete_service(self, name: str) -> None:
        """Removes an ECS service."""
        self.ecs.delete_service(cluster=self.prefix, service=f"{self.prefix}-{name}", force=True)

    def delete(self) -> None:
        """Removes what verification could take for something of another test."""
        for arn in self.ecs.list_services(cluster=self.prefix)["serviceArns"]:
            self.ecs.delete_service(cluster=self.prefix, service=arn, force=True)
        self.ecs.delete_cluster(cluster=self.prefix)
        for name in list(self.registries):
            self.delete_registry(name)
        self.discovery.delete_namespace(Id=self.namespace_id)
        for key in self.groups:
            self.revoke_all(key)
        for key in self.groups.keys() - {"default"}:
            self.ec2.delete_security_group(GroupId=self.groups[key])
        self.ec2.delete_subnet(SubnetId=self.subnet)
        self.ec2.delete_vpc(VpcId=self.vpc)


@pytest.fixture(scope="module")
def access(terraform_environment: Mapping[str, str]) -> Access:
    return Access(REGION, terraform_environment)


@pytest.fixture
def deployment(access: Access) -> Iterator[Deployment]:
    made = Deployment(environment(f"shop-{uuid4().hex[:8]}"), access)
    made.create()
    yield made
    made.delete()


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
