"""Verification of an environment that is created through the API: intact, then with one thing broken."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from fleetform.aws.clients import Access
from fleetform.aws.verification import Report, ServiceStatus, verify
from fleetform.base.errors import ProgramError
from fleetform.catalog.models import (
    CallTarget,
    Discovery,
    Environment,
    IngressConfig,
    Network,
    Port,
    Schedule,
    Secret,
    Service,
    ServiceConnect,
    Sidecar,
    Volume,
)
from fleetform.workflow.apply import verification
from fleetform.workflow.workspace import Workspace
from tests.deployed import ANYWHERE, RECORDS, Deployment, environment

CIRCUIT_BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
SOUND_RECORDS = {"routing": "MULTIVALUE", "records": [("A", 10)]}


def test_a_sound_environment_has_no_differences(deployment: Deployment) -> None:
    domain = deployment.namespace
    assert verify(deployment.environment, deployment.access) == Report(
        checks=59,
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
            [
                (
                    "security groups: expected {default, orders, web, worker}, found {default, extra, orders,"
                    " web, worker}"
                )
            ],
        ),
        (
            lambda made: made.ec2.modify_vpc_attribute(VpcId=made.vpc, EnableDnsHostnames={"Value": False}),
            [f"DNS of the VPC: expected {dns(hostnames=True)}, found {dns(hostnames=False)}"],
        ),
    ],
)
def test_a_network_difference_is_reported(
    deployment: Deployment, break_it: Callable[[Deployment], object], differences: list[str]
) -> None:
    break_it(deployment)
    assert list(deployment.differences()) == differences


def with_every_kind_of_rule(made: Environment) -> Environment:
    """`web` mounts a file system, `worker` calls by UDP, and all reach S3 by its prefix list."""
    efs = {"file_system_id": "fs-0123456789abcdef0"}
    volume = Volume.model_validate({"container_path": "/data", "efs": efs})
    call = CallTarget(cidr="192.0.2.0/24", port=123, protocol="udp")
    web = made.services["web"].model_copy(update={"volumes": {"data": volume}})
    worker = made.services["worker"].model_copy(update={"calls": (*made.services["worker"].calls, call)})
    services = {**made.services, "web": web, "worker": worker}
    return made.model_copy(update={"services": services, "network": Network(subnets="private", nat="single")})


def differing_rules(environment: Environment, made: Deployment) -> set[str]:
    found = {difference.partition(":")[0] for difference in verify(environment, made.access).differences}
    return {subject for subject in found if subject.startswith("rule ")}


def test_rules_of_every_kind_are_compared(deployment: Deployment) -> None:
    wanted = with_every_kind_of_rule(deployment.environment)
    lists = deployment.ec2.describe_prefix_lists()["PrefixLists"]
    (s3,) = (found["PrefixListId"] for found in lists if found["PrefixListName"].endswith(".s3"))
    assert differing_rules(wanted, deployment) == {
        "rule egress orders tcp 443 s3",
        "rule egress web tcp 2049 10.0.0.0/16",
        "rule egress web tcp 443 s3",
        "rule egress worker tcp 443 s3",
        "rule egress worker udp 123 192.0.2.0/24",
    }
    permissions = [
        *(
            (name, "tcp", 443, {"PrefixListIds": [{"PrefixListId": s3}]})
            for name in ("orders", "web", "worker")
        ),
        ("web", "tcp", 2049, {"IpRanges": [{"CidrIp": "10.0.0.0/16"}]}),
        ("worker", "udp", 123, {"IpRanges": [{"CidrIp": "192.0.2.0/24"}]}),
    ]
    for name, protocol, port, end in permissions:
        permission = {"IpProtocol": protocol, "FromPort": port, "ToPort": port, **end}
        deployment.ec2.authorize_security_group_egress(
            GroupId=deployment.groups[name], IpPermissions=[permission]
        )
    assert differing_rules(wanted, deployment) == set()


def test_a_second_vpc_of_the_same_name_and_environment_is_reported(deployment: Deployment) -> None:
    second = deployment.create_vpc("test")
    report = verify(deployment.environment, deployment.access)
    deployment.ec2.delete_vpc(VpcId=second)
    assert report.checks == 1
    assert report.differences == (f"VPC: expected one named {deployment.prefix}, found none, or several",)


def test_a_vpc_of_a_different_environment_is_ignored(deployment: Deployment) -> None:
    other = deployment.create_vpc("prod")
    differences = deployment.differences()
    deployment.ec2.delete_vpc(VpcId=other)
    assert differences == ()


@pytest.mark.parametrize("by", ["id", "tags"])
def test_only_the_environments_groups_count_in_an_existing_vpc(deployment: Deployment, by: str) -> None:
    """Other groups, the VPC's default group among them, are ignored."""
    environment = deployment.environment
    vpc = {"id": deployment.vpc} if by == "id" else {"tags": {"Name": deployment.prefix}}
    network = Network.model_validate({"vpc": vpc})
    own = [deployment.groups[name] for name in ("orders", "web", "worker")]
    tags = {"application": environment.application, "environment": environment.name}
    deployment.ec2.create_tags(
        Resources=own, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )
    deployment.create_group("foreign")
    deployment.ec2.authorize_security_group_ingress(**deployment.rule("default", "foreign", 22))
    there = environment.model_copy(update={"network": network})
    assert verify(there, deployment.access).differences == ()


@pytest.mark.parametrize(
    ("vpc", "wanted"),
    [
        ({"id": "vpc-01234567"}, "vpc-01234567"),
        ({"tags": {"b": "2", "a": "1"}}, "tagged a=1, b=2"),
    ],
)
def test_an_existing_vpc_that_is_missing_is_reported(
    deployment: Deployment, vpc: dict[str, object], wanted: str
) -> None:
    network = Network.model_validate({"vpc": vpc})
    there = deployment.environment.model_copy(update={"network": network})
    assert verify(there, deployment.access).differences == (
        f"VPC: expected one {wanted}, found none, or several",
    )


def test_a_discovery_service_unknown_to_the_catalog_is_reported(deployment: Deployment) -> None:
    deployment.create_registry("worker", DnsConfig=RECORDS)
    assert deployment.differences() == (
        "discovery services: expected {orders, web}, found {orders, web, worker}",
    )


def test_a_missing_discovery_service_is_reported(deployment: Deployment) -> None:
    arn = deployment.registry_arn("orders")
    deployment.delete_registry("orders")
    assert deployment.differences() == (
        "discovery services: expected {orders, web}, found {web}",
        f"registration of orders: expected ['that of its discovery service'], found ['{arn}']",
        "registered tasks of orders: expected 2, found 0",
    )


def test_records_with_a_wrong_ttl_are_reported(deployment: Deployment) -> None:
    records = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    deployment.discovery.update_service(Id=deployment.registries["web"], Service={"DnsConfig": records})
    assert deployment.differences() == (
        (
            f"records of web: expected {SOUND_RECORDS}, found {{'routing': 'MULTIVALUE', 'records': [('A',"
            f" 60)]}}"
        ),
    )


def test_records_have_the_ttl_of_the_catalog(deployment: Deployment) -> None:
    records = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    deployment.discovery.update_service(Id=deployment.registries["web"], Service={"DnsConfig": records})
    services = deployment.environment.services
    web = services["web"].model_copy(update={"discovery": Discovery(ttl=60)})
    environment = deployment.environment.model_copy(update={"services": {**services, "web": web}})
    assert verify(environment, deployment.access).differences == ()


def test_a_discovery_service_without_records_is_reported(deployment: Deployment) -> None:
    deployment.create_registry("worker")
    assert deployment.differences() == (
        "discovery services: expected {orders, web}, found {orders, web, worker}",
        f"records of worker: expected {SOUND_RECORDS}, found {{'routing': None, 'records': []}}",
    )


def test_an_unregistered_task_is_reported(deployment: Deployment) -> None:
    registry = deployment.registries["orders"]
    instance = deployment.discovery.list_instances(ServiceId=registry)["Instances"][0]["Id"]
    deployment.discovery.deregister_instance(ServiceId=registry, InstanceId=instance)
    assert deployment.differences() == ("registered tasks of orders: expected 2, found 1",)


def test_a_missing_ecs_service_is_reported(deployment: Deployment) -> None:
    deployment.delete_service("worker")
    assert deployment.differences() == ("ECS service of worker: expected present, found absent",)


def test_a_service_that_does_not_register_is_reported(deployment: Deployment) -> None:
    deployment.delete_service("orders")
    deployment.create_service("orders", {"PORT": "8080", "CURRENCY": "EUR"}, registered=False)
    assert deployment.differences() == (
        f"registration of orders: expected ['{deployment.registry_arn('orders')}'], found []",
        "registered tasks of orders: expected 2, found 0",
    )


def test_different_variables_are_reported(deployment: Deployment) -> None:
    deployment.redefine("orders", {"PORT": "8080", "CURRENCY": "USD"}, "orders")
    assert deployment.differences() == (
        (
            "variables of orders: expected {'PORT': '8080', 'CURRENCY': 'EUR'}, found {'PORT': '8080',"
            " 'CURRENCY': 'USD'}"
        ),
    )


def test_a_container_with_a_different_name_has_no_variables(deployment: Deployment) -> None:
    deployment.redefine("orders", {"PORT": "8080", "CURRENCY": "EUR"}, "app")
    assert deployment.differences() == (
        "containers of orders: expected {orders}, found {app}",
        "variables of orders: expected {'PORT': '8080', 'CURRENCY': 'EUR'}, found {}",
    )


def test_missing_sidecars_secrets_and_shells_are_reported(deployment: Deployment) -> None:
    services = deployment.environment.services
    proxy = Sidecar(image="proxy:1", secrets={"KEY": Secret(parameter="/key")})
    more = {"exec": True, "secrets": {"TOKEN": Secret(parameter="/token")}, "sidecars": {"proxy": proxy}}
    web = services["web"].model_copy(update=more)
    environment = deployment.environment.model_copy(update={"services": {**services, "web": web}})
    assert verify(environment, deployment.access).differences == (
        "containers of web: expected {proxy, web}, found {web}",
        "secrets of web/web: expected {TOKEN}, found {}",
        "secrets of web/proxy: expected {KEY}, found {}",
        "ECS Exec of web: expected True, found False",
    )


def with_service(made: Deployment, name: str, service: Service) -> Environment:
    services = {**made.environment.services, name: service}
    return made.environment.model_copy(update={"services": services})


def test_a_scheduled_task_has_a_schedule_and_no_service(deployment: Deployment) -> None:
    scheduler = deployment.access.client("scheduler")
    schedule = {
        "Name": f"{deployment.prefix}-report",
        "State": "ENABLED",
        "ScheduleExpression": "rate(2 hours)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/x",
            "RoleArn": "arn:aws:iam::1:role/x",
        },
    }
    deployment.create_group("report")
    deployment.ec2.authorize_security_group_egress(**deployment.rule("report", ANYWHERE, 443))
    report = Service(image="report:1", schedule=Schedule(expression="rate(1 hour)"))
    environment = with_service(deployment, "report", report)
    missing = verify(environment, deployment.access)
    scheduler.create_schedule(**schedule)
    other = verify(environment, deployment.access)
    scheduler.update_schedule(**{**schedule, "ScheduleExpression": "rate(1 hour)"})
    sound = verify(environment, deployment.access)
    scheduler.delete_schedule(Name=schedule["Name"])
    expected = "schedule of report: expected ('rate(1 hour)', 'UTC', 'ENABLED')"
    assert missing.differences == (f"{expected}, found None",)
    assert other.differences == (f"{expected}, found ('rate(2 hours)', 'UTC', 'ENABLED')",)
    assert sound.differences == ()
    assert [status.name for status in sound.services] == ["orders", "web", "worker"]


def test_a_one_off_task_has_a_task_definition_and_no_service(deployment: Deployment) -> None:
    deployment.create_group("migration")
    deployment.ec2.authorize_security_group_egress(**deployment.rule("migration", ANYWHERE, 443))
    environment = with_service(deployment, "migration", Service(image="migration:1", run_before=("orders",)))
    missing = verify(environment, deployment.access)
    container = {"name": "migration", "image": "migration:1", "memory": 512}
    definition = deployment.ecs.register_task_definition(
        family=f"{deployment.prefix}-migration", containerDefinitions=[container]
    )["taskDefinition"]["taskDefinitionArn"]
    sound = verify(environment, deployment.access)
    deployment.ecs.deregister_task_definition(taskDefinition=definition)
    assert missing.differences == ("task definition of migration: expected present, found absent",)
    assert sound.differences == ()


def test_the_port_that_is_offered_in_service_connect_is_compared(deployment: Deployment) -> None:
    orders = deployment.environment.services["orders"].model_copy(
        update={
            "ports": {"admin": Port(container_port=9090)},
            "service_connect": ServiceConnect(port="admin"),
        }
    )
    environment = with_service(deployment, "orders", orders).model_copy(
        update={"discovery": "service_connect"}
    )
    assert (
        f"name of orders in Service Connect: expected [('orders.{deployment.namespace}', 9090)], found []"
        in (verify(environment, deployment.access).differences)
    )


def test_alarms_unknown_to_the_catalog_are_reported(deployment: Deployment) -> None:
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    deployment.ecs.update_service(
        cluster=deployment.prefix,
        service=f"{deployment.prefix}-web",
        deploymentConfiguration={**CIRCUIT_BREAKER, "alarms": alarms},
    )
    assert deployment.differences() == ("alarms of web: expected {}, found {errors}",)


def test_names_in_service_connect_are_reported(deployment: Deployment) -> None:
    environment = deployment.environment.model_copy(update={"discovery": "service_connect"})
    alias = {"port": 80, "dnsName": f"web.{deployment.namespace}"}
    configuration = {"enabled": True, "services": [{"portName": "web", "clientAliases": [alias]}]}
    deployment.ecs.update_service(
        cluster=deployment.prefix,
        service=f"{deployment.prefix}-web",
        serviceConnectConfiguration=configuration,
    )
    assert verify(environment, deployment.access).differences == (
        f"name of orders in Service Connect: expected [('orders.{deployment.namespace}', 8080)], found []",
    )


def test_an_environment_that_was_never_applied_is_an_api_error(access: Access) -> None:
    with pytest.raises(ClientError, match=r"\(ClusterNotFoundException\)"):
        verify(environment("never-applied"), access)


def test_an_api_error_becomes_a_message_with_a_remedy(
    terraform_environment: Mapping[str, str], tmp_path: Path
) -> None:
    workspace = Workspace(
        environment("never-applied"), "terraform", tmp_path, tmp_path, terraform_environment
    )
    with pytest.raises(ProgramError) as caught:
        verification.verify(workspace)
    assert str(caught.value) == (
        "An error occurred (ClusterNotFoundException) when calling the DescribeServices operation: Cluster"
        " not found."
        "; is `test` applied, and are the credentials right?"
    )


class Balancer:
    """A load balancer in front of `web`, created through the API, with what is needed to break it."""

    def __init__(self, made: Deployment) -> None:
        self.elbv2 = made.access.client("elbv2")
        self.environment = made.environment.model_copy(update={"ingress": IngressConfig(type="alb")})
        self.access = made.access
        balancers = self.elbv2.create_load_balancer(Name=made.prefix, Subnets=made.subnets)["LoadBalancers"]
        self.arn = balancers[0]["LoadBalancerArn"]
        self.group = self.elbv2.create_target_group(
            Name=made.prefix, Protocol="HTTP", Port=80, VpcId=made.vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elbv2.modify_target_group_attributes(
            TargetGroupArn=self.group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        self.listener = self.listen(80)
        self.rule = self.elbv2.create_rule(
            ListenerArn=self.listener,
            Priority=50_000,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )["Rules"][0]["RuleArn"]
        joined = [{"targetGroupArn": self.group, "containerName": "web", "containerPort": 80}]
        made.ecs.update_service(cluster=made.prefix, service=f"{made.prefix}-web", loadBalancers=joined)

    def listen(self, port: int) -> str:
        """Adds a listener that finds nothing, and returns its ARN."""
        nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
        listener: str = self.elbv2.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=port, DefaultActions=nothing
        )["Listeners"][0]["ListenerArn"]
        return listener

    def differences(self) -> list[str]:
        """Return what verification finds, without the security groups."""
        found = verify(self.environment, self.access).differences
        return [difference for difference in found if not difference.startswith(("rule ", "security groups"))]

    def delete(self) -> None:
        """Removes it."""
        self.elbv2.delete_load_balancer(LoadBalancerArn=self.arn)
        self.elbv2.delete_target_group(TargetGroupArn=self.group)


@pytest.fixture
def balancer(deployment: Deployment) -> Iterator[Balancer]:
    made = Balancer(deployment)
    yield made
    made.delete()


def test_a_sound_load_balancer_has_no_differences(balancer: Balancer) -> None:
    assert balancer.differences() == []


def test_a_listener_unknown_to_the_catalog_is_reported(balancer: Balancer) -> None:
    balancer.listen(8080)
    assert balancer.differences() == ["listeners: expected {80}, found {80, 8080}"]


def test_a_missing_rule_is_reported(balancer: Balancer) -> None:
    balancer.elbv2.delete_rule(RuleArn=balancer.rule)
    assert balancer.differences() == ["requests for web: expected [('50000', [], ['/*'])], found [None]"]


def test_a_rule_with_a_different_priority_and_host_is_reported(balancer: Balancer) -> None:
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example"]}}]
    balancer.elbv2.modify_rule(RuleArn=balancer.rule, Conditions=conditions)
    balancer.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": balancer.rule, "Priority": 7}])
    assert balancer.differences() == [
        "requests for web: expected [('50000', [], ['/*'])], found [('7', ['a.example'], [])]"
    ]
