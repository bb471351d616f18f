"""Amazon ECS."""

from collections.abc import Callable
from typing import Any, cast

from botocore import xform_name
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ecs.models import EC2ContainerServiceBackend, Service, Task, TaskDefinition
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api._internal import mock_random

from fleetform.emulator.gaps import tasks
from fleetform.emulator.gaps.patches import Method, parameter, wrap

# Members that CreateService takes and Service or its Deployment returns (botocore's model of ecs), but moto
# drops.
FORGOTTEN_SETTINGS = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "serviceConnectConfiguration",
)

# The defaults that DescribeServices returns (API_Service, API_DeploymentConfiguration).
DEPLOYMENT_DEFAULTS = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
}


def remember_service_settings() -> None:
    """Keep the settings of CreateService.

    AWS (API_CreateService): DescribeServices returns them all, the deployment configuration with its
    defaults. Moto: ``ecs/responses.py`` create_service reads fourteen parameters and drops the others;
    update_service keeps all.

    A service whose Service Connect is turned off has no configuration of it any more: the provider's
    acceptance test TestAccECSService_ServiceConnect_remove finds none on AWS.
    """

    def remember(response: EC2ContainerServiceResponse, service: Service) -> None:
        settings = vars(service)
        for setting in FORGOTTEN_SETTINGS:
            value = parameter(response, setting)
            if value is not None:
                settings[xform_name(setting)] = value
        connect = settings.get("service_connect_configuration")
        if connect and not connect["enabled"]:
            settings["service_connect_configuration"] = None
        given = settings.get("deployment_configuration", {})
        settings["deployment_configuration"] = DEPLOYMENT_DEFAULTS | given

    after_service_call("create_service", remember)
    after_service_call("update_service", remember)


def choose_launch_type() -> None:
    """Give a service no launch type if it has a capacity provider strategy, its own or its cluster's default.

    AWS (API_CreateService, launchType, capacityProviderStrategy): the two exclude each other.
    Moto: ``ecs/models.py`` create_service makes a missing launch type ``EC2``, also next to a strategy;
    update_service keeps the launch type next to a new strategy.
    """

    def choose(response: EC2ContainerServiceResponse, service: Service) -> None:
        if parameter(response, "capacityProviderStrategy"):
            service.launch_type = None

    def choose_by_default(response: EC2ContainerServiceResponse, service: Service) -> None:
        strategy = response.ecs_backend.clusters[service.cluster_name].default_capacity_provider_strategy
        given = parameter(response, "launchType") or parameter(response, "capacityProviderStrategy")
        if strategy and not given:
            vars(service)["capacity_provider_strategy"] = strategy
            service.launch_type = None

    after_service_call("create_service", choose)
    after_service_call("create_service", choose_by_default)
    after_service_call("update_service", choose)


def reach_steady_state() -> None:
    """Bring a service to a steady state immediately.

    One deployment, PRIMARY and COMPLETED, with all tasks running.

    AWS (API_Deployment): a new deployment begins with each change of task definition, network or capacity.
    Moto: ``ecs/models.py`` Service starts with no task running and its deployment IN_PROGRESS, forever;
    update_service changes neither, so a provider that waits for a steady state waits in vain.
    """

    def settle(response: EC2ContainerServiceResponse, service: Service) -> None:
        backend = response.ecs_backend
        if service.task_definition:
            service.task_definition = backend.describe_task_definition(service.task_definition).arn
        if service.status != "ACTIVE":
            service.desired_count = 0
        service.running_count, service.pending_count = service.desired_count, 0
        service.deployments = [next_deployment(service)] if service.status == "ACTIVE" else []
        count_cluster(backend, service.cluster_name)

    for call in ("create_service", "update_service", "delete_service"):
        after_service_call(call, settle)


def run_tasks() -> None:
    """Run the services' tasks; see ``tasks.py``."""

    def run(response: EC2ContainerServiceResponse, service: Service) -> None:
        tasks.roll_out(service, response.current_account)

    for call in ("create_service", "update_service", "delete_service"):
        after_service_call(call, run)


def end_tasks() -> None:
    """Stop a task that RunTask started immediately and successfully, as the emulator runs no containers.

    AWS (API_Task, API_Container): a task whose essential container ends is STOPPED, its network interface is
    gone, and the container has its exit code.
    Moto: ``ecs/models.py`` run_task leaves it RUNNING forever, and its containers PENDING; it fails where
    only the task has a size.
    """

    def run_task(original: Method) -> Method:
        def run(backend: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> list[Task]:  # noqa: ANN401 -- passed on
            started = cast("list[Task]", original(backend, *args, **kwargs))
            for task in started:
                task.last_status, task.desired_status = "STOPPED", "STOPPED"
                task.stopped_reason = "Essential container in task exited"
                remove_interface(task, backend)
                for container in task.containers:
                    container.last_status = "STOPPED"
            return started

        return run

    def calculate(original: Method) -> Method:
        def calculated(_: EC2ContainerServiceBackend, definition: TaskDefinition) -> dict[str, Any]:
            if not (definition.cpu and definition.memory):
                return cast("dict[str, Any]", original(definition))
            return {
                "CPU": int(definition.cpu),
                "MEMORY": int(definition.memory),
                "PORTS": [],
                "PORTS_UDP": [],
            }

        return calculated

    wrap(EC2ContainerServiceBackend, "run_task", run_task)
    wrap(EC2ContainerServiceBackend, "_calculate_task_resource_requirements", calculate)


def remove_interface(task: Task, backend: EC2ContainerServiceBackend) -> None:
    """Delete a task's network interface, which would keep its subnet."""
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    for attachment in cast("list[dict[str, Any]]", task.attachments):
        details = {detail["name"]: detail["value"] for detail in attachment["details"]}
        ec2.delete_network_interface(details["networkInterfaceId"])
        attachment["status"] = "DELETED"


def hide_deleted() -> None:
    """List no service or cluster that was deleted.

    AWS (API_DeleteService, API_DeleteCluster): they turn INACTIVE and only Describe still finds them.
    Moto: ``ecs/models.py`` list_services and list_clusters return them forever.
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


def next_deployment(service: Service) -> dict[str, Any]:
    """Return the service's deployment: the one it has, or a new one if what it runs has changed."""
    runs = {
        "capacityProviderStrategy": getattr(service, "capacity_provider_strategy", None),
        "launchType": service.launch_type,
        "loadBalancers": service.load_balancers,
        "networkConfiguration": service.network_configuration,
        "platformVersion": service.platform_version,
        "serviceConnectConfiguration": getattr(service, "service_connect_configuration", None),
        "serviceRegistries": service.service_registries,
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
    """Update the counts of services and tasks in a cluster."""
    cluster = backend.clusters[name]
    active = [
        each for each in backend.services.values() if (each.cluster_name, each.status) == (name, "ACTIVE")
    ]
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
