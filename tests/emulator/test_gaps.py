"""Each gap that the emulator fills, seen through boto3 as Terraform's provider sees it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from fleetform.emulator.gaps.patches import add, wrap
from tests.emulator.resources import Client, Network, describe_service, register_task_definition

FARGATE_SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]


SETTINGS = {
    "availabilityZoneRebalancing": "ENABLED",
    "capacityProviderStrategy": FARGATE_SPOT,
    "deploymentConfiguration": {
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "maximumPercent": 150,
        "minimumHealthyPercent": 50,
    },
    "enableECSManagedTags": True,
    "enableExecuteCommand": True,
    "healthCheckGracePeriodSeconds": 30,
    "placementConstraints": [{"type": "distinctInstance"}],
    "placementStrategy": [{"type": "spread", "field": "instanceId"}],
    "platformVersion": "1.4.0",
    "propagateTags": "SERVICE",
}


def test_a_service_keeps_the_settings_that_it_is_created_with(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1, **SETTINGS)
    service = describe_service(client, cluster)
    assert {name: service[name] for name in SETTINGS} == SETTINGS


def test_a_service_keeps_the_settings_that_it_is_updated_with(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1)
    client("ecs").update_service(cluster=cluster, service="web", forceNewDeployment=True, **SETTINGS)
    service = describe_service(client, cluster)
    assert {name: service[name] for name in SETTINGS} == SETTINGS


def test_a_deployment_configuration_is_completed_with_defaults(
    create_service: Callable[..., dict[str, Any]],
) -> None:
    service = create_service(desiredCount=1, deploymentConfiguration={"maximumPercent": 150})
    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 150,
        "minimumHealthyPercent": 100,
    }


def test_a_task_that_is_run_ends_well_at_once(client: Client, network: Network, cluster: str) -> None:
    ecs = client("ecs")
    client("ec2").modify_vpc_attribute(VpcId=network.vpc, EnableDnsHostnames={"Value": True})
    awsvpc = {"subnets": network.subnets, "securityGroups": [network.group]}
    (started,) = ecs.run_task(
        cluster=cluster,
        taskDefinition=register_task_definition(client, "web"),
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": awsvpc},
    )["tasks"]
    (task,) = ecs.describe_tasks(cluster=cluster, tasks=[started["taskArn"]])["tasks"]
    interfaces = client("ec2").describe_network_interfaces(
        Filters=[{"Name": "vpc-id", "Values": [network.vpc]}]
    )
    (container,) = task["containers"]
    assert task["lastStatus"] == "STOPPED"
    assert task["desiredStatus"] == "STOPPED"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert container["name"] == "web"
    assert container["lastStatus"] == "STOPPED"
    assert container["exitCode"] == 0
    assert interfaces["NetworkInterfaces"] == []


CONNECT = {
    "enabled": True,
    "namespace": "arn:aws:servicediscovery:eu-central-1:123456789012:namespace/ns-0123456789abcdef",
    "services": [{"portName": "web", "clientAliases": [{"port": 80, "dnsName": "web.internal"}]}],
}


def test_a_deployment_has_the_services_part_in_service_connect(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1)
    client("ecs").update_service(cluster=cluster, service="web", serviceConnectConfiguration=CONNECT)
    (deployment,) = describe_service(client, cluster)["deployments"]
    assert deployment["serviceConnectConfiguration"] == CONNECT


def test_service_connect_that_is_turned_off_is_not_returned(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1)
    for connect in (CONNECT, {"enabled": False}):
        client("ecs").update_service(cluster=cluster, service="web", serviceConnectConfiguration=connect)
    (deployment,) = describe_service(client, cluster)["deployments"]
    assert "serviceConnectConfiguration" not in deployment


def test_a_service_with_a_capacity_provider_strategy_has_no_launch_type(
    create_service: Callable[..., dict[str, Any]],
) -> None:
    service = create_service(desiredCount=1, capacityProviderStrategy=FARGATE_SPOT)
    assert "launchType" not in service


def test_a_service_that_gets_a_capacity_provider_strategy_loses_its_launch_type(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1, launchType="FARGATE")
    client("ecs").update_service(
        cluster=cluster, service="web", capacityProviderStrategy=FARGATE_SPOT, forceNewDeployment=True
    )
    assert "launchType" not in describe_service(client, cluster)


def test_a_service_takes_its_clusters_default_strategy(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    client("ecs").put_cluster_capacity_providers(
        cluster=cluster, capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=FARGATE_SPOT
    )
    service = create_service(desiredCount=1)
    assert service["capacityProviderStrategy"] == FARGATE_SPOT
    assert service.get("launchType") is None


def steady_state(service: dict[str, Any]) -> dict[str, Any]:
    """What a provider that waits for a steady state looks at."""
    return {
        "counts": (service["desiredCount"], service["runningCount"], service["pendingCount"]),
        "deployments": [
            (each["status"], each["rolloutState"], each["taskDefinition"], each["runningCount"])
            for each in service["deployments"]
        ],
    }


def test_a_new_service_is_in_a_steady_state(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=2)
    service = describe_service(client, cluster)
    assert steady_state(service) == {
        "counts": (2, 2, 0),
        "deployments": [("PRIMARY", "COMPLETED", service["taskDefinition"], 2)],
    }


def test_a_service_with_a_new_task_definition_is_in_a_steady_state_of_a_new_deployment(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    before = create_service(desiredCount=2)
    task_definition = register_task_definition(client, "web")
    client("ecs").update_service(
        cluster=cluster, service="web", taskDefinition=task_definition, desiredCount=3
    )
    after = describe_service(client, cluster)
    assert steady_state(after) == {
        "counts": (3, 3, 0),
        "deployments": [("PRIMARY", "COMPLETED", task_definition, 3)],
    }
    assert after["deployments"][0]["id"] != before["deployments"][0]["id"]


def test_scaling_keeps_the_deployment(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    before = create_service(desiredCount=2)
    after = client("ecs").update_service(cluster=cluster, service="web", desiredCount=1)["service"]
    assert after["deployments"][0]["id"] == before["deployments"][0]["id"]


def test_a_cluster_counts_what_runs(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=2)
    found = client("ecs").describe_clusters(clusters=[cluster])["clusters"][0]
    counts = (found["activeServicesCount"], found["runningTasksCount"], found["pendingTasksCount"])
    assert counts == (1, 2, 0)


def test_a_deleted_service_is_no_longer_listed(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1)
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    assert client("ecs").list_services(cluster=cluster)["serviceArns"] == []
    assert describe_service(client, cluster)["status"] == "INACTIVE"


def test_a_deleted_cluster_is_no_longer_listed(client: Client) -> None:
    ecs = client("ecs")
    arn = ecs.create_cluster(clusterName="short-lived")["cluster"]["clusterArn"]
    ecs.delete_cluster(cluster="short-lived")
    assert arn not in ecs.list_clusters()["clusterArns"]


@dataclass(frozen=True)
class Registry:
    """A Cloud Map service."""

    id: str
    arn: str


@pytest.fixture
def registry(client: Client, network: Network) -> Iterator[Registry]:
    cloud_map = client("servicediscovery")
    operation = cloud_map.create_private_dns_namespace(Name="shop.local", Vpc=network.vpc)["OperationId"]
    namespace = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    records = {"NamespaceId": namespace, "DnsRecords": [{"Type": "A", "TTL": 10}]}
    service = cloud_map.create_service(Name="web", DnsConfig=records)["Service"]
    yield Registry(service["Id"], service["Arn"])
    cloud_map.delete_service(Id=service["Id"])
    cloud_map.delete_namespace(Id=namespace)


def list_instances(client: Client, registry: Registry) -> dict[str, dict[str, str]]:
    found = client("servicediscovery").list_instances(ServiceId=registry.id)["Instances"]
    return {instance["Id"]: instance["Attributes"] for instance in found}


def test_running_tasks_are_instances_in_cloud_map(
    client: Client, cluster: str, registry: Registry, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=2, serviceRegistries=[{"registryArn": registry.arn}])
    of_every_task = {
        "AWS_INIT_HEALTH_STATUS": "HEALTHY",
        "ECS_CLUSTER_NAME": cluster,
        "ECS_SERVICE_NAME": "web",
        "ECS_TASK_DEFINITION_FAMILY": "web",
        "REGION": "eu-central-1",
    }
    assert sorted(list_instances(client, registry).values(), key=lambda each: each["AVAILABILITY_ZONE"]) == [
        {**of_every_task, "AVAILABILITY_ZONE": "eu-central-1a", "AWS_INSTANCE_IPV4": "10.9.1.4"},
        {**of_every_task, "AVAILABILITY_ZONE": "eu-central-1b", "AWS_INSTANCE_IPV4": "10.9.2.4"},
    ]


def test_discover_instances_finds_the_running_tasks(
    client: Client, registry: Registry, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=2, serviceRegistries=[{"registryArn": registry.arn}])
    found = client("servicediscovery").discover_instances(NamespaceName="shop.local", ServiceName="web")[
        "Instances"
    ]
    assert {each["InstanceId"]: each["Attributes"] for each in found} == list_instances(client, registry)


def test_a_registry_with_a_port_makes_instances_with_a_port(
    client: Client, registry: Registry, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1, serviceRegistries=[{"registryArn": registry.arn, "port": 8080}])
    assert [each["AWS_INSTANCE_PORT"] for each in list_instances(client, registry).values()] == ["8080"]


def test_scaling_up_adds_instances_with_addresses_of_their_own(
    client: Client, cluster: str, registry: Registry, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=1, serviceRegistries=[{"registryArn": registry.arn}])
    before = list_instances(client, registry)
    client("ecs").update_service(cluster=cluster, service="web", desiredCount=5)
    after = list_instances(client, registry)
    assert before.items() <= after.items()
    assert len({each["AWS_INSTANCE_IPV4"] for each in after.values()}) == 5


def test_scaling_down_removes_instances(
    client: Client, cluster: str, registry: Registry, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=3, serviceRegistries=[{"registryArn": registry.arn}])
    before = list_instances(client, registry)
    client("ecs").update_service(cluster=cluster, service="web", desiredCount=1)
    after = list_instances(client, registry)
    assert len(after) == 1
    assert after.items() <= before.items()


def test_a_new_deployment_replaces_every_instance(
    client: Client, cluster: str, registry: Registry, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=2, serviceRegistries=[{"registryArn": registry.arn}])
    before = list_instances(client, registry)
    task_definition = register_task_definition(client, "web")
    client("ecs").update_service(cluster=cluster, service="web", taskDefinition=task_definition)
    after = list_instances(client, registry)
    assert len(after) == 2
    assert not before.keys() & after.keys()


def test_deleting_a_service_removes_its_instances(
    client: Client, cluster: str, registry: Registry, create_service: Callable[..., dict[str, Any]]
) -> None:
    create_service(desiredCount=2, serviceRegistries=[{"registryArn": registry.arn}])
    client("ecs").delete_service(cluster=cluster, service="web", force=True)
    assert list_instances(client, registry) == {}


def test_a_namespace_can_be_made_again_after_it_was_deleted(client: Client, network: Network) -> None:
    cloud_map = client("servicediscovery")
    for _ in range(2):
        operation = cloud_map.create_private_dns_namespace(Name="again.local", Vpc=network.vpc)["OperationId"]
        namespace = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
        cloud_map.delete_namespace(Id=namespace)
    zones = [zone["Name"] for zone in client("route53").list_hosted_zones()["HostedZones"]]
    assert "again.local-hz" not in zones


@pytest.fixture
def scalable(
    client: Client, cluster: str, create_service: Callable[..., dict[str, Any]]
) -> Iterator[dict[str, str]]:
    """The parameters that name a service as something that scales."""
    create_service(desiredCount=1)
    named = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    yield named
    client("application-autoscaling").deregister_scalable_target(**named)


def test_a_scalable_target_has_the_tags_that_it_was_registered_with(
    client: Client, scalable: dict[str, str]
) -> None:
    autoscaling = client("application-autoscaling")
    arn = autoscaling.register_scalable_target(**scalable, MinCapacity=1, MaxCapacity=2, Tags={"a": "1"})[
        "ScalableTargetARN"
    ]
    autoscaling.register_scalable_target(**scalable, MaxCapacity=3)
    assert autoscaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "1"}


def test_a_scalable_target_is_tagged_and_untagged(client: Client, scalable: dict[str, str]) -> None:
    autoscaling = client("application-autoscaling")
    arn = autoscaling.register_scalable_target(**scalable, MinCapacity=1, MaxCapacity=2)["ScalableTargetARN"]
    autoscaling.tag_resource(ResourceARN=arn, Tags={"a": "1", "b": "2"})
    autoscaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert autoscaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}


def test_the_tags_of_an_unknown_scalable_target_are_refused(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        client("application-autoscaling").list_tags_for_resource(ResourceARN="arn:aws:none")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_an_updated_scaling_policy_has_only_its_new_alarms(client: Client, scalable: dict[str, str]) -> None:
    autoscaling = client("application-autoscaling")
    autoscaling.register_scalable_target(**scalable, MinCapacity=1, MaxCapacity=2)
    for target in (50, 60):
        policy = autoscaling.put_scaling_policy(
            **scalable,
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            },
        )
    alarms = {alarm["AlarmName"] for alarm in client("cloudwatch").describe_alarms()["MetricAlarms"]}
    assert alarms == {alarm["AlarmName"] for alarm in policy["Alarms"]}
    autoscaling.delete_scaling_policy(**scalable, PolicyName="cpu")


def authorize(client: Client, network: Network, **permission: object) -> str:
    """Allow something in and return the rule's id."""
    answer = client("ec2").authorize_security_group_ingress(
        GroupId=network.group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **permission}],
    )
    return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def describe_rule(client: Client, rule_id: str) -> dict[str, Any]:
    rules = client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"]
    rule: dict[str, Any] = rules[0]
    return rule


def test_a_rule_from_a_group_has_a_description(client: Client, network: Network) -> None:
    rule_id = authorize(
        client, network, UserIdGroupPairs=[{"GroupId": network.group, "Description": "to itself"}]
    )
    assert describe_rule(client, rule_id)["Description"] == "to itself"


def test_a_rule_from_a_prefix_list_has_a_description(client: Client, network: Network) -> None:
    prefix_list = client("ec2").describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    rule_id = authorize(client, network, PrefixListIds=[{"PrefixListId": prefix_list, "Description": "S3"}])
    assert describe_rule(client, rule_id)["Description"] == "S3"


def test_a_rule_for_all_protocols_can_be_modified(client: Client, network: Network) -> None:
    rule_id = authorize(client, network, IpProtocol="-1", UserIdGroupPairs=[{"GroupId": network.group}])
    new = {"IpProtocol": "-1", "ReferencedGroupId": network.group, "Description": "all"}
    client("ec2").modify_security_group_rules(
        GroupId=network.group, SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": new}]
    )
    rule = describe_rule(client, rule_id)
    assert rule["Description"] == "all"
    assert rule["FromPort"] == -1
    assert rule["ToPort"] == -1


def test_the_group_that_a_rule_refers_to_can_be_modified(client: Client, network: Network) -> None:
    ec2 = client("ec2")
    rule_id = authorize(client, network, UserIdGroupPairs=[{"GroupId": network.group}])
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc)["GroupId"]
    new = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "ReferencedGroupId": other}
    ec2.modify_security_group_rules(
        GroupId=network.group, SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": new}]
    )
    assert describe_rule(client, rule_id)["ReferencedGroupInfo"]["GroupId"] == other
    ec2.revoke_security_group_ingress(GroupId=network.group, SecurityGroupRuleIds=[rule_id])
    ec2.delete_security_group(GroupId=other)


def test_policies_that_aws_manages_exist(client: Client) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    assert client("iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn


def test_what_moto_lacks_is_refused_at_once(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        client("ecs").list_service_deployments(cluster="c", service="s")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert caught.value.response["Error"] == {
        "Code": "NotImplemented",
        "Message": "emulator: The list_service_deployments action has not been implemented",
    }


def test_a_patch_of_something_that_moto_does_not_have_is_refused() -> None:
    with pytest.raises(RuntimeError, match=rf"^moto [\d.]+ has no Moto.call: review {__name__}$"):
        wrap(type("Moto", (), {}), "call", lambda original: original)


def test_an_addition_that_moto_has_learnt_is_refused() -> None:
    def call() -> None:
        """Stand for what the emulator adds."""

    with pytest.raises(RuntimeError, match=rf"^moto [\d.]+ now has Moto.call: review {__name__}$"):
        add(type("Moto", (), {"call": call}), call)


PARTS = [{"digest": f"sha256:{digit * 64}", "size": 40} for digit in "12"]


@pytest.fixture
def put_image(client: Client) -> Iterator[Callable[..., str]]:
    """Puts an image into a repository, which ends with the test; returns its digest."""
    name = f"shop-{uuid4().hex}"
    ecr = client("ecr")
    ecr.create_repository(repositoryName=name)

    def put(tag: str, **manifest: object) -> str:
        text = json.dumps({"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest})
        digest = f"sha256:{sha256(text.encode()).hexdigest()}"
        ecr.put_image(repositoryName=name, imageManifest=text, imageTag=tag, imageDigest=digest)
        return digest

    yield put
    ecr.delete_repository(repositoryName=name, force=True)


def described(client: Client, tag: str) -> dict[str, Any]:
    """An image, in whichever repository has its tag."""
    ecr = client("ecr")
    repositories = [
        repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]
    ]
    details = (
        detail for name in repositories for detail in ecr.describe_images(repositoryName=name)["imageDetails"]
    )
    found: dict[str, Any] = next(detail for detail in details if tag in detail.get("imageTags", ()))
    return found


def test_images_of_the_same_second_are_reported_apart(client: Client, put_image: Callable[..., str]) -> None:
    tags = [uuid4().hex for _ in range(3)]
    for tag in tags:
        put_image(tag, annotations={"tag": tag})
    pushed = [described(client, tag)["imagePushedAt"] for tag in tags]
    assert sorted(set(pushed)) == pushed


def test_an_image_names_what_it_is_about_if_it_is_about_any(
    client: Client, put_image: Callable[..., str]
) -> None:
    subject, signature = uuid4().hex, uuid4().hex
    digest = put_image(subject)
    put_image(signature, subject={"digest": digest})
    found = [described(client, tag).get("subjectManifestDigest") for tag in (subject, signature)]
    assert found == [None, digest]


def test_an_image_is_as_large_as_all_its_parts(client: Client, put_image: Callable[..., str]) -> None:
    tag = uuid4().hex
    put_image(tag, config={"digest": f"sha256:{'3' * 64}", "size": 2}, layers=PARTS)
    assert described(client, tag)["imageSizeInBytes"] == 82


def test_what_an_index_names_is_not_deleted_before_it(client: Client, put_image: Callable[..., str]) -> None:
    part, index, other = (uuid4().hex for _ in range(3))
    put_image(index, manifests=[{"digest": put_image(part, layers=[])}])
    put_image(other, annotations={"another": "image"})
    name = described(client, part)["repositoryName"]

    def delete(*tags: str) -> tuple[list[str], list[tuple[str, str]]]:
        answer = client("ecr").batch_delete_image(
            repositoryName=name, imageIds=[{"imageTag": tag} for tag in tags]
        )
        refused = [(each["imageId"]["imageTag"], each["failureCode"]) for each in answer["failures"]]
        return [each["imageTag"] for each in answer.get("imageIds", ())], refused

    refusal = [(part, "ImageReferencedByManifestList")]
    assert [delete(part), delete(index, part, other), delete(part)] == [
        ([], refusal),
        ([index, other], refusal),
        ([part], []),
    ]


def test_a_tag_beside_another_comes_off_what_an_index_names(
    client: Client, put_image: Callable[..., str]
) -> None:
    part, extra, index = (uuid4().hex for _ in range(3))
    for tag in (part, extra):
        digest = put_image(tag, layers=[])
    put_image(index, manifests=[{"digest": digest}])
    name = described(client, part)["repositoryName"]
    assert (
        client("ecr").batch_delete_image(repositoryName=name, imageIds=[{"imageTag": extra}])["failures"]
        == []
    )
    assert described(client, part)["imageTags"] == [part]


@pytest.fixture
def balancer(client: Client, network: Network) -> Iterator[str]:
    """A load balancer, by its ARN."""
    elbv2 = client("elbv2")
    made = elbv2.create_load_balancer(Name=f"lb-{uuid4().hex[:8]}", Subnets=network.subnets)
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    yield arn
    elbv2.delete_load_balancer(LoadBalancerArn=arn)


def test_a_listener_has_a_certificate_that_is_there_already(client: Client, balancer: str) -> None:
    certificate = [{"CertificateArn": f"arn:aws:acm:eu-central-1:123456789012:certificate/{uuid4()}"}]
    listener = client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=certificate,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]
    other = [{"CertificateArn": f"arn:aws:acm:eu-central-1:123456789012:certificate/{uuid4()}"}]
    changed = client("elbv2").modify_listener(ListenerArn=listener["ListenerArn"], Certificates=other)[
        "Listeners"
    ][0]
    assert listener["Certificates"] == certificate
    assert changed["Certificates"] == other


def test_a_web_acl_that_is_there_already_is_associated(client: Client, balancer: str) -> None:
    acl = f"arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/{uuid4()}"
    client("wafv2").associate_web_acl(WebACLArn=acl, ResourceArn=balancer)
    assert client("wafv2").get_web_acl_for_resource(ResourceArn=balancer)["WebACL"]["ARN"] == acl
    client("wafv2").disassociate_web_acl(ResourceArn=balancer)
    assert "WebACL" not in client("wafv2").get_web_acl_for_resource(ResourceArn=balancer)


def test_a_record_is_made_in_a_hosted_zone_that_is_there_already(client: Client) -> None:
    zone = f"Z{uuid4().hex[:20].upper()}"
    record = {
        "Name": "shop.example.com.",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    found = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert record in found


def ids(client: Client, operation: str, key: str, identifier: str, vpc: str) -> set[str]:
    """What EC2 lists of a VPC."""
    answer = getattr(client("ec2"), operation)(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return {item[identifier] for item in answer[key]}


def test_a_vpcs_network_acl_goes_with_it(client: Client) -> None:
    vpc = client("ec2").create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    before = ids(client, "describe_network_acls", "NetworkAcls", "NetworkAclId", vpc)
    client("ec2").delete_vpc(VpcId=vpc)
    after = ids(client, "describe_network_acls", "NetworkAcls", "NetworkAclId", vpc)
    assert len(before) == 1
    assert len(after) == 0


def test_a_network_acl_entry_that_is_deleted_is_not_found(client: Client, network: Network) -> None:
    acls = client("ec2").describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])
    entry = {"NetworkAclId": acls["NetworkAcls"][0]["NetworkAclId"], "RuleNumber": 77, "Egress": False}
    with pytest.raises(ClientError) as caught:
        client("ec2").delete_network_acl_entry(**entry)
    assert caught.value.response["Error"]["Code"] == "InvalidNetworkAclEntry.NotFound"


def test_a_nat_gateways_network_interface_goes_with_it(client: Client, network: Network) -> None:
    ec2 = client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)["NatGateway"][
        "NatGatewayId"
    ]
    before = ids(
        client, "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", network.vpc
    )
    ec2.delete_nat_gateway(NatGatewayId=made)
    ec2.release_address(AllocationId=address)
    after = ids(client, "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", network.vpc)
    assert len(before) == 1
    assert len(after) == 0


def test_a_gateway_endpoint_gets_another_route_table_and_is_deleted(client: Client, network: Network) -> None:
    ec2 = client("ec2")
    tables = [ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    gateway = {"VpcEndpointType": "Gateway", "ServiceName": "com.amazonaws.eu-central-1.s3"}
    made = ec2.create_vpc_endpoint(VpcId=network.vpc, RouteTableIds=tables[:1], **gateway)
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]

    def routed() -> list[bool]:
        found = [ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0] for table in tables]
        return [any(route.get("GatewayId") == endpoint for route in table["Routes"]) for table in found]

    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=tables[1:])
    both = routed()
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=tables[:1])
    second = routed()
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert both == [True, True]
    assert second == [False, True]
    assert routed() == [False, False]
    for table in tables:
        ec2.delete_route_table(RouteTableId=table)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("deregister_scalable_target", {}), ("delete_scaling_policy", {"PolicyName": "cpu"})],
)
def test_what_does_not_scale_is_not_found(client: Client, operation: str, parameters: dict[str, str]) -> None:
    named = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/s",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    with pytest.raises(ClientError) as caught:
        getattr(client("application-autoscaling"), operation)(**named, **parameters)
    assert caught.value.response["Error"]["Code"] == "ObjectNotFoundException"
