"""The running tasks of ECS services: each has a network interface, and is registered where its service says.

AWS (ECS developer guide, "Fargate task networking", "Service discovery", "Use load balancing"): a task has
its own network interface, is an instance in Cloud Map with the task's id, and a target of its load balancers
by its address. The interface is deleted some time after the task has stopped.
Moto: services have a count of tasks, but no tasks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import random_public_ip
from moto.ecs.models import Service
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal import mock_random

from fleetform.emulator.gaps import instances
from fleetform.emulator.gaps.delays import DELAYS

# AWS reserves the first four addresses of a subnet (VPC user guide, "Subnet CIDR blocks").
_FIRST_HOST = 4


@dataclass(frozen=True)
class ServiceTask:
    """A running task of a service.

    Attributes:
        id: The last part of its ARN.
        deployment: The id of the deployment that started it.
        task_definition: The ARN of what it runs.
        interface: The id of its network interface.
        address: Its private address.
        subnet: The id of its subnet.
        groups: The ids of its security groups.
        registries: The service's registries when the task started.
        balancers: The service's load balancers when the task started.
    """

    id: str
    deployment: str
    task_definition: str
    interface: str
    address: str
    subnet: str
    groups: tuple[str, ...]
    registries: tuple[dict[str, Any], ...]
    balancers: tuple[dict[str, Any], ...]


# Called in the middle of a rollout, when the tasks of the old and of the new deployment run.
OBSERVERS: list[Callable[[], None]] = []


def tasks_of(service: Service) -> list[ServiceTask]:
    """Return the running tasks of a service."""
    return cast("list[ServiceTask]", vars(service).get("tasks", []))


def roll_out(service: Service, account_id: str) -> None:
    """Start the tasks of the service's deployment, then stop all others.

    Tasks without a network interface of their own (``awsvpc``) are not recorded.
    """
    if "awsvpcConfiguration" not in service.network_configuration:
        return
    ec2 = ec2_backends[account_id][service.region_name]
    deployment = str(service.deployments[0]["id"]) if service.deployments else ""
    before = tasks_of(service)
    kept = [task for task in before if task.deployment == deployment][: service.running_count]
    started = [_start(service, ec2, deployment, index) for index in range(len(kept), service.running_count)]
    if before and started:
        _run(service, [*before, *started], account_id)
        for observe in OBSERVERS:
            observe()
    _run(service, [*kept, *started], account_id)
    stopped = [task.interface for task in before if task not in kept]
    if stopped:
        DELAYS.later(lambda: _release(ec2, stopped))


def _run(service: Service, tasks: list[ServiceTask], account_id: str) -> None:
    vars(service)["tasks"] = tasks
    instances.register(service, tasks, account_id)
    _register_targets(service, tasks, account_id)


def _start(service: Service, ec2: EC2Backend, deployment: str, index: int) -> ServiceTask:
    """Start a task, spreading the tasks over the subnets."""
    network: dict[str, Any] = service.network_configuration["awsvpcConfiguration"]
    subnet = ec2.get_subnet(network["subnets"][index % len(network["subnets"])])
    interface = ec2.create_network_interface(
        subnet,
        _free_address(subnet, ec2),
        group_ids=network.get("securityGroups"),
        description=f"{service.arn.partition(':service/')[0]}:attachment/{mock_random.uuid4()}",
    )
    interface.requester_managed, interface.status = True, "in-use"
    if network.get("assignPublicIp") == "ENABLED":
        interface.public_ip = random_public_ip()
    return ServiceTask(
        id=mock_random.uuid4().hex,
        deployment=deployment,
        task_definition=str(service.task_definition),
        interface=interface.id,
        address=str(interface.private_ip_address),
        subnet=subnet.id,
        groups=tuple(group.id for group in interface.group_set),
        registries=tuple(service.service_registries),
        balancers=tuple(each for each in service.load_balancers if each.get("targetGroupArn")),
    )


def _release(ec2: EC2Backend, interfaces: Iterable[str]) -> None:
    for interface in interfaces:
        ec2.enis.pop(interface, None)


def _free_address(subnet: Subnet, ec2: EC2Backend) -> str:
    taken = {interface.private_ip_address for interface in ec2.enis.values()}
    hosts = (str(subnet.cidr[index]) for index in range(_FIRST_HOST, subnet.cidr.num_addresses - 1))
    return next(host for host in hosts if host not in taken)


def _register_targets(service: Service, tasks: list[ServiceTask], account_id: str) -> None:
    """Register each task in the target groups of its load balancers, and deregister all other tasks."""
    groups = elbv2_backends[account_id][service.region_name].target_groups
    wanted: dict[str, dict[str, int]] = {}
    for task in tasks:
        for balancer in task.balancers:
            wanted.setdefault(balancer["targetGroupArn"], {})[task.address] = balancer["containerPort"]
    earlier: dict[str, dict[str, int]] = vars(service).get("targets", {})
    for arn in {*earlier, *wanted} & groups.keys():
        gone = earlier.get(arn, {}).keys() - wanted.get(arn, {}).keys()
        groups[arn].deregister([{"Id": each} for each in gone & groups[arn].targets.keys()])
        groups[arn].register([{"Id": each, "Port": port} for each, port in wanted.get(arn, {}).items()])
    vars(service)["targets"] = wanted
