"""What AWS does and moto 5.2.5 does not, where Terraform would see drift or wait for ever.

Each function fills one gap by changing a class of moto, once, before the server answers its first request. All of them
fail if what they change is not there, or if moto has meanwhile learnt what they add.
"""

import functools
import inspect
import json
from collections.abc import Callable
from itertools import chain
from typing import Any, cast

import moto
from botocore import xform_name
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeApplicationAutoscalingPolicy
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import utcnow
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api._internal import mock_random
from moto.route53.models import route53_backends
from moto.servicediscovery.models import ServiceDiscoveryBackend
from moto.utilities.utils import get_partition

from fleetform.emulator import instances

Method = Callable[..., Any]

# Members that CreateService takes and Service returns (botocore's model of ecs), but moto drops.
FORGOTTEN_SETTINGS = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
)

# What DescribeServices answers where CreateService was silent (API_Service, API_DeploymentConfiguration).
DEPLOYMENT_DEFAULTS = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
}


def fill() -> None:
    """Fill every gap."""
    for gap in (
        remember_service_settings,
        choose_launch_type,
        reach_steady_state,
        register_instances,
        hide_deleted,
        tag_scalable_targets,
        replace_alarms,
        delete_hosted_zones,
        describe_group_rules,
        modify_every_kind_of_rule,
    ):
        gap()


def remember_service_settings() -> None:
    """Keep the settings that CreateService was given.

    AWS (API_CreateService): DescribeServices returns them all, the deployment configuration with its defaults.
    Moto: ``ecs/responses.py`` create_service reads fourteen parameters and drops the others; update_service keeps all.
    """

    def remember(response: EC2ContainerServiceResponse, service: Service) -> None:
        remembered = vars(service)
        for setting in FORGOTTEN_SETTINGS:
            value = parameter(response, setting)
            if value is not None:
                remembered[xform_name(setting)] = value
        given = remembered.get("deployment_configuration", {})
        remembered["deployment_configuration"] = DEPLOYMENT_DEFAULTS | given

    after_service_call("create_service", remember)
    after_service_call("update_service", remember)


def choose_launch_type() -> None:
    """Give a service no launch type if it has a capacity provider strategy, its own or by default its cluster's.

    AWS (API_CreateService, launchType, capacityProviderStrategy): the two exclude each other.
    Moto: ``ecs/models.py`` create_service makes a missing launch type ``EC2``, also next to a strategy.
    """

    def choose(response: EC2ContainerServiceResponse, service: Service) -> None:
        if parameter(response, "launchType") is not None:
            return
        cluster = response.ecs_backend.clusters[service.cluster_name]
        strategy = parameter(response, "capacityProviderStrategy") or cluster.default_capacity_provider_strategy
        if strategy:
            vars(service)["capacity_provider_strategy"] = strategy
            service.launch_type = None

    after_service_call("create_service", choose)


def reach_steady_state() -> None:
    """Run at once what a service is told to run: one deployment, PRIMARY and COMPLETED, with every task running.

    AWS (API_Deployment): a new deployment begins with each change of task definition, network or capacity.
    Moto: ``ecs/models.py`` Service starts with no task running and its deployment IN_PROGRESS, for ever;
    update_service changes neither, so a provider that waits for a steady state waits in vain.
    """

    def settle(response: EC2ContainerServiceResponse, service: Service) -> None:
        backend = response.ecs_backend
        if service.task_definition:
            service.task_definition = backend.describe_task_definition(service.task_definition).arn
        if service.status == "INACTIVE":
            service.desired_count = 0
        service.running_count, service.pending_count = service.desired_count, 0
        service.deployments = [next_deployment(service)] if service.status == "ACTIVE" else []
        count_cluster(backend, service.cluster_name)

    for call in ("create_service", "update_service", "delete_service"):
        after_service_call(call, settle)


def register_instances() -> None:
    """Hold the services' tasks in Cloud Map; see ``instances.py``."""

    def register(response: EC2ContainerServiceResponse, service: Service) -> None:
        instances.register(service, response.current_account)

    for call in ("create_service", "update_service", "delete_service"):
        after_service_call(call, register)


def hide_deleted() -> None:
    """List no service or cluster that was deleted.

    AWS (API_DeleteService, API_DeleteCluster): they turn INACTIVE and only Describe still finds them.
    Moto: ``ecs/models.py`` list_services and list_clusters return them for ever.
    """

    def list_services(original: Method) -> Method:
        def listed(backend: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> list[str]:  # noqa: ANN401 -- passed on
            active = {service.arn for service in backend.services.values() if service.status == "ACTIVE"}
            return [arn for arn in original(backend, *args, **kwargs) if arn in active]

        return listed

    def list_clusters(original: Method) -> Method:
        def listed(backend: EC2ContainerServiceBackend) -> list[str]:
            active = {cluster.arn for cluster in backend.clusters.values() if cluster.status == "ACTIVE"}
            return [arn for arn in original(backend) if arn in active]

        return listed

    wrap(EC2ContainerServiceBackend, "list_services", list_services)
    wrap(EC2ContainerServiceBackend, "list_clusters", list_clusters)


def tag_scalable_targets() -> None:
    """Tag scalable targets.

    AWS (Application Auto Scaling API_ListTagsForResource, API_TagResource, API_UntagResource).
    Moto: ``applicationautoscaling/responses.py`` has none of them and ignores RegisterScalableTarget's ``Tags``.
    """

    def register_scalable_target(original: Method) -> Method:
        def registered(response: ApplicationAutoScalingResponse) -> str:
            answer = json.loads(original(response))
            tags_of(response, answer["ScalableTargetARN"]).update(parameter(response, "Tags") or {})
            return json.dumps(answer)

        return registered

    def list_tags_for_resource(response: ApplicationAutoScalingResponse) -> str:
        return json.dumps({"Tags": tags_of(response, parameter(response, "ResourceARN"))})

    def tag_resource(response: ApplicationAutoScalingResponse) -> str:
        tags_of(response, parameter(response, "ResourceARN")).update(parameter(response, "Tags"))
        return "{}"

    def untag_resource(response: ApplicationAutoScalingResponse) -> str:
        tags = tags_of(response, parameter(response, "ResourceARN"))
        for key in parameter(response, "TagKeys"):
            tags.pop(key, None)
        return "{}"

    wrap(ApplicationAutoScalingResponse, "register_scalable_target", register_scalable_target)
    for action in (list_tags_for_resource, tag_resource, untag_resource):
        add(ApplicationAutoScalingResponse, action)


def replace_alarms() -> None:
    """Delete the alarms of a scaling policy that is replaced.

    AWS (Application Auto Scaling API_PutScalingPolicy): an update keeps or replaces the policy's alarms.
    Moto: ``applicationautoscaling/models.py`` put_scaling_policy makes new alarms and leaves the old ones for ever.
    """

    def put_scaling_policy(original: Method) -> Method:
        def put(backend: ApplicationAutoscalingBackend, **kwargs: Any) -> FakeApplicationAutoscalingPolicy:  # noqa: ANN401 -- passed on
            earlier = set(backend.policies.values())
            policy = original(backend, **kwargs)
            for replaced in earlier - set(backend.policies.values()):
                replaced.delete_alarms(backend.account_id, backend.region_name)
            return cast("FakeApplicationAutoscalingPolicy", policy)

        return put

    wrap(ApplicationAutoscalingBackend, "put_scaling_policy", put_scaling_policy)


def delete_hosted_zones() -> None:
    """Delete a DNS namespace's hosted zone with it.

    AWS (Cloud Map API_DeleteNamespace, API_CreatePrivateDnsNamespace): the zone belongs to the namespace.
    Moto: ``servicediscovery/models.py`` delete_namespace leaves the zone it made.
    """

    def delete_namespace(original: Method) -> Method:
        def deleted(backend: ServiceDiscoveryBackend, namespace_id: str) -> str:
            namespace = backend.namespaces.get(namespace_id)
            operation = original(backend, namespace_id)
            zone = namespace.dns_properties.get("HostedZoneId") if namespace else None
            if zone:
                route53_backends[backend.account_id][get_partition(backend.region_name)].delete_hosted_zone(zone)
            return cast("str", operation)

        return deleted

    wrap(ServiceDiscoveryBackend, "delete_namespace", delete_namespace)


def describe_group_rules() -> None:
    """Return the description of a security group rule whose peer is a group or a prefix list.

    AWS (EC2 API_SecurityGroupRule): ``description``, whatever the peer.
    Moto: ``ec2/models/security_groups.py`` SecurityGroupRule.description looks among the addresses only.
    """

    def init(original: Method) -> Method:
        def initialised(rule: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed on
            original(rule, *args, **kwargs)
            given = inspect.signature(original).bind(rule, *args, **kwargs).arguments
            for peer in (given.get("source_group"), given.get("prefix_list_id")):
                if peer and "Description" in peer:
                    rule.ip_range = {"Description": peer["Description"]}

        return initialised

    wrap(SecurityGroupRule, "__init__", init)


def modify_every_kind_of_rule() -> None:
    """Modify security group rules for all protocols, and rules whose peer is not an IPv4 range.

    AWS (EC2 API_ModifySecurityGroupRules): ports are for TCP, UDP and ICMP; each kind of peer can be changed.
    Moto: ``ec2/models/security_groups.py`` modify_security_group_rules refuses a rule without ports, and ignores
    a new group, prefix list or IPv6 range.
    """

    def modify(original: Method) -> Method:
        def modified(backend: SecurityGroupBackend, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
            all_ports = {"FromPort": -1, "ToPort": -1}
            for given in rules.values():
                given.update(all_ports if given.get("IpProtocol") == "-1" else {})
            original(backend, group_id, rules)
            group = backend.get_security_group_by_name_or_id(group_id)
            for rule in chain(group.ingress_rules, group.egress_rules) if group else ():
                if rule.id in rules:
                    complete_rule(rule, rules[rule.id])

        return modified

    wrap(SecurityGroupBackend, "modify_security_group_rules", modify)


def complete_rule(rule: SecurityGroupRule, given: dict[str, Any]) -> None:
    """Give a rule the parts of a request that moto's own modification leaves out."""
    if rule.ip_protocol == "-1":
        rule.from_port = rule.to_port = None
    if "CidrIpv6" in given:
        rule.ip_range["CidrIpv6"] = given["CidrIpv6"]
    if "PrefixListId" in given:
        rule.prefix_list_id = given["PrefixListId"]
    if "ReferencedGroupId" in given:
        description = {"Description": given["Description"]} if "Description" in given else {}
        rule.source_group = rule.source_group | {"GroupId": given["ReferencedGroupId"]} | description


def tags_of(response: ApplicationAutoScalingResponse, arn: str) -> dict[str, str]:
    """Return the tags of a scalable target, to read or to change."""
    for targets in response.applicationautoscaling_backend.targets.values():
        for target in targets.values():
            if target.arn == arn:
                return cast("dict[str, str]", vars(target).setdefault("tags", {}))
    raise JsonRESTError("ResourceNotFoundException", f"No scalable target found for resource ARN: {arn}")


def next_deployment(service: Service) -> dict[str, Any]:
    """Return the service's deployment: the one it has, or a new one if what it runs has changed."""
    runs = {
        "capacityProviderStrategy": getattr(service, "capacity_provider_strategy", None),
        "launchType": service.launch_type,
        "networkConfiguration": service.network_configuration,
        "platformVersion": service.platform_version,
        "taskDefinition": service.task_definition,
    }
    latest = service.deployments[0]
    same = all(latest.get(key) == value for key, value in runs.items())
    identifier = latest["id"] if same else f"ecs-svc/{mock_random.randint(10**18, 10**19)}"
    return {
        **runs,
        "createdAt": latest["createdAt"] if same else utcnow(),
        "desiredCount": service.desired_count,
        "failedTasks": 0,
        "id": identifier,
        "pendingCount": 0,
        "rolloutState": "COMPLETED",
        "rolloutStateReason": f"ECS deployment {identifier} completed.",
        "runningCount": service.running_count,
        "status": "PRIMARY",
        "updatedAt": utcnow(),
    }


def count_cluster(backend: EC2ContainerServiceBackend, name: str) -> None:
    """Count anew what runs in a cluster."""
    cluster = backend.clusters[name]
    active = [each for each in backend.services.values() if (each.cluster_name, each.status) == (name, "ACTIVE")]
    cluster.active_services_count = len(active)
    cluster.running_tasks_count = sum(service.running_count for service in active)
    cluster.pending_tasks_count = 0


def after_service_call(name: str, act: Callable[[EC2ContainerServiceResponse, Service], None]) -> None:
    """Let ``act`` change the service that an ECS call answers with, before the answer is written."""

    def wrapper(original: Method) -> Method:
        def called(response: EC2ContainerServiceResponse) -> ActionResult:
            answer = original(response)
            act(response, answer.result["service"])
            return cast("ActionResult", answer)

        return called

    wrap(EC2ContainerServiceResponse, name, wrapper)


def parameter(response: BaseResponse, name: str) -> Any:  # noqa: ANN401 -- whatever JSON the request holds
    """Return a parameter of the request, None if it is not given."""
    return response._get_param(name)  # noqa: SLF001 -- how every response of moto reads its parameters


def wrap(owner: type, name: str, wrapper: Callable[[Method], Method]) -> None:
    """Put a method around one that moto has."""
    original = getattr(owner, name, None)
    if original is None:
        raise RuntimeError(f"moto {moto.__version__} has no {owner.__name__}.{name}: review {__name__}")
    setattr(owner, name, functools.wraps(original)(wrapper(original)))


def add(owner: type, method: Method) -> None:
    """Add a method that moto lacks, under its own name."""
    if hasattr(owner, method.__name__):
        raise RuntimeError(f"moto {moto.__version__} now has {owner.__name__}.{method.__name__}: review {__name__}")
    setattr(owner, method.__name__, method)
