"""What Amazon ECS refuses, because a service exists, drains, or refers to something that is not ready."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, Service, TaskDefinition
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import elbv2_backends

from fleetform.emulator.gaps.delays import DELAYS
from fleetform.emulator.gaps.patches import Method, parameter, wrap

# In bytes (ECS developer guide, "Amazon ECS service quotas").
TASK_DEFINITION_BYTES = 65_536


def drain_services() -> None:
    """Let a deleted service drain before it turns INACTIVE, and delete its scalable target and policies.

    AWS (API_DeleteService): it is DRAINING until its tasks have stopped. Its scalable target is gone with it
    (hashicorp/terraform-provider-aws#9473, #14254).
    Moto: ``ecs/models.py`` delete_service makes it INACTIVE; Application Auto Scaling keeps the target.
    """

    def delete_service(original: Method) -> Method:
        def deleted(
            backend: EC2ContainerServiceBackend, cluster_name: str, service_name: str, force: object
        ) -> Service:
            service = backend._get_service(cluster_name, service_name)  # noqa: SLF001 -- it has no other name
            if service.status != "ACTIVE":
                return service
            original(backend, cluster_name, service_name, force)
            end_scaling(service, backend)
            service.status = "DRAINING"
            DELAYS.later(lambda: setattr(service, "status", "INACTIVE"))
            return service

        return deleted

    wrap(EC2ContainerServiceBackend, "delete_service", delete_service)


def end_scaling(service: Service, backend: EC2ContainerServiceBackend) -> None:
    """Delete the scalable target, the scaling policies and the scheduled actions of a service."""
    scaling = applicationautoscaling_backends[backend.account_id][backend.region_name]
    resource = f"service/{service.cluster_name}/{service.name}"
    for targets in scaling.targets.values():
        targets.pop(resource, None)
    for key, policy in list(scaling.policies.items()):
        if (policy.service_namespace, policy.resource_id) == ("ecs", resource):
            policy.delete_alarms(backend.account_id, backend.region_name)
            del scaling.policies[key]
    scaling.scheduled_actions = [each for each in scaling.scheduled_actions if each.resource_id != resource]


def refuse_existing_names() -> None:
    """Refuse to create a service under the name of one that is ACTIVE or DRAINING.

    AWS: InvalidParameterException (hashicorp/terraform-provider-aws#2283, ewilde/faas-fargate#13).
    Moto: ``ecs/models.py`` create_service replaces the service.
    """

    def create_service(original: Method) -> Method:
        def created(
            backend: EC2ContainerServiceBackend,
            cluster_str: str,
            service_name: str,
            *args: Any,  # noqa: ANN401 -- passed on
            **kwargs: Any,  # noqa: ANN401 -- passed on
        ) -> Service:
            cluster = backend._get_cluster(cluster_str)  # noqa: SLF001 -- it has no other name
            existing = backend.services.get(f"{cluster.name}:{service_name}")
            if existing and existing.status == "ACTIVE":
                raise InvalidParameterException("Creation of service was not idempotent.")
            if existing and existing.status == "DRAINING":
                raise InvalidParameterException("Unable to Start a service that is still Draining.")
            return cast("Service", original(backend, cluster_str, service_name, *args, **kwargs))

        return created

    wrap(EC2ContainerServiceBackend, "create_service", create_service)


def check_new_services() -> None:
    """Refuse a service whose task definition, network or load balancers it could not use.

    AWS (API_CreateService, loadBalancers; hashicorp/terraform-provider-aws#3495): InvalidParameterException.
    Moto: ``ecs/models.py`` create_service looks at none of them.
    """

    def create_service(original: Method) -> Method:
        def created(response: EC2ContainerServiceResponse) -> ActionResult:
            name = parameter(response, "taskDefinition")
            if name:
                definition = response.ecs_backend.describe_task_definition(name)
                check_task_definition(definition)
                check_network(definition, parameter(response, "networkConfiguration"))
                check_load_balancers(
                    response.ecs_backend, definition, parameter(response, "loadBalancers") or ()
                )
            return cast("ActionResult", original(response))

        return created

    wrap(EC2ContainerServiceResponse, "create_service", create_service)


def check_updates() -> None:
    """Refuse to update a service that is not ACTIVE, or with what it could not use.

    AWS (API_UpdateService, errors): ServiceNotActiveException; a capacity provider strategy changes only with
    ``forceNewDeployment`` (kayac/ecspresso#481, hashicorp/terraform-provider-aws#22823).
    Moto: ``ecs/models.py`` update_service accepts both.
    """

    def update_service(original: Method) -> Method:
        def updated(backend: EC2ContainerServiceBackend, given: dict[str, Any]) -> Service:
            service = backend._get_service(given.get("cluster", "default"), given["service"].split("/")[-1])  # noqa: SLF001 -- it has no other name
            if service.status != "ACTIVE":
                raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
            definition = backend.describe_task_definition(
                given.get("task_definition") or service.task_definition or ""
            )
            if given.get("task_definition"):
                check_task_definition(definition)
            balancers = given.get("load_balancers")
            check_load_balancers(
                backend, definition, service.load_balancers if balancers is None else balancers
            )
            check_strategy(service, given)
            return cast("Service", original(backend, given))

        return updated

    wrap(EC2ContainerServiceBackend, "update_service", update_service)


def check_task_definition(definition: TaskDefinition) -> None:
    """Refuse a task definition that was deregistered.

    AWS (API_DeregisterTaskDefinition): it cannot run new tasks, create or update a service
    (InvalidParameterException, DefangLabs/defang#775).
    """
    if definition.status != "ACTIVE":
        raise InvalidParameterException("TaskDefinition is inactive")


def check_network(definition: TaskDefinition, network: object) -> None:
    """Refuse to run tasks with their own network interfaces in no subnet.

    AWS (API_CreateService, networkConfiguration): required for the ``awsvpc`` network mode.
    """
    if definition.network_mode == "awsvpc" and not network:
        message = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        raise InvalidParameterException(message)


def check_load_balancers(
    backend: EC2ContainerServiceBackend,
    definition: TaskDefinition,
    balancers: Sequence[Mapping[str, Any]],
) -> None:
    """Refuse target groups that no listener uses, and ports that the task definition does not have.

    AWS: InvalidParameterException (hashicorp/terraform-provider-aws#3495, hashicorp/terraform#4227).
    """
    balancing = elbv2_backends[backend.account_id][backend.region_name]
    ports = {
        container["name"]: [mapping["containerPort"] for mapping in container.get("portMappings", ())]
        for container in cast("list[dict[str, Any]]", definition.container_definitions)
    }
    for balancer in balancers:
        arn = balancer.get("targetGroupArn", "")
        container, port = str(balancer["containerName"]), balancer["containerPort"]
        if arn and not balancing._any_listener_using(arn):  # noqa: SLF001 -- it has no other name
            message = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        elif container not in ports:
            message = f"The container {container} does not exist in the task definition."
        elif port not in ports[container]:
            message = f"The container {container} did not have a container port {port} defined."
        else:
            continue
        raise InvalidParameterException(message)


def check_strategy(service: Service, given: Mapping[str, Any]) -> None:
    """Refuse a different capacity provider strategy without a new deployment."""
    strategy = given.get("capacity_provider_strategy")
    current: Sequence[Mapping[str, Any]] = vars(service).get("capacity_provider_strategy") or ()
    if strategy and not given.get("force_new_deployment") and _weights(strategy) != _weights(current):
        message = (
            "When switching from launch type to capacity provider strategy on an existing service, or making "
            "a change to a capacity provider strategy on a service that is already using one, you must force "
            "a new deployment."
        )
        raise InvalidParameterException(message)


def _weights(strategy: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    return {each["capacityProvider"]: (each.get("weight", 0), each.get("base", 0)) for each in strategy}


def refuse_clusters_in_use() -> None:
    """Refuse to delete a cluster whose services are active or whose tasks run.

    AWS (API_DeleteCluster, errors): ClusterContainsServicesException, ClusterContainsTasksException.
    Moto: ``ecs/models.py`` delete_cluster deletes it.
    """

    def delete_cluster(original: Method) -> Method:
        def deleted(backend: EC2ContainerServiceBackend, cluster_str: str) -> Cluster:
            cluster = backend._get_cluster(cluster_str)  # noqa: SLF001 -- it has no other name
            states = {each.status for each in backend.services.values() if each.cluster_name == cluster.name}
            if "ACTIVE" in states:
                message = "The Cluster cannot be deleted while Services are active."
                raise ECSException("ClusterContainsServicesException", message)
            if "DRAINING" in states:
                message = "The Cluster cannot be deleted while Tasks are active."
                raise ECSException("ClusterContainsTasksException", message)
            return cast("Cluster", original(backend, cluster_str))

        return deleted

    wrap(EC2ContainerServiceBackend, "delete_cluster", delete_cluster)


def limit_task_definitions() -> None:
    """Refuse a task definition that is too large.

    AWS (awsdocs/amazon-ecs-developer-guide#149): ClientException.
    Moto: ``ecs/models.py`` register_task_definition takes any size.
    """

    def register(original: Method) -> Method:
        def registered(response: EC2ContainerServiceResponse) -> ActionResult:
            length = len(response.body.encode())
            if length > TASK_DEFINITION_BYTES:
                message = f"Actual length: '{length}'. Max allowed length is '{TASK_DEFINITION_BYTES}' bytes."
                raise EcsClientException(message)
            return cast("ActionResult", original(response))

        return registered

    wrap(EC2ContainerServiceResponse, "register_task_definition", register)
