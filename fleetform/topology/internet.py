"""Who reaches AWS over the internet, and not inside the VPC."""

from fleetform.catalog.apis import apis, endpoints, outside_images
from fleetform.catalog.models import Environment


def needs_internet(environment: Environment, service: str) -> bool:
    """Whether a service's tasks go to the internet, by HTTPS, for their images or for AWS.

    Without NAT there is no way there. Which services of AWS the code in a task calls is not known: a task role says
    that it calls some, and logs that are routed elsewhere leave by one.
    """
    network, wanted = environment.network, environment.services[service]
    if network.subnets == "public" or network.vpc is not None:
        return True
    if network.nat == "none":
        return False
    has_unknown = wanted.task_role.statements or wanted.task_role.policies or wanted.logs.routing
    outside = any(outside_images(wanted, environment.region))
    missing = apis(wanted, environment.region) - {*endpoints(environment)}
    return bool(has_unknown or outside or missing)
