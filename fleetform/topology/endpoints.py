"""How private subnets reach AWS: inside the VPC, through endpoints, or over the internet."""

from fleetform.catalog.apis import GATEWAYS, apis, outside_images
from fleetform.catalog.models import Environment


def endpoints(environment: Environment) -> tuple[str, ...]:
    """The VPC endpoints, by the end of their names, sorted.

    The gateway of S3 costs nothing, so private subnets always have it. The others are those that the catalog lists, or
    else, if there is no other way out, those that the services need:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
    """
    network = environment.network
    if network.subnets == "public" or network.vpc is not None:
        return ()
    return tuple(sorted({"s3", *(_needed(environment) if network.endpoints is None else network.endpoints)}))


def _needed(environment: Environment) -> frozenset[str]:
    if environment.network.nat != "none":
        return frozenset()
    return frozenset().union(*(apis(service, environment.region) for service in environment.services.values()))


def interface_endpoints(environment: Environment) -> tuple[str, ...]:
    """Those endpoints that are network interfaces, in a security group; the others are routes. Sorted."""
    return tuple(name for name in endpoints(environment) if name not in GATEWAYS)


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
