"""The tasks of ECS services as instances in Cloud Map.

AWS (ECS developer guide, "Service discovery"): ECS registers each task of a service that has
``serviceRegistries``, and deregisters it when the task stops. Moto: ``ecs`` and ``servicediscovery`` are not
connected.
"""

from moto.ec2.models import ec2_backends
from moto.ec2.models.subnets import Subnet
from moto.ecs.models import Service
from moto.moto_api._internal import mock_random
from moto.servicediscovery.models import ServiceDiscoveryBackend, ServiceInstance, servicediscovery_backends

# AWS reserves the first four addresses of a subnet (VPC user guide, "Subnet CIDR blocks").
_FIRST_HOST = 4


def register(service: Service, account_id: str) -> None:
    """Register one instance in Cloud Map for each running task, replacing those of earlier deployments."""
    cloud_map = servicediscovery_backends[account_id][service.region_name]
    registries = {registry["registryArn"].split("/")[-1]: registry for registry in service.service_registries}
    deployment = str(service.deployments[0]["id"]) if service.deployments else ""
    for registry_id in list(cloud_map.services):
        desired = service.running_count if registry_id in registries else 0
        ours = [instance for instance in cloud_map.list_instances(registry_id) if _belongs(instance, service)]
        current = [instance for instance in ours if instance.creator_request_id == deployment]
        for instance in ours:
            if instance not in current[:desired]:
                cloud_map.deregister_instance(registry_id, instance.instance_id)
        for index in range(len(current), desired):
            attributes = _attributes(
                service, _subnet(service, account_id, index), cloud_map, registries[registry_id]
            )
            cloud_map.register_instance(registry_id, mock_random.uuid4().hex, deployment, attributes)


def _belongs(instance: ServiceInstance, service: Service) -> bool:
    names = (instance.attributes.get("ECS_CLUSTER_NAME"), instance.attributes.get("ECS_SERVICE_NAME"))
    return names == (service.cluster_name, service.name)


def _subnet(service: Service, account_id: str, index: int) -> Subnet:
    """Spread the tasks over the subnets."""
    subnets = service.network_configuration["awsvpcConfiguration"]["subnets"]
    return ec2_backends[account_id][service.region_name].get_subnet(subnets[index % len(subnets)])


def _attributes(
    service: Service, subnet: Subnet, cloud_map: ServiceDiscoveryBackend, registry: dict[str, str | int]
) -> dict[str, str]:
    """Return the attributes that ECS gives an instance.

    A port only where the registry names one (SRV records).
    """
    family = str(service.task_definition).split("/")[-1].split(":")[0]
    port = registry.get("port") or registry.get("containerPort")
    return {
        "AVAILABILITY_ZONE": subnet.availability_zone,
        "AWS_INIT_HEALTH_STATUS": "HEALTHY",
        "AWS_INSTANCE_IPV4": _free_address(subnet, cloud_map),
        **({"AWS_INSTANCE_PORT": str(port)} if port else {}),
        "ECS_CLUSTER_NAME": service.cluster_name,
        "ECS_SERVICE_NAME": service.name,
        "ECS_TASK_DEFINITION_FAMILY": family,
        "REGION": service.region_name,
    }


def _free_address(subnet: Subnet, cloud_map: ServiceDiscoveryBackend) -> str:
    taken = {
        instance.attributes.get("AWS_INSTANCE_IPV4")
        for service in cloud_map.services.values()
        for instance in service.instances
    }
    hosts = (str(subnet.cidr[index]) for index in range(_FIRST_HOST, subnet.cidr.num_addresses - 1))
    return next(host for host in hosts if host not in taken)
