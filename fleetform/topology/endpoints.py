"""The AWS services that a task needs before its own code runs, and the VPC endpoints for them.

They are named like VPC endpoints. Fargate needs no endpoint for ECS itself:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
"""

import re
from collections.abc import Iterator

from fleetform.catalog.models import Environment, Service

GATEWAY_ENDPOINTS = ("dynamodb", "s3")
"""Gateway endpoints: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"""

# Image layers come from S3: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
_IMAGE_PULL_SERVICES = ("ecr.api", "ecr.dkr", "s3")


def required_aws_services(service: Service, region: str) -> frozenset[str]:
    """Return the AWS services that ECS needs to start a service's tasks, named like their endpoints."""
    containers = service.containers.values()
    secrets = [secret for container in containers for secret in container.secrets.values()]
    pulls_from_ecr = service.build is not None or any(_is_in_ecr(part.image, region) for part in containers)
    return frozenset(
        (
            *(_IMAGE_PULL_SERVICES if pulls_from_ecr else ()),
            "logs",
            *("ssm" if secret.secret is None else "secretsmanager" for secret in secrets),
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
            *(("ssmmessages",) if service.exec else ()),
        )
    )


def images_outside_ecr(service: Service, region: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the images from other registries or regions, which no endpoint serves, and their containers.

    ECR Public has no endpoint either: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    """
    for path, container in service.containers.items():
        if container.image is not None and not _is_in_ecr(container.image, region):
            yield path, container.image


def endpoints(environment: Environment) -> tuple[str, ...]:
    """Return the VPC endpoints, by the last part of their names, sorted.

    The S3 gateway is free, so private subnets always have it. The others are those that the catalog lists.
    Without a list and without NAT, they are those that the services need:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
    """
    network = environment.network
    if network.subnets == "public" or network.vpc is not None:
        return ()
    return tuple(
        sorted(
            {"s3", *(_required_endpoints(environment) if network.endpoints is None else network.endpoints)}
        )
    )


def _required_endpoints(environment: Environment) -> frozenset[str]:
    if environment.network.nat != "none":
        return frozenset()
    return frozenset().union(
        *(required_aws_services(service, environment.region) for service in environment.services.values())
    )


def interface_endpoints(environment: Environment) -> tuple[str, ...]:
    """Return the endpoints that are network interfaces in a security group, not routes; sorted."""
    return tuple(name for name in endpoints(environment) if name not in GATEWAY_ENDPOINTS)


def needs_internet(environment: Environment, service: str) -> bool:
    """Return whether a service's tasks connect to the internet, over HTTPS, for their images or for AWS.

    Without NAT they cannot. Which AWS services the code in a task calls is unknown, but permissions of the
    task role imply some, and so do logs that are routed elsewhere.
    """
    network, caller = environment.network, environment.services[service]
    if network.subnets == "public" or network.vpc is not None:
        return True
    if network.nat == "none":
        return False
    has_unknown_calls = caller.task_role.statements or caller.task_role.policies or caller.logs.routing
    has_outside_images = any(images_outside_ecr(caller, environment.region))
    missing = required_aws_services(caller, environment.region) - {*endpoints(environment)}
    return bool(has_unknown_calls or has_outside_images or missing)


def _is_in_ecr(image: str | None, region: str) -> bool:
    pattern = rf"[0-9]{{12}}\.dkr\.ecr\.{re.escape(region)}\.amazonaws\.com(\.cn)?/.+"
    return image is not None and re.fullmatch(pattern, image) is not None
