"""How private subnets reach AWS: inside the VPC, through endpoints, or over the internet."""

from fleetform.catalog.models import Environment

_GATEWAYS = ("s3",)
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
_NEEDED = ("ecr.api", "ecr.dkr", "logs", *_GATEWAYS)


def endpoints(environment: Environment) -> tuple[str, ...]:
    """The VPC endpoints, by the end of their names: those given, else what tasks without a way out need. Sorted."""
    network = environment.network
    if network.subnets == "public" or network.vpc is not None:
        return ()
    return tuple(sorted({*_GATEWAYS, *(network.endpoints or (() if network.nat != "none" else _NEEDED))}))


def interface_endpoints(environment: Environment) -> tuple[str, ...]:
    """Those endpoints that are network interfaces, in a security group; the others are routes. Sorted."""
    return tuple(name for name in endpoints(environment) if name not in _GATEWAYS)


def needs_internet(environment: Environment, service: str) -> bool:  # noqa: ARG001 - all services alike
    """Whether a service's tasks go to the internet, by HTTPS, for their images or for AWS."""
    network = environment.network
    return network.subnets == "public" or network.vpc is not None or network.nat != "none"
