"""What AWS refuses, with its own code and message, and what the emulator therefore refuses, too."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from fleetform.emulator import Options, start, stop
from fleetform.emulator.gaps.delays import Delays
from tests.emulator.resources import Client, Network, describe_service, register_task_definition

Create = Callable[..., dict[str, Any]]
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def refusal(call: Callable[..., object], **parameters: object) -> tuple[str, str]:
    """Code and message of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def draining(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Clients of an emulator whose services drain for a second."""
    folder = tmp_path_factory.mktemp("draining")
    started = start(folder, port=0, options=Options(delay=1))
    session: Any = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1"
    )
    yield lambda service: session.client(
        service, endpoint_url=started.url, config=Config(inject_host_prefix=False)
    )
    stop(folder)


def test_what_is_due_later_happens_once_in_order() -> None:
    now, seen = [10.0], list[str]()
    delays = Delays(lambda: now[0])
    delays.later(lambda: seen.append("first"))
    now[0] = 11.0
    delays.later(lambda: seen.append("second"))
    for now[0] in (11.9, 12.0, 13.0, 14.0):
        delays.run_due()
        seen.append(f"at {now[0]}")
    assert seen == ["at 11.9", "first", "at 12.0", "second", "at 13.0", "at 14.0"]


def test_a_service_is_not_created_under_a_name_that_is_active(create_service: Create) -> None:
    create_service(desiredCount=1)
    assert refusal(create_service, desiredCount=1) == (
        "InvalidParameterException",
        "Creation of service was not idempotent.",
    )


def test_a_deleted_service_drains_and_holds_its_name_cluster_and_network_until_its_tasks_have_stopped(
    draining: Client,
) -> None:
    ec2, ecs = draining("ec2"), draining("ecs")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    ecs.create_cluster(clusterName="shop")
    service = {
        "cluster": "shop",
        "serviceName": "web",
        "desiredCount": 1,
        "taskDefinition": register_task_definition(draining, "web"),
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}},
    }
    ecs.create_service(**service)
    deleted = ecs.delete_service(cluster="shop", service="web", force=True)["service"]["status"]
    refused = {
        "create": refusal(ecs.create_service, **service),
        "update": refusal(ecs.update_service, cluster="shop", service="web", desiredCount=2),
        "cluster": refusal(ecs.delete_cluster, cluster="shop"),
        "group": refusal(ec2.delete_security_group, GroupId=group),
        "subnet": refusal(ec2.delete_subnet, SubnetId=subnet),
    }
    assert ecs.list_services(cluster="shop")["serviceArns"] == []
    time.sleep(1)
    drained = describe_service(draining, "shop")["status"]
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ecs.delete_cluster(cluster="shop")
    assert (deleted, drained) == ("DRAINING", "INACTIVE")
    assert refused == {
        "create": ("InvalidParameterException", "Unable to Start a service that is still Draining."),
        "update": ("ServiceNotActiveException", "Service was not ACTIVE."),
        "cluster": (
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        ),
        "group": ("DependencyViolation", f"resource {group} has a dependent object"),
        "subnet": ("DependencyViolation", f"The subnet '{subnet}' has dependencies and cannot be deleted."),
    }


def test_a_service_is_created_again_when_it_is_inactive(
    client: Client, cluster: str, create_service: Create
) -> None:
    create_service(desiredCount=1)
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    assert create_service(desiredCount=2)["runningCount"] == 2


def test_a_cluster_with_an_active_service_is_kept(
    client: Client, cluster: str, create_service: Create
) -> None:
    create_service(desiredCount=0)
    assert refusal(client("ecs").delete_cluster, cluster=cluster) == (
        "ClusterContainsServicesException",
        "The Cluster cannot be deleted while Services are active.",
    )


def test_a_capacity_provider_strategy_changes_only_with_a_new_deployment(
    client: Client, cluster: str, create_service: Create
) -> None:
    create_service(desiredCount=1, launchType="FARGATE")
    update = {"cluster": cluster, "service": "web", "capacityProviderStrategy": SPOT}
    assert refusal(client("ecs").update_service, **update) == (
        "InvalidParameterException",
        (
            "When switching from launch type to capacity provider strategy on an existing service, or making "
            "a change to a capacity provider strategy on a service that is already using one, you must force "
            "a new deployment."
        ),
    )
    client("ecs").update_service(**update, forceNewDeployment=True)
    client("ecs").update_service(**update)


def test_an_inactive_task_definition_starts_no_service_and_updates_none(
    client: Client, cluster: str, create_service: Create
) -> None:
    inactive = register_task_definition(client, f"family-{uuid4().hex}")
    client("ecs").deregister_task_definition(taskDefinition=inactive)
    expected = ("InvalidParameterException", "TaskDefinition is inactive")
    assert refusal(create_service, taskDefinition=inactive) == expected
    create_service(desiredCount=1)
    update = {"cluster": cluster, "service": "web", "taskDefinition": inactive}
    assert refusal(client("ecs").update_service, **update) == expected


def test_a_service_of_tasks_with_their_own_interfaces_needs_a_network(
    client: Client, cluster: str, create_service: Create
) -> None:
    given = {
        "cluster": cluster,
        "serviceName": "web",
        "taskDefinition": register_task_definition(client, "web"),
    }
    assert refusal(client("ecs").create_service, **given) == (
        "InvalidParameterException",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    )
    create_service()


def test_a_task_definition_has_at_most_64_kib(client: Client) -> None:
    container = {"name": "web", "image": "web", "memory": 512}
    given = {"family": "large", "containerDefinitions": [{**container, "command": ["x" * 65_400]}]}
    client("ecs").register_task_definition(**given)
    given["containerDefinitions"] = [{**container, "command": ["x" * 65_536]}]
    code, message = refusal(client("ecs").register_task_definition, **given)
    assert (code, message.partition(". ")[2]) == ("ClientException", "Max allowed length is '65536' bytes.")


def register_listening(client: Client, *ports: int) -> str:
    """Register a task definition whose container listens on ports."""
    mappings = [{"containerPort": port} for port in ports]
    answer = client("ecs").register_task_definition(
        family="listening",
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "web", "portMappings": mappings}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture
def target_group(client: Client, network: Network) -> Iterator[str]:
    """A target group that no listener uses."""
    made = client("elbv2").create_target_group(
        Name=f"tg-{uuid4().hex[:8]}", Protocol="HTTP", Port=80, VpcId=network.vpc, TargetType="ip"
    )
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    yield arn
    client("elbv2").delete_target_group(TargetGroupArn=arn)


@pytest.fixture
def balancer(client: Client, network: Network) -> Iterator[str]:
    """A load balancer in the network and its group."""
    made = client("elbv2").create_load_balancer(
        Name=f"lb-{uuid4().hex[:8]}", Subnets=network.subnets, SecurityGroups=[network.group]
    )
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    yield arn
    client("elbv2").delete_load_balancer(LoadBalancerArn=arn)


@pytest.fixture
def listener(client: Client, balancer: str) -> Iterator[str]:
    """A listener of the load balancer without rules."""
    made = client("elbv2").create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=FIXED
    )
    arn: str = made["Listeners"][0]["ListenerArn"]
    yield arn
    client("elbv2").delete_listener(ListenerArn=arn)


def create_rule(client: Client, listener: str, priority: int, target_group: str | None = None) -> str:
    """Create a listener rule, and return its ARN."""
    actions = [{"Type": "forward", "TargetGroupArn": target_group}] if target_group else FIXED
    made = client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}"]}],
        Actions=actions,
    )
    return str(made["Rules"][0]["RuleArn"])


def balancers(target_group: str, port: int) -> list[dict[str, Any]]:
    return [{"targetGroupArn": target_group, "containerName": "web", "containerPort": port}]


def test_a_service_is_not_created_before_a_listener_uses_its_target_group(
    client: Client, create_service: Create, target_group: str
) -> None:
    definition = register_listening(client, 8080)
    given = {"taskDefinition": definition, "loadBalancers": balancers(target_group, 8080)}
    assert refusal(create_service, **given) == (
        "InvalidParameterException",
        f"The target group with targetGroupArn {target_group} does not have an associated load balancer.",
    )
    create_service()


def test_a_service_does_not_get_a_task_definition_without_the_port_of_its_load_balancer(
    client: Client, cluster: str, create_service: Create, target_group: str, listener: str
) -> None:
    rule = create_rule(client, listener, 1, target_group)
    old, new = register_listening(client, 8080), register_listening(client, 9090)
    create_service(taskDefinition=old, loadBalancers=balancers(target_group, 8080))
    update = {"cluster": cluster, "service": "web", "taskDefinition": new}
    refused = refusal(client("ecs").update_service, **update)
    client("ecs").update_service(**update, loadBalancers=balancers(target_group, 9090))
    client("elbv2").delete_rule(RuleArn=rule)
    assert refused == (
        "InvalidParameterException",
        "The container web did not have a container port 8080 defined.",
    )


def targets(client: Client, target_group: str) -> list[tuple[str, int]]:
    health = client("elbv2").describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    return sorted((each["Target"]["Id"], each["Target"]["Port"]) for each in health)


def test_the_running_tasks_are_the_targets_of_a_load_balancer(
    client: Client, cluster: str, create_service: Create, target_group: str, listener: str
) -> None:
    rule = create_rule(client, listener, 1, target_group)
    create_service(
        taskDefinition=register_listening(client, 8080),
        loadBalancers=balancers(target_group, 8080),
        desiredCount=2,
    )
    started = targets(client, target_group)
    client("ecs").update_service(
        cluster=cluster,
        service="web",
        taskDefinition=register_listening(client, 9090),
        loadBalancers=balancers(target_group, 9090),
        desiredCount=1,
    )
    updated = targets(client, target_group)
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    ended = targets(client, target_group)
    client("elbv2").delete_rule(RuleArn=rule)
    assert started == [("10.9.1.4", 8080), ("10.9.2.4", 8080)]
    assert updated == [("10.9.1.5", 9090)]
    assert ended == []


def test_a_target_group_that_a_rule_uses_is_kept(client: Client, target_group: str, listener: str) -> None:
    rule = create_rule(client, listener, 1, target_group)
    refused = refusal(client("elbv2").delete_target_group, TargetGroupArn=target_group)
    client("elbv2").delete_rule(RuleArn=rule)
    assert refused == (
        "ResourceInUse",
        f"The target group '{target_group}' is currently in use by a listener or a rule",
    )


def test_a_priority_has_one_rule(client: Client, listener: str) -> None:
    create_rule(client, listener, 1)
    other = create_rule(client, listener, 2)
    expected = ("PriorityInUse", "The specified priority is in use.")
    with pytest.raises(ClientError) as caught:
        create_rule(client, listener, 1)
    assert caught.value.response["Error"]["Code"] == "PriorityInUse"
    priorities = [{"RuleArn": other, "Priority": 1}]
    assert refusal(client("elbv2").set_rule_priorities, RulePriorities=priorities) == expected
    kept = client("elbv2").describe_rules(RuleArns=[other])["Rules"][0]["Priority"]
    assert kept == "2"


def test_rules_swap_their_priorities_in_one_call(client: Client, listener: str) -> None:
    first, second = create_rule(client, listener, 1), create_rule(client, listener, 2)
    client("elbv2").set_rule_priorities(
        RulePriorities=[{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}]
    )
    rules = client("elbv2").describe_rules(RuleArns=[first, second])["Rules"]
    assert {rule["RuleArn"]: rule["Priority"] for rule in rules} == {first: "2", second: "1"}


def test_a_load_balancer_has_at_most_100_rules(client: Client, listener: str) -> None:
    for priority in range(1, 101):
        create_rule(client, listener, priority)
    with pytest.raises(ClientError) as caught:
        create_rule(client, listener, 101)
    assert caught.value.response["Error"] == {
        "Type": "Sender",
        "Code": "TooManyRules",
        "Message": "The maximum number of rules on the load balancer has been reached",
    }


def test_a_group_that_another_groups_rule_names_is_kept(client: Client, network: Network) -> None:
    ec2 = client("ec2")
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc)["GroupId"]
    answer = ec2.authorize_security_group_ingress(
        GroupId=other,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "UserIdGroupPairs": [{"GroupId": network.group}],
            }
        ],
    )
    refused = refusal(ec2.delete_security_group, GroupId=network.group)
    rule = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    ec2.revoke_security_group_ingress(GroupId=other, SecurityGroupRuleIds=[rule])
    ec2.delete_security_group(GroupId=other)
    assert refused == ("DependencyViolation", f"resource {network.group} has a dependent object")


def test_the_network_of_running_tasks_is_kept(
    client: Client, network: Network, create_service: Create
) -> None:
    create_service(desiredCount=1)
    used, unused = network.subnets
    assert refusal(client("ec2").delete_subnet, SubnetId=used) == (
        "DependencyViolation",
        f"The subnet '{used}' has dependencies and cannot be deleted.",
    )
    assert refusal(client("ec2").delete_security_group, GroupId=network.group)[0] == "DependencyViolation"
    interfaces = client("ec2").describe_network_interfaces(
        Filters=[{"Name": "group-id", "Values": [network.group]}]
    )["NetworkInterfaces"]
    assert [each["SubnetId"] for each in interfaces] == [used]
    assert unused not in {each["SubnetId"] for each in interfaces}


@pytest.mark.usefixtures("balancer")
def test_the_network_of_a_load_balancer_is_kept(client: Client, network: Network) -> None:
    for subnet in network.subnets:
        assert refusal(client("ec2").delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    assert refusal(client("ec2").delete_security_group, GroupId=network.group)[0] == "DependencyViolation"


def test_the_network_of_an_endpoint_is_kept_until_it_has_left(client: Client, network: Network) -> None:
    ec2 = client("ec2")
    first, second = network.subnets
    made = ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.eu-central-1.logs",
        SubnetIds=[first],
        SecurityGroupIds=[network.group],
    )
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]
    refused = [refusal(ec2.delete_subnet, SubnetId=first)[0]]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[second], RemoveSubnetIds=[first])
    refused += [
        refusal(ec2.delete_subnet, SubnetId=second)[0],
        refusal(ec2.delete_security_group, GroupId=network.group)[0],
        refusal(ec2.delete_vpc, VpcId=network.vpc)[0],
    ]
    left = ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.9.3.0/24")["Subnet"]["SubnetId"]
    ec2.delete_subnet(SubnetId=left)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert refused == ["DependencyViolation"] * 4


def test_an_address_a_subnet_and_a_gateway_are_kept_for_a_nat_gateway(
    client: Client, network: Network
) -> None:
    ec2 = client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)
    refused = [
        refusal(ec2.release_address, AllocationId=address)[0],
        refusal(ec2.delete_subnet, SubnetId=network.subnets[0])[0],
        refusal(ec2.delete_internet_gateway, InternetGatewayId=gateway)[0],
    ]
    detached = refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=network.vpc)
    ec2.delete_nat_gateway(NatGatewayId=made["NatGateway"]["NatGatewayId"])
    ec2.release_address(AllocationId=address)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    assert refused == ["InvalidIPAddress.InUse", "DependencyViolation", "DependencyViolation"]
    assert detached == (
        "DependencyViolation",
        (
            f"Network {network.vpc} has some mapped public address(es). Please unmap those public "
            "address(es) before detaching the gateway."
        ),
    )


def test_a_gateway_is_kept_for_tasks_with_public_addresses(
    client: Client, network: Network, cluster: str, create_service: Create
) -> None:
    ec2 = client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    awsvpc = {"subnets": network.subnets, "securityGroups": [network.group], "assignPublicIp": "ENABLED"}
    create_service(desiredCount=1, networkConfiguration={"awsvpcConfiguration": awsvpc})
    refused = refusal(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=network.vpc)[0]
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    assert refused == "DependencyViolation"


def test_a_vpc_with_a_group_is_kept(client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.11.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    refused = refusal(ec2.delete_vpc, VpcId=vpc)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)
    assert refused == ("DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted.")


def test_a_route_table_of_a_subnet_is_kept(client: Client, network: Network) -> None:
    ec2 = client("ec2")
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=network.subnets[0])["AssociationId"]
    refused = refusal(ec2.delete_route_table, RouteTableId=table)[0]
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=table)
    assert refused == "DependencyViolation"


def test_a_subnet_does_not_overlap_another(client: Client, network: Network) -> None:
    assert refusal(client("ec2").create_subnet, VpcId=network.vpc, CidrBlock="10.9.1.128/25") == (
        "InvalidSubnet.Conflict",
        "The CIDR '10.9.1.128/25' conflicts with another subnet",
    )


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_group_has_at_most_60_rules_in_each_direction(
    client: Client, network: Network, direction: str
) -> None:
    authorize = getattr(client("ec2"), f"authorize_security_group_{direction}")
    used = 1 if direction == "egress" else 0

    def permission(count: int) -> list[dict[str, Any]]:
        ranges = [{"CidrIp": f"10.0.{index}.0/24"} for index in range(count)]
        return [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": ranges}]

    code, message = refusal(authorize, GroupId=network.group, IpPermissions=permission(61 - used))
    authorize(GroupId=network.group, IpPermissions=permission(60 - used))
    assert (code, message) == (
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
    )


def create_namespace(client: Client, vpc: str, name: str) -> str:
    cloud_map = client("servicediscovery")
    operation = cloud_map.create_private_dns_namespace(Name=name, Vpc=vpc)["OperationId"]
    return str(cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"])


def test_names_in_use_are_kept_in_cloud_map(
    client: Client, network: Network, cluster: str, create_service: Create
) -> None:
    cloud_map = client("servicediscovery")
    namespace = create_namespace(client, network.vpc, "shop.local")
    records = {"NamespaceId": namespace, "DnsRecords": [{"Type": "A", "TTL": 10}]}
    service = cloud_map.create_service(Name="web", DnsConfig=records)["Service"]
    again = refusal(cloud_map.create_service, Name="web", DnsConfig=records)[0]
    create_service(desiredCount=1, serviceRegistries=[{"registryArn": service["Arn"]}])
    with_instances = refusal(cloud_map.delete_service, Id=service["Id"])
    with_services = refusal(cloud_map.delete_namespace, Id=namespace)
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    cloud_map.delete_service(Id=service["Id"])
    cloud_map.delete_namespace(Id=namespace)
    assert again == "ServiceAlreadyExists"
    assert with_instances == (
        "ResourceInUse",
        "Service contains registered instances; delete the instances before deleting the service",
    )
    assert with_services == ("ResourceInUse", f"Namespace has associated services: {service['Id']}")


def test_a_vpc_has_several_namespaces_but_each_name_once(client: Client, network: Network) -> None:
    cloud_map = client("servicediscovery")
    namespaces = [create_namespace(client, network.vpc, name) for name in ("one.local", "two.local")]
    again = {"Name": "one.local", "Vpc": network.vpc}
    refused = refusal(cloud_map.create_private_dns_namespace, **again)[0]
    for namespace in namespaces:
        cloud_map.delete_namespace(Id=namespace)
    assert refused == "ConflictingDomainExists"


def test_an_http_namespace_exists_once(client: Client) -> None:
    cloud_map = client("servicediscovery")
    operation = cloud_map.create_http_namespace(Name="mesh")["OperationId"]
    namespace = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    refused = refusal(cloud_map.create_http_namespace, Name="mesh")[0]
    cloud_map.delete_namespace(Id=namespace)
    assert refused == "NamespaceAlreadyExists"


def test_a_repository_with_images_is_kept(client: Client) -> None:
    ecr, name = client("ecr"), f"shop-{uuid4().hex}"
    ecr.create_repository(repositoryName=name)
    manifest = json.dumps({"mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []})
    ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="1", imageDigest=f"sha256:{'a' * 64}")
    code, _ = refusal(ecr.delete_repository, repositoryName=name)
    ecr.delete_repository(repositoryName=name, force=True)
    assert code == "RepositoryNotEmptyException"


def test_scaling_goes_with_its_service(client: Client, cluster: str, create_service: Create) -> None:
    scaling = client("application-autoscaling")
    scalable = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    create_service(desiredCount=1)
    scaling.register_scalable_target(**scalable, MinCapacity=1, MaxCapacity=2)
    scaling.put_scaling_policy(
        **scalable,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 50,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    )
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    create_service(desiredCount=1)
    named = {"ServiceNamespace": "ecs", "ResourceId": scalable["ResourceId"]}
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert scaling.describe_scaling_policies(**named)["ScalingPolicies"] == []
    targets_left = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert scalable["ResourceId"] not in {each["ResourceId"] for each in targets_left}
    assert [each for each in alarms if cluster in each["AlarmName"]] == []


def test_a_log_group_exists_once_and_is_encrypted_later(client: Client) -> None:
    logs, name, key = client("logs"), f"/shop/{uuid4().hex}", "arn:aws:kms:eu-central-1:123456789012:key/1"
    logs.create_log_group(logGroupName=name)

    def keys() -> list[str | None]:
        found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return [group.get("kmsKeyId") for group in found]

    before = keys()
    logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
    encrypted = keys()
    logs.disassociate_kms_key(logGroupName=name)
    assert refusal(logs.create_log_group, logGroupName=name)[0] == "ResourceAlreadyExistsException"
    assert refusal(logs.associate_kms_key, logGroupName="/none", kmsKeyId=key) == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
    assert [*before, *encrypted, *keys()] == [None, key, None]


TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def policy(length: int) -> str:
    """An IAM policy of a number of characters, white space not counted."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    padding = length - len("".join(text.split()))
    statement["Resource"] += "x" * padding
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_role_exists_once_with_at_most_10240_characters_of_inline_policies(client: Client) -> None:
    iam, name = client("iam"), f"role-{uuid4().hex}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    put = {"RoleName": name, "PolicyName": "two"}
    iam.put_role_policy(RoleName=name, PolicyName="one", PolicyDocument=policy(6_000))
    too_long = refusal(iam.put_role_policy, **put, PolicyDocument=policy(4_241))
    iam.put_role_policy(**put, PolicyDocument=policy(4_240))
    again = refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=TRUST)[0]
    with_policies = refusal(iam.delete_role, RoleName=name)[0]
    assert too_long == ("LimitExceeded", f"Maximum policy size of 10240 bytes exceeded for role {name}")
    assert (again, with_policies) == ("EntityAlreadyExists", "DeleteConflict")


def test_a_trust_policy_has_at_most_2048_characters(client: Client) -> None:
    given = {"RoleName": f"role-{uuid4().hex}", "AssumeRolePolicyDocument": policy(2_049)}
    assert refusal(client("iam").create_role, **given) == (
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )


def test_a_target_groups_name_exists_once(client: Client, network: Network, target_group: str) -> None:
    name = target_group.split("/")[1]
    given = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": network.vpc}
    assert refusal(client("elbv2").create_target_group, **given)[0] == "DuplicateTargetGroupName"


def test_scaling_needs_an_active_service_and_policies_need_a_target(
    client: Client, cluster: str, create_service: Create
) -> None:
    scaling, resource = client("application-autoscaling"), f"service/{cluster}/web"
    scalable = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    create_service(desiredCount=1)
    no_target = (
        "ObjectNotFoundException",
        (
            f"No scalable target registered for service namespace: ecs, resource ID: {resource}, "
            "scalable dimension: ecs:service:DesiredCount"
        ),
    )
    policy = {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    action = {"ScheduledActionName": "night", "Schedule": "cron(0 20 * * ? *)"}
    assert refusal(scaling.put_scaling_policy, **scalable, **policy) == no_target
    assert refusal(scaling.put_scheduled_action, **scalable, **action) == no_target
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    assert refusal(scaling.register_scalable_target, **scalable, MinCapacity=1, MaxCapacity=2) == (
        "ValidationException",
        f"ECS service doesn't exist: {resource}",
    )
