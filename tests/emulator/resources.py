"""Resources that tests of the emulator make through boto3."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Network:
    """A VPC with two subnets and a security group."""

    vpc: str
    subnets: list[str]
    group: str


def register_task_definition(client: Client, family: str) -> str:
    answer = client("ecs").register_task_definition(
        family=family,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "web"}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def describe_service(client: Client, cluster: str) -> dict[str, Any]:
    service: dict[str, Any] = client("ecs").describe_services(cluster=cluster, services=["web"])["services"][
        0
    ]
    return service
