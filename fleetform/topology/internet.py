"""The services that reach AWS over the internet instead of inside the VPC."""

from fleetform.catalog.models import Environment
from fleetform.topology.endpoints import endpoints, images_outside_ecr, required_aws_services


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
