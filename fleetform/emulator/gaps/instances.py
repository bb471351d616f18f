"""The tasks of ECS services as instances in Cloud Map.

AWS (ECS developer guide, "Service discovery"): ECS registers each task of a service that has
``serviceRegistries``, and deregisters it when the task stops. Moto: ``ecs`` and ``servicediscovery`` are not
connected.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from moto.ec2.models import ec2_backends
from moto.ecs.models import Service
from moto.servicediscovery.models import servicediscovery_backends


class Task(Protocol):
    """A task of a service, with what its instances need."""

    @property
    def id(self) -> str:
        """The last part of its ARN, which is the id of its instances, too."""

    @property
    def address(self) -> str:
        """Its private address."""

    @property
    def subnet(self) -> str:
        """The id of its subnet."""

    @property
    def registries(self) -> tuple[dict[str, Any], ...]:
        """The registries of its service when it started."""


def register(service: Service, tasks: Iterable[Task], account_id: str) -> None:
    """Register each task in its registries in Cloud Map, and deregister the service's other tasks."""
    cloud_map = servicediscovery_backends[account_id][service.region_name]
    wanted = {
        (registry["registryArn"].split("/")[-1], task.id): _attributes(service, task, registry, account_id)
        for task in tasks
        for registry in task.registries
    }
    earlier: set[tuple[str, str]] = vars(service).get("instances", set())
    for registry, instance in earlier - wanted.keys():
        if registry in cloud_map.services and any(
            each.instance_id == instance for each in cloud_map.list_instances(registry)
        ):
            cloud_map.deregister_instance(registry, instance)
    for registry, instance in wanted.keys() - earlier:
        if registry in cloud_map.services:
            cloud_map.register_instance(registry, instance, "", wanted[registry, instance])
    vars(service)["instances"] = {*wanted}


def _attributes(service: Service, task: Task, registry: dict[str, Any], account_id: str) -> dict[str, str]:
    """Return the attributes that ECS gives an instance.

    A port only where the registry names one (SRV records).
    """
    subnet = ec2_backends[account_id][service.region_name].get_subnet(task.subnet)
    family = str(service.task_definition).split("/")[-1].split(":")[0]
    port = registry.get("port") or registry.get("containerPort")
    return {
        "AVAILABILITY_ZONE": subnet.availability_zone,
        "AWS_INIT_HEALTH_STATUS": "HEALTHY",
        "AWS_INSTANCE_IPV4": task.address,
        **({"AWS_INSTANCE_PORT": str(port)} if port else {}),
        "ECS_CLUSTER_NAME": service.cluster_name,
        "ECS_SERVICE_NAME": service.name,
        "ECS_TASK_DEFINITION_FAMILY": family,
        "REGION": service.region_name,
    }
